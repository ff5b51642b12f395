namespace Puna.Models;

/// <summary>What a Llama 4 has beyond a dense Llama: experts, local and global layers, normed queries and keys, attention temperature (spec llama4.md 2 and 3).</summary>
public sealed record Llama4Config
{
    /// <summary>Chunk, floor and scale of every release; GGUF files cannot say others.</summary>
    public const int ReleasedChunk = 8192;

    /// <inheritdoc cref="ReleasedChunk"/>
    public const double ReleasedFloorScale = 8192;

    /// <inheritdoc cref="ReleasedChunk"/>
    public const double ReleasedAttentionScale = 0.1;

    /// <summary>Routed experts of a block that has them.</summary>
    public required int Experts { get; init; }

    /// <summary>Routed experts that a token is sent to.</summary>
    public int ExpertsPerToken { get; init; } = 1;

    /// <summary>Width of each expert and of the shared one; <see cref="LlamaConfig.Ffn"/> is that of the dense blocks.</summary>
    public required int ExpertFfn { get; init; }

    /// <summary>Per layer, whether it has experts.</summary>
    public required IReadOnlyList<bool> HasExperts { get; init; }

    /// <summary>Per layer, whether queries and keys are rotated. Hugging Face's <c>no_rope_layers</c> has 1 for these.</summary>
    public required IReadOnlyList<bool> IsRotary { get; init; }

    /// <summary>Per layer, whether attention ends at the chunk's first token.</summary>
    public required IReadOnlyList<bool> IsLocal { get; init; }

    /// <summary>Tokens of a chunk; chunks begin at its multiples. 0 where no layer is local.</summary>
    public int ChunkSize { get; init; } = ReleasedChunk;

    /// <summary>Whether rotary layers norm queries and keys, per head and without weights, after the rotation.</summary>
    public bool QkNorm { get; init; }

    /// <summary>Whether layers without rotation multiply their queries by a factor that grows with the position.</summary>
    public bool Temperature { get; init; } = true;

    /// <summary>Positions from one step of the factor to the next.</summary>
    public double FloorScale { get; init; } = ReleasedFloorScale;

    /// <summary>Size of the steps.</summary>
    public double AttentionScale { get; init; } = ReleasedAttentionScale;

    /// <summary>The picture encoder, or null where the model reads text only.</summary>
    public Vision.Llama4VisionConfig? Vision { get; init; }

    /// <summary>Layers where every n-th, counted from one, has what the others have not: experts (step - 1, 2 step - 1, ...), or no rotation.</summary>
    public static bool[] EveryNth(int layers, int step)
    {
        var list = new bool[layers];
        for (int i = step - 1; step > 0 && i < layers; i += step)
        {
            list[i] = true;
        }

        return list;
    }

    /// <summary>The other layers.</summary>
    public static bool[] Except(IReadOnlyList<bool> layers) => [.. layers.Select(static x => !x)];

    /// <summary>The factor on a query of a layer without rotation: 1 + scale ln(1 + floor((position + 1) / floorScale)).</summary>
    public float TemperatureAt(int position) =>
        (float)(1 + (AttentionScale * Math.Log(1 + Math.Floor((position + 1) / FloorScale))));

    /// <summary>What is wrong with the numbers, as <c>what: expected x, got y</c>, or null.</summary>
    internal string? Problem(int layers) =>
        Experts is < 1 or > 1 << 16 ? $"experts: expected 1 to {1 << 16}, got {Experts}"
        : ExpertsPerToken < 1 || ExpertsPerToken > Experts ? $"experts per token: expected 1 to {Experts}, got {ExpertsPerToken}"
        : ExpertFfn is < 1 or > 1 << 24 ? $"expert feed-forward size: expected 1 to {1 << 24}, got {ExpertFfn}"
        : ChunkSize < 0 || (ChunkSize == 0 && IsLocal.Any(static x => x)) ? $"attention chunk size: expected a positive number, got {ChunkSize}"
        : !(FloorScale > 0 && double.IsFinite(FloorScale)) ? FormattableString.Invariant($"floor scale: expected a positive number, got {FloorScale}")
        : !double.IsFinite(AttentionScale) ? FormattableString.Invariant($"attention scale: expected a number, got {AttentionScale}")
        : new[] { HasExperts.Count, IsRotary.Count, IsLocal.Count }.Any(n => n != layers) ? $"layer kinds: expected {layers}, got {HasExperts.Count}, {IsRotary.Count} and {IsLocal.Count}"
        : null;
}
