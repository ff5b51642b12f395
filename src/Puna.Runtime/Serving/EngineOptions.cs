using Puna.Formats.Images;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>How an <see cref="Engine"/> works.</summary>
public sealed record EngineOptions
{
    /// <summary>Most sequences that are computed together, at least 1.</summary>
    public int MaxSequences { get; init; } = 16;

    /// <summary>Most tokens of one pass, at least 1.</summary>
    public int MaxBatchedTokens { get; init; } = 256;

    /// <summary>Most tokens of one prompt in one pass while other sequences are being decoded, at least 1: what a long prompt may delay them by.</summary>
    public int PrefillChunk { get; init; } = 64;

    /// <summary>
    /// How many times longer than alone a token may take because of what is computed with it, at least 1.5; 0 for no bound, which gets most out of the machine and lets everybody wait. The engine learns what passes
    /// cost, and takes fewer texts and smaller pieces of prompts where they would take too long.
    /// </summary>
    public double Slowdown { get; init; } = 2.5;

    /// <summary>Memory for keys and values in bytes; null takes what <see cref="MaxSequences"/> contexts need, at most a quarter of the machine's memory.</summary>
    public long? CacheBytes { get; init; }

    /// <summary>Type of the cached keys and values: float32, float16 or q8_0; null means that of the model.</summary>
    public DType? CacheType { get; init; }

    /// <summary>Whether prompts that begin alike share what was computed.</summary>
    public bool PrefixCache { get; init; } = true;

    /// <summary>Most pictures of a request, at least 1.</summary>
    public int MaxImages { get; init; } = 16;

    /// <summary>What a picture in a conversation may ask for; checked before it is decoded.</summary>
    public ImageLimits ImageLimits { get; init; } = new(20L << 20, 40_000_000);

    /// <summary>Memory in bytes for what the model makes of pictures, and as much again for the pictures of requests that wait or run; null takes an eighth of the machine's memory.</summary>
    public long? ImageBytes { get; init; }

    /// <summary><see cref="ImageBytes"/>, or what null stands for.</summary>
    internal long ImageBytesOrDefault => ImageBytes ?? GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 8;

    /// <summary>Most requests that wait, at least 1.</summary>
    public int QueueLimit { get; init; } = 512;

    /// <summary>Most requests of one key that wait or run, at least 1.</summary>
    public int KeyLimit { get; init; } = 256;

    /// <summary>How long a request may wait before it is given up.</summary>
    public TimeSpan QueueTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long a request may take altogether.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>How long one step may take. When it takes longer, the requests that are under way fail, and no others are taken until it ends.</summary>
    public TimeSpan StallTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// Most tokens guessed ahead per text and step, 0 to 16; 0 guesses none. They are what followed the same words before (prompt lookup), or what a draft model says where the engine has
    /// one. The text is the same either way.
    /// </summary>
    public int GuessTokens { get; init; }
}
