namespace Puna.Server.Batches;

/// <summary>How a batch is worked through.</summary>
public sealed record BatchOptions
{
    /// <summary>Most requests that are under way at once, at least 1. The engine computes as many of them together as its own options say.</summary>
    public int InFlight { get; init; } = 32;

    /// <summary>Most bytes of a line; a longer one gets an error.</summary>
    public int MaxLineBytes { get; init; } = 32 << 20;
}
