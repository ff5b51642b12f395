using Puna.Models.PromptGuard;
using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>
/// Llama 3.2 Vision's encoder and its way into the text model (spec llama1-3.md 4.2): patches of up to four tiles go through two stages of blocks together; the output holds, for every token, the end and the inputs of
/// some blocks of the first stage. Immutable and shareable.
/// </summary>
public sealed class MllamaVision
{
    private readonly Weight _patches;
    private readonly Weight _class;
    private readonly Weight _positions;
    private readonly Weight _tilePositions;
    private readonly Weight _positionGate;
    private readonly (Weight Table, Weight Gate) _before;
    private readonly (Weight Table, Weight Gate) _after;
    private readonly LayerNorm _normBefore;
    private readonly LayerNorm _normAfter;

    private MllamaVision(MllamaConfig config, Func<string, Weight> weight, MllamaVisionBlock[] local, MllamaVisionBlock[] global, Linear projection)
    {
        const string P = "vision_model.vision_encoder.";
        LayerNorm Norm(string name) => new(weight($"{P}{name}.weight"), weight($"{P}{name}.bias"), config.NormEpsilon);
        (Config, Local, Global, Projection) = (config, local, global, projection);
        _patches = weight(P + "conv1._linear.weight");
        _class = weight(P + "class_embedding");
        _positions = weight(P + "positional_embedding");
        _tilePositions = weight(P + "gated_positional_embedding");
        _positionGate = weight(P + "gated_positional_embedding_gate");
        _before = (weight(P + "pre_tile_pos_embed.embedding"), weight(P + "pre_tile_pos_embed.gate"));
        _after = (weight(P + "post_tile_pos_embed.embedding"), weight(P + "post_tile_pos_embed.gate"));
        (_normBefore, _normAfter) = (Norm("ln_pre"), Norm("ln_post"));
    }

    private MllamaVision(MllamaVision other, Func<Weight, Weight> weight)
    {
        Config = other.Config;
        (_class, _positions, _tilePositions, _positionGate, _before, _after) = (other._class, other._positions, other._tilePositions, other._positionGate, other._before, other._after);
        (_normBefore, _normAfter) = (other._normBefore, other._normAfter);
        _patches = weight(other._patches);
        Local = [.. other.Local.Select(b => b.With(weight))];
        Global = [.. other.Global.Select(b => b.With(weight))];
        Projection = other.Projection.With(weight);
    }

    /// <summary>Shape and arithmetic.</summary>
    public MllamaConfig Config { get; }

    /// <summary>Blocks of the first stage.</summary>
    public IReadOnlyList<MllamaVisionBlock> Local { get; }

    /// <summary>Blocks of the second stage.</summary>
    public IReadOnlyList<MllamaVisionBlock> Global { get; }

    /// <summary>Into the text model <c>[hidden, outputWidth]</c>.</summary>
    public Linear Projection { get; }

    /// <summary>Builds the encoder.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weight">Gives the weight of a name, in the shape that <see cref="LlamaConfig.Parameters"/> says.</param>
    public static MllamaVision Build(MllamaConfig config, Func<string, Weight> weight)
    {
        MllamaVisionBlock Block(string p, bool isGated)
        {
            Linear Dense(string name) => new BiasedLinear(weight($"{p}{name}.weight"), weight($"{p}{name}.bias"));
            Linear Matrix(string name) => new(weight($"{p}{name}.weight"));
            LayerNorm Norm(string name) => new(weight($"{p}{name}.weight"), weight($"{p}{name}.bias"), config.NormEpsilon);
            return new MllamaVisionBlock(
                Norm("ln_1"), Matrix("attn.wq"), Matrix("attn.wk"), Matrix("attn.wv"), Matrix("attn.wo"), Norm("ln_2"), Dense("mlp.c_fc"), Dense("mlp.c_proj"), config.Hidden / config.Heads)
            {
                GateAttention = isGated ? weight(p + "gate_attn") : null,
                GateFfn = isGated ? weight(p + "gate_ffn") : null,
            };
        }

        const string P = "vision_model.vision_encoder.";
        MllamaVisionBlock[] local = [.. Enumerable.Range(0, config.LocalLayers).Select(i => Block($"{P}transformer.resblocks.{i}.", false))];
        MllamaVisionBlock[] global = [.. Enumerable.Range(0, config.GlobalLayers).Select(i => Block($"{P}global_transformer.resblocks.{i}.", true))];
        return new MllamaVision(config, weight, local, global, new BiasedLinear(weight("vision_model.vision_projection.weight"), weight("vision_model.vision_projection.bias")));
    }

