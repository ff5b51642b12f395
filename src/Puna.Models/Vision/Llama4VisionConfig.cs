using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>Shape of the encoder that turns pictures into tokens of a Llama 4 (spec llama4.md 2.5 and 4).</summary>
public sealed record Llama4VisionConfig
{
    /// <summary>The token that stands for a patch in every release.</summary>
    public const int ReleasedPatchToken = 200092;

    /// <summary>The tokens around a picture in every release.</summary>
    public const int ReleasedStartToken = 200080, ReleasedEndToken = 200081;

    /// <summary>Side of a tile in pixels.</summary>
    public int ImageSize { get; init; } = 336;

    /// <summary>Side of a patch in pixels.</summary>
    public int PatchSize { get; init; } = 14;

    /// <summary>Width of the encoder.</summary>
    public required int Hidden { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Heads of each layer.</summary>
    public required int Heads { get; init; }

    /// <summary>Width inside a layer's feed-forward part.</summary>
    public required int Ffn { get; init; }

    /// <summary>Side of the square of patches that becomes one token: 2 where the pixel shuffle's ratio is 0.5.</summary>
    public int Shuffle { get; init; } = 2;

    /// <summary>Width behind the adapter's first matrix.</summary>
    public required int AdapterHidden { get; init; }

    /// <summary>Width behind its second one, which the projection reads.</summary>
    public required int AdapterOutput { get; init; }

    /// <summary>Epsilon of the norms.</summary>
    public float NormEpsilon { get; init; } = 1e-5f;

    /// <summary>Base of the rotary angles.</summary>
    public double RopeTheta { get; init; } = 10000;

    /// <summary>The token whose embedding a patch takes.</summary>
    public int PatchToken { get; init; } = ReleasedPatchToken;

    /// <summary>The token before a picture.</summary>
    public int StartToken { get; init; } = ReleasedStartToken;

    /// <summary>The token behind a picture.</summary>
    public int EndToken { get; init; } = ReleasedEndToken;

    /// <summary>Values per head.</summary>
    public int HeadDim => Hidden / Heads;

    /// <summary>Patches along a side of a tile.</summary>
    public int Grid => ImageSize / PatchSize;

    /// <summary>Tokens of the language model per tile.</summary>
    public int TokensPerTile => Grid / Shuffle * (Grid / Shuffle);

    /// <summary>Number of parameters, projection included.</summary>
    /// <param name="textHidden">Width of the language model.</param>
    public long ParameterCount(int textHidden) => Parameters(textHidden).Sum(static p => p.Shape.Count);

    /// <summary>Every parameter under Meta's name with its shape, in the order of the forward pass.</summary>
    /// <param name="textHidden">Width of the language model.</param>
    public IEnumerable<(string Name, Shape Shape)> Parameters(int textHidden)
    {
        const string Encoder = "vision_embeddings.vision_encoder.";
        yield return (Encoder + "conv1._linear.weight", new Shape(Hidden, 3L * PatchSize * PatchSize));
        yield return (Encoder + "class_embedding", new Shape(Hidden));
        yield return (Encoder + "positional_embedding_vlm", new Shape((Grid * Grid) + 1, Hidden));
        yield return (Encoder + "ln_pre.weight", new Shape(Hidden));
        yield return (Encoder + "ln_pre.bias", new Shape(Hidden));
        for (int i = 0; i < Layers; i++)
        {
            string layer = $"{Encoder}transformer.resblocks.{i}.";
            foreach (string norm in (string[])["ln_1", "ln_2"])
            {
                yield return ($"{layer}{norm}.weight", new Shape(Hidden));
                yield return ($"{layer}{norm}.bias", new Shape(Hidden));
            }

            foreach (string linear in (string[])["wq", "wk", "wv", "wo"])
            {
                yield return ($"{layer}attn.{linear}.weight", new Shape(Hidden, Hidden));
                yield return ($"{layer}attn.{linear}.bias", new Shape(Hidden));
            }

            yield return (layer + "mlp.c_fc.weight", new Shape(Ffn, Hidden));
            yield return (layer + "mlp.c_fc.bias", new Shape(Ffn));
            yield return (layer + "mlp.c_proj.weight", new Shape(Hidden, Ffn));
            yield return (layer + "mlp.c_proj.bias", new Shape(Hidden));
        }

        yield return (Encoder + "ln_post.weight", new Shape(Hidden));
        yield return (Encoder + "ln_post.bias", new Shape(Hidden));
        yield return ("vision_embeddings.vision_adapter.mlp.c_fc.weight", new Shape(AdapterHidden, (long)Hidden * Shuffle * Shuffle));
        yield return ("vision_embeddings.vision_adapter.mlp.c_proj.weight", new Shape(AdapterOutput, AdapterHidden));
        yield return ("vision_projection.weight", new Shape(textHidden, AdapterOutput));
    }

    /// <summary>What is wrong with the numbers, as <c>what: expected x, got y</c>, or null.</summary>
    internal string? Problem() =>
        Range("vision hidden size", Hidden, 1 << 20) ?? Range("vision layers", Layers, 10000) ?? Range("vision heads", Heads, 1 << 16) ?? Range("vision feed-forward size", Ffn, 1 << 24)
        ?? Range("image size", ImageSize, 1 << 14) ?? Range("patch size", PatchSize, 1 << 10) ?? Range("side of the pixel shuffle", Shuffle, 64)
        ?? Range("adapter width", AdapterHidden, 1 << 24) ?? Range("adapter output", AdapterOutput, 1 << 24)
        ?? (Hidden % Heads != 0 || HeadDim % 4 != 0 ? $"vision heads: expected a divisor of {Hidden} that leaves a multiple of 4, got {Heads}"
        : ImageSize % PatchSize != 0 || Grid % Shuffle != 0 ? $"image size: expected a multiple of {PatchSize} times {Shuffle}, got {ImageSize}"
        : !(NormEpsilon >= 0 && float.IsFinite(NormEpsilon)) ? FormattableString.Invariant($"vision norm epsilon: expected a small positive number, got {NormEpsilon}")
        : !(RopeTheta > 0 && float.IsFinite((float)RopeTheta)) ? FormattableString.Invariant($"vision rope theta: expected a positive number, got {RopeTheta}")
        : PatchToken < 0 ? $"patch token: expected an id, got {PatchToken}"
        : null);

    private static string? Range(string what, int value, int most) => value >= 1 && value <= most ? null : $"{what}: expected 1 to {most}, got {value}";
}
