using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>What a Llama 3.2 Vision has beyond its text model: a tiled vision encoder, and layers of the text model that look at its output (spec llama1-3.md 1.3 and 4).</summary>
public sealed record MllamaConfig
{
    /// <summary>Colours of a pixel.</summary>
    public const int Channels = 3;

    /// <summary>The text model's layers that are cross-attention layers, counted over both kinds, ascending. <see cref="LlamaConfig.Layers"/> counts the others only.</summary>
    public required IReadOnlyList<int> CrossLayers { get; init; }

    /// <summary>Rows of the embedding beyond the vocabulary: tokens that can be read and not written, the image token first.</summary>
    public int ExtraEmbeddings { get; init; } = 8;

    /// <summary>The token that stands for an image.</summary>
    public required int ImageToken { get; init; }

    /// <summary>Width of the encoder.</summary>
    public required int Hidden { get; init; }

    /// <summary>Width of its feed-forward layers.</summary>
    public required int Ffn { get; init; }

    /// <summary>Its attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Blocks of its first stage.</summary>
    public required int LocalLayers { get; init; }

    /// <summary>Blocks of its second stage, which have gates.</summary>
    public required int GlobalLayers { get; init; }

    /// <summary>Blocks of the first stage whose inputs are part of the output, ascending.</summary>
    public required IReadOnlyList<int> Taps { get; init; }

    /// <summary>Pixels of a tile's side.</summary>
    public required int ImageSize { get; init; }

    /// <summary>Pixels of a patch's side.</summary>
    public required int PatchSize { get; init; }

    /// <summary>Tile slots of an image.</summary>
    public int MaxTiles { get; init; } = 4;

    /// <summary>The layouts of tiles that images are brought to; their ids count from 1, in this order.</summary>
    public IReadOnlyList<(int Height, int Width)> AspectRatios { get; init; } = [(1, 1), (1, 2), (1, 3), (1, 4), (2, 1), (2, 2), (3, 1), (4, 1)];

    /// <summary>Epsilon of the encoder's norms.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>Whether embeddings of tiles are tables by row and column of the tile, as Meta's, and not by aspect ratio and slot, as Hugging Face's (spec llama1-3.md 4.7).</summary>
    public bool HasCellTables { get; init; }

    /// <summary>Patches of a tile.</summary>
    public int Patches => ImageSize / PatchSize * (ImageSize / PatchSize);

    /// <summary>Tokens of a tile: its patches behind a class token.</summary>
    public int TileTokens => Patches + 1;

    /// <summary>Tokens of a tile while the encoder works: filled up to a multiple of 8 with rows that begin as zeros, and that are seen.</summary>
    public int PaddedTokens => (TileTokens + 7) / 8 * 8;

    /// <summary>Values of an image token: the encoder's width once for its end and once for each tap.</summary>
    public int OutputWidth => checked(Hidden * (1 + Taps.Count));

    /// <summary>Places of tiles that the tables have.</summary>
    public int TablePlaces => MaxTiles * (HasCellTables ? MaxTiles : AspectRatios.Count + 1);

    /// <summary>The encoder's parameters under their canonical names (Meta's), as matrices.</summary>
    /// <param name="textHidden">Width of the text model.</param>
    internal IEnumerable<(string Name, Shape Shape)> EncoderParameters(int textHidden)
    {
        const string P = "vision_model.vision_encoder.";
        yield return (P + "conv1._linear.weight", new Shape(Hidden, Channels * (long)PatchSize * PatchSize));
        yield return (P + "class_embedding", new Shape(Hidden));
        yield return (P + "positional_embedding", new Shape(TileTokens, Hidden));
        yield return (P + "gated_positional_embedding", new Shape((long)TablePlaces * TileTokens, Hidden));
        yield return (P + "gated_positional_embedding_gate", new Shape(1));
        foreach (string table in (string[])["pre_tile_pos_embed.", "post_tile_pos_embed."])
        {
            yield return (P + table + "embedding", new Shape(TablePlaces, Hidden));
            yield return (P + table + "gate", new Shape(1));
        }

        foreach (string norm in (string[])["ln_pre.", "ln_post."])
        {
            yield return (P + norm + "weight", new Shape(Hidden));
            yield return (P + norm + "bias", new Shape(Hidden));
        }

        for (int i = 0; i < LocalLayers + GlobalLayers; i++)
        {
            string block = i < LocalLayers ? $"{P}transformer.resblocks.{i}." : $"{P}global_transformer.resblocks.{i - LocalLayers}.";
            foreach (string matrix in (string[])["attn.wq.weight", "attn.wk.weight", "attn.wv.weight", "attn.wo.weight"])
            {
                yield return (block + matrix, new Shape(Hidden, Hidden));
            }

            yield return (block + "mlp.c_fc.weight", new Shape(Ffn, Hidden));
            yield return (block + "mlp.c_fc.bias", new Shape(Ffn));
            yield return (block + "mlp.c_proj.weight", new Shape(Hidden, Ffn));
            yield return (block + "mlp.c_proj.bias", new Shape(Hidden));
            foreach (string vector in (string[])["ln_1.weight", "ln_1.bias", "ln_2.weight", "ln_2.bias"])
            {
                yield return (block + vector, new Shape(Hidden));
            }

            if (i >= LocalLayers)
            {
                yield return (block + "gate_attn", new Shape(1));
                yield return (block + "gate_ffn", new Shape(1));
            }
        }

        yield return ("vision_model.vision_projection.weight", new Shape(textHidden, OutputWidth));
        yield return ("vision_model.vision_projection.bias", new Shape(textHidden));
    }