    /// <summary>The same encoder with its matrices as a device wants them.</summary>
    public MllamaVision With(Func<Weight, Weight> weight) => new(this, weight);

    /// <summary>What the text model is shown of some images.</summary>
    /// <param name="ops">The device; the result lives in its current scope.</param>
    /// <param name="images">The images; each has the same bits alone and among others.</param>
    /// <param name="shareEmpty">Whether empty tile slots that begin alike are computed once for all: the same bits for less work. Not where the tables of places are trained, since one slot would get the gradients of all.</param>
    /// <returns><c>[images * maxTiles * tileTokens, hidden of the text model]</c> float32, empty tile slots included.</returns>
    /// <exception cref="PunaException">An image that does not fit.</exception>
    public Tensor Forward(IOps ops, IReadOnlyList<MllamaImage> images, bool shareEmpty = false)
    {
        Tensor x = Run(ops, images, shareEmpty, out MllamaRows rows);
        return ops.SelectRows(Projection.Forward(ops, x), rows.Working);
    }

    /// <summary>The encoder alone.</summary>
    /// <inheritdoc cref="Forward" path="/param"/>
    /// <inheritdoc cref="Forward" path="/exception"/>
    /// <returns><c>[images * maxTiles * tileTokens, outputWidth]</c> float32; behind the encoder's own width the taps, interleaved.</returns>
    public Tensor Encode(IOps ops, IReadOnlyList<MllamaImage> images, bool shareEmpty = false)
    {
        Tensor x = Run(ops, images, shareEmpty, out MllamaRows rows);
        return ops.SelectRows(x, rows.Working);
    }

    /// <summary>The encoder's working rows <c>[rows, outputWidth]</c>.</summary>
    private Tensor Run(IOps ops, IReadOnlyList<MllamaImage> images, bool shareEmpty, out MllamaRows rows)
    {
        foreach (MllamaImage image in images)
        {
            image.Check(Config);
        }

        Tensor tokens = ops.Run(new EmbeddingBlock(this), ops.Allocate(new Shape((long)images.Count * Config.MaxTiles * Config.TileTokens, Config.Hidden)), images);
        MllamaRows laid = rows = new MllamaRows(Config, images, (image, slot) => shareEmpty ? Twin(ops, tokens, images[image], image, slot) : slot);
        Tensor x = ops.Allocate(new Shape(rows.Count, Config.Hidden));
        for (int row = 0; row < rows.Count; row++)
        {
            x.Row<float>(row).Clear();
        }

        x = ops.AddRows(x, ops.SelectRows(tokens, rows.Source), rows.Target);
        int[] all = [.. Enumerable.Range(0, rows.Count)];
        var taps = new Tensor[Config.Taps.Count];
        int tapped = 0;
        for (int i = 0; i < Local.Count; i++)
        {
            if (tapped < taps.Length && Config.Taps[tapped] == i)
            {
                // A copy: blocks may overwrite their input.
                taps[tapped++] = ops.SelectRows(x, all);
            }

            x = ops.Run(Local[i], x, rows);
        }

        x = AddPlaces(ops, _normAfter.Forward(ops, x), _after, MllamaRows.Places(Config, images, laid.SlotOf, 1, static _ => 0));
        foreach (MllamaVisionBlock block in Global)
        {
            x = ops.Run(block, x, rows);
        }

        return ops.ConcatColumns(x, taps);
    }

    /// <summary>The first empty slot of an image that has the bits of another one, before the blocks and in what is added between them.</summary>
    private int Twin(IOps ops, Tensor tokens, MllamaImage image, int number, int slot)
    {
        for (int earlier = 0; earlier < slot; earlier++)
        {
            int place = image.Place(Config, slot), other = image.Place(Config, earlier);
            bool isSame = !image.IsUsed[earlier] && (place < 0) == (other < 0);
            if (isSame && place >= 0)
            {
                Tensor added = ops.Gather(_after.Table, [place, other]);
                isSame = added.Row<byte>(0).SequenceEqual(added.Row<byte>(1));
            }

            long first = ((long)number * Config.MaxTiles * Config.TileTokens) + ((long)slot * Config.TileTokens), second = first - ((long)(slot - earlier) * Config.TileTokens);
            for (int t = 0; isSame && t < Config.TileTokens; t++)
            {
                isSame = tokens.Row<byte>(first + t).SequenceEqual(tokens.Row<byte>(second + t));
            }

            if (isSame)
            {
                return earlier;
            }
        }

        return slot;
    }

