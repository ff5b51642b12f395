namespace Puna.Runtime.Serving;

/// <summary>
/// Learns what passes cost by their number of tokens, and says how many tokens a pass may have so that a text that is being generated meanwhile is not slowed down too much. What is
/// computed does not depend on it, only when. Belongs to one thread.
/// </summary>
/// <param name="slowdown">How many times longer than the shortest a pass may take, above 1; 0 for no bound.</param>
internal sealed class StepPacer(double slowdown)
{
    /// <summary>Passes after which what was learned of a size counts as old, except of the smallest, which a busy engine never meets.</summary>
    private const int Memory = 500;

    /// <summary>Sizes are told apart by their power of two.</summary>
    private readonly Mean[] _sizes = new Mean[24];

    private long _passes;

    /// <summary>Notes a pass.</summary>
    /// <param name="tokens">Its tokens, at least 1.</param>
    /// <param name="seconds">How long it took.</param>
    public void Add(int tokens, double seconds)
    {
        ref Mean mean = ref _sizes[Math.Min(System.Numerics.BitOperations.Log2((uint)tokens), _sizes.Length - 1)];
        _passes++;
        if (mean.Count > 0 && mean.Last < _passes - Memory)
        {
            mean = default;
        }

        // The first passes are slow, because their code is not compiled for good yet; and now and then one is held up by something else. Neither shall count for long.
        double weight = Math.Max(1.0 / ++mean.Count, 1.0 / 16);
        double counted = mean.Count == 1 ? seconds : Math.Min(seconds, 3 * mean.Seconds);
        mean.Tokens += weight * (tokens - mean.Tokens);
        mean.Seconds += weight * (counted - mean.Seconds);
        mean.Last = _passes;
    }

    /// <summary>Most tokens that the coming pass ought to have, at least 1; at most twice as many as were tried where all that were tried were short enough.</summary>
    public int Room()
    {
        if (slowdown == 0 || _passes == 0)
        {
            return int.MaxValue;
        }

        // However large, no pass is shorter than one of a single token.
        double shortest = double.PositiveInfinity;
        for (int i = 0; i < _sizes.Length; i++)
        {
            if (IsKnown(i))
            {
                shortest = Math.Min(shortest, _sizes[i].Seconds);
            }
        }

        double limit = slowdown * shortest;
        (double tokens, double seconds) = (1, shortest);
        for (int i = 0; i < _sizes.Length; i++)
        {
            if (!IsKnown(i))
            {
                continue;
            }

            Mean size = _sizes[i];
            if (size.Seconds > limit)
            {
                return (int)Math.Max(1, tokens + ((size.Tokens - tokens) * (limit - seconds) / (size.Seconds - seconds)));
            }

            (tokens, seconds) = (size.Tokens, Math.Max(seconds, size.Seconds));
        }

        return (int)Math.Min(2 * tokens, int.MaxValue);
    }

    private bool IsKnown(int i) => _sizes[i].Count > 0 && (i == 0 || _sizes[i].Last >= _passes - Memory);

    private struct Mean
    {
        public int Count;
        public double Tokens;
        public double Seconds;
        public long Last;
    }
}
