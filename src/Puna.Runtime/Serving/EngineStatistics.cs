namespace Puna.Runtime.Serving;

/// <summary>What an engine has done and is doing.</summary>
/// <param name="Running">Requests being computed.</param>
/// <param name="Waiting">Requests in the queue.</param>
/// <param name="CacheUsage">Share of the memory for keys and values that requests hold, 0 to 1; what only the prefix cache holds counts as free.</param>
/// <param name="CacheBlocks">Blocks of keys and values there may be.</param>
/// <param name="PrefixQueries">Tokens of prompts that were looked up in the prefix cache.</param>
/// <param name="PrefixHits">Tokens found there.</param>
/// <param name="Preemptions">Requests set back for want of memory.</param>
/// <param name="PromptTokens">Tokens of prompts computed or found.</param>
/// <param name="GeneratedTokens">Tokens generated.</param>
/// <param name="Steps">Forward passes.</param>
/// <param name="Heartbeat">Time since the engine's thread last went round.</param>
/// <param name="EncodedImages">Pictures encoded; one that is kept from before is not encoded again.</param>
/// <param name="ImageBytes">Bytes of what was made of pictures that requests hold; what is kept for later ones counts as free.</param>
public sealed record EngineStatistics(
    int Running, int Waiting, double CacheUsage, int CacheBlocks, long PrefixQueries, long PrefixHits, long Preemptions, long PromptTokens, long GeneratedTokens, long Steps, TimeSpan Heartbeat,
    long EncodedImages, long ImageBytes)
{
    /// <summary>Sizes by which passes are counted: tokens, guesses included.</summary>
    public static IReadOnlyList<int> StepSizeBounds { get; } = [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384];

    /// <summary>Passes of each size up to each bound and above the one before it, and those above the last.</summary>
    public IReadOnlyList<long> StepSizes { get; init; } = [];

    /// <summary>Tokens of all passes.</summary>
    public long StepTokens { get; init; }
}