    /// <summary>The parameters of the cross-attention layers under their canonical names (Meta's).</summary>
    internal IEnumerable<(string Name, Shape Shape)> CrossParameters(LlamaConfig text)
    {
        long q = (long)text.Heads * text.HeadDim, kv = (long)text.KvHeads * text.HeadDim;
        for (int j = 0; j < CrossLayers.Count; j++)
        {
            string layer = $"cross_attention_layers.{j}.";
            yield return (layer + "attention_norm.weight", new Shape(text.Hidden));
            yield return (layer + "attention.wq.weight", new Shape(q, text.Hidden));
            yield return (layer + "attention.wk.weight", new Shape(kv, text.Hidden));
            yield return (layer + "attention.wv.weight", new Shape(kv, text.Hidden));
            yield return (layer + "attention.wo.weight", new Shape(text.Hidden, q));
            yield return (layer + "attention.q_norm.weight", new Shape(text.HeadDim));
            yield return (layer + "attention.k_norm.weight", new Shape(text.HeadDim));
            yield return (layer + "gate_attn", new Shape(1));
            yield return (layer + "ffn_norm.weight", new Shape(text.Hidden));
            yield return (layer + "feed_forward.w1.weight", new Shape(text.Ffn, text.Hidden));
            yield return (layer + "feed_forward.w3.weight", new Shape(text.Ffn, text.Hidden));
            yield return (layer + "feed_forward.w2.weight", new Shape(text.Hidden, text.Ffn));
            yield return (layer + "gate_ffwd", new Shape(1));
        }
    }

    /// <summary>Where Meta puts cross-attention layers (spec llama1-3.md 4.3): before the last layer of the text model and every k-th below it, k = ceil(layers / count).</summary>
    /// <param name="layers">Layers of the text model without them.</param>
    /// <param name="count">How many there are.</param>
    /// <returns>Their places, counted over both kinds.</returns>
    public static int[] Spread(int layers, int count)
    {
        int step = (layers + count - 1) / count;
        var before = new List<int>();
        for (int i = layers - 1; i >= 0 && before.Count < count; i -= step)
        {
            before.Add(i);
        }

        before.Reverse();
        return [.. before.Select(static (i, j) => i + j)];
    }

    /// <summary>What is wrong with the numbers, as <c>what: expected x, got y</c>, or null.</summary>
    /// <param name="layers">Layers of the text model without those for images.</param>
    internal string? Problem(int layers)
    {
        string? Range(string what, int value, int least, int most) => value >= least && value <= most ? null : $"{what}: expected {least} to {most}, got {value}";
        string? Ascending(string what, IReadOnlyList<int> list, int end)
        {
            for (int i = 0; i < list.Count; i++)
            {
                if (list[i] <= (i == 0 ? -1 : list[i - 1]) || list[i] >= end)
                {
                    return $"{what}: expected numbers below {end} that rise, got {string.Join(", ", list)}";
                }
            }

            return null;
        }

        return Range("vision hidden size", Hidden, 1, 1 << 16)
            ?? Range("vision feed-forward size", Ffn, 1, 1 << 20)
            ?? Range("vision heads", Heads, 1, Hidden)
            ?? (Hidden % Heads == 0 && Hidden / Heads % 2 == 0 ? null : $"vision heads: expected heads of an even number of values, got {Heads} for {Hidden}")
            ?? Range("vision layers", LocalLayers, 1, 10000)
            ?? Range("vision global layers", GlobalLayers, 0, 10000)
            ?? Range("image size", ImageSize, 1, 1 << 14)
            ?? Range("patch size", PatchSize, 1, ImageSize)
            ?? (ImageSize % PatchSize == 0 ? null : $"image size: expected a multiple of the patch size {PatchSize}, got {ImageSize}")
            ?? Range("tiles of an image", MaxTiles, 1, 1 << 8)
            ?? Range("embeddings beyond the vocabulary", ExtraEmbeddings, 0, 1 << 16)
            ?? Range("patches of an image", (int)Math.Min(int.MaxValue, (long)MaxTiles * Patches), 1, 1 << 20)
            ?? Range("aspect ratios", AspectRatios.Count, 1, 1 << 10)
            ?? (AspectRatios.All(r => r.Height > 0 && r.Width > 0 && r.Height <= MaxTiles && r.Width <= MaxTiles && r.Height * r.Width <= MaxTiles) ? null : $"aspect ratios: expected at most {MaxTiles} tiles, got {string.Join(", ", AspectRatios)}")
            ?? (float.IsFinite(NormEpsilon) && NormEpsilon >= 0 ? null : FormattableString.Invariant($"vision norm epsilon: expected a small positive number, got {NormEpsilon}"))
            ?? Ascending("vision taps", Taps, LocalLayers)
            ?? Range("cross-attention layers", CrossLayers.Count, 1, 10000)
            ?? Ascending("cross-attention layers", CrossLayers, layers + CrossLayers.Count);
    }
}
