namespace Puna.Runtime.Sampling;

/// <summary>
/// Working memory of samplers, about 32 bytes per token of the vocabulary. Samplers that are used one after the other on one thread may share one.
/// </summary>
public sealed class SamplerScratch
{
    /// <summary>Allocates the memory once.</summary>
    /// <param name="vocabulary">Logits per row, at least 1.</param>
    public SamplerScratch(int vocabulary)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(vocabulary, 1);
        Logits = new float[vocabulary];
        Counts = new int[vocabulary];
        Tokens = new int[vocabulary];
        Weights = new double[vocabulary];
        Keys = new ulong[vocabulary];
        Mass = new double[vocabulary];
    }

    /// <summary>Logits per row.</summary>
    public int Vocabulary => Logits.Length;

    /// <summary>Biased and penalised logits, then those of the tokens that stay.</summary>
    internal float[] Logits { get; }

    /// <summary>Occurrences per token; all zero between uses.</summary>
    internal int[] Counts { get; }

    /// <summary>Repetitions per place of the text (<see cref="DryPenalty"/>); as long as the longest text so far.</summary>
    internal List<int> Matches { get; } = [];

    /// <summary>The tokens that stay, in ascending order.</summary>
    internal int[] Tokens { get; }

    /// <summary>Their softmax weights; that of the best is 1.</summary>
    internal double[] Weights { get; }

    /// <summary>Ranking keys (<see cref="RankedTokens"/>).</summary>
    internal ulong[] Keys { get; }

    /// <summary>The mass of each ranking key.</summary>
    internal double[] Mass { get; }
}