    /// <summary>Patches behind a class token, each with its place in the tile and its tile's place in the image <c>[images * maxTiles * tileTokens, hidden]</c>.</summary>
    private Tensor Embed(IOps ops, IReadOnlyList<MllamaImage> images)
    {
        int tiles = images.Count * Config.MaxTiles, patches = Config.Patches, tokens = Config.TileTokens;
        int[] slotOfPatch = new int[tiles * patches], slotOfToken = new int[tiles * tokens], tokenOfPatch = new int[tiles * patches], positions = new int[tiles * tokens];
        for (int tile = 0; tile < tiles; tile++)
        {
            for (int t = 0; t < tokens; t++)
            {
                (slotOfToken[(tile * tokens) + t], positions[(tile * tokens) + t]) = (tile, t);
            }

            for (int n = 0; n < patches; n++)
            {
                (slotOfPatch[(tile * patches) + n], tokenOfPatch[(tile * patches) + n]) = (tile, (tile * tokens) + 1 + n);
            }
        }

        Tensor patch = default;
        ops.MatMul(Unfold(ops, images), [_patches], new Span<Tensor>(ref patch));
        patch = AddPlaces(ops, patch, _before, MllamaRows.Places(Config, images, slotOfPatch, 1, static _ => 0));
        Tensor x = ops.TanhGate(ops.Gather(_positions, positions), _positionGate, isComplement: true);
        x = ops.AddRows(x, patch, tokenOfPatch);
        x = ops.AddRows(x, ops.Gather(_class, new int[tiles]), [.. Enumerable.Range(0, tiles).Select(tile => tile * tokens)]);
        return AddPlaces(ops, x, (_tilePositions, _positionGate), MllamaRows.Places(Config, images, slotOfToken, tokens, row => row % tokens));
    }

    private static Tensor AddPlaces(IOps ops, Tensor x, (Weight Table, Weight Gate) embedding, (int[] Table, int[] Rows) places) =>
        places.Rows.Length == 0 ? x : ops.AddRows(x, ops.TanhGate(ops.Gather(embedding.Table, places.Table), embedding.Gate), places.Rows);

    /// <summary>Pixels of each patch, colour by colour and row by row <c>[images * maxTiles * patches, 3 * patchSize * patchSize]</c>.</summary>
    private Tensor Unfold(IOps ops, IReadOnlyList<MllamaImage> images)
    {
        int side = Config.ImageSize, size = Config.PatchSize, across = side / size;
        Tensor patches = ops.Allocate(new Shape((long)images.Count * Config.MaxTiles * Config.Patches, MllamaConfig.Channels * (long)size * size));
        int row = 0;
        foreach (MllamaImage image in images)
        {
            for (int slot = 0; slot < Config.MaxTiles; slot++)
            {
                ReadOnlySpan<float> tile = image.Tile(Config, slot);
                for (int n = 0; n < Config.Patches; n++)
                {
                    Span<float> to = patches.Row<float>(row++);
                    for (int line = 0; line < MllamaConfig.Channels * size; line++)
                    {
                        Span<float> part = to.Slice(line * size, size);
                        int from = (((line / size * side) + (n / across * size) + (line % size)) * side) + (n % across * size);
                        if (tile.IsEmpty)
                        {
                            part.Clear();
                        }
                        else
                        {
                            tile.Slice(from, size).CopyTo(part);
                        }
                    }
                }
            }
        }

        return patches;
    }

    /// <summary>Embeds images, in a scope of its own: on the way they take many times the memory of the result. What it is given is room, whose values do not matter.</summary>
    private sealed class EmbeddingBlock(MllamaVision vision) : IBlock<IReadOnlyList<MllamaImage>>
    {
        public Tensor Forward(IOps ops, Tensor x, IReadOnlyList<MllamaImage> context) => vision._normBefore.Forward(ops, vision.Embed(ops, context));
    }
}
