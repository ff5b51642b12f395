using System.Numerics;

namespace Puna.Runtime.Sampling;

/// <summary>
/// Tokens ranked by logit, best first, equal logits by lower id, without sorting the whole vocabulary. A token and its logit are one 64-bit
/// key whose ascending order is that ranking, so that all keys differ.
/// </summary>
internal static class RankedTokens
{
    private const int SortOutright = 24;

    /// <summary>The ranking key of a token.</summary>
    public static ulong Key(float logit, int token)
    {
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f); // -0 and +0 are equal logits: the sum is +0 for both
        uint ascending = bits ^ ((uint)((int)bits >> 31) | 0x80000000u);
        return (ulong)~ascending << 32 | (uint)token;
    }

    /// <summary>The token of a key.</summary>
    public static int Token(ulong key) => (int)(uint)key;

    /// <summary>
    /// Moves the best tokens to the front: those for which the mass of all better ones is at most <paramref name="limit"/>. The best one is always
    /// among them. Expected linear time.
    /// </summary>
    /// <param name="keys">Distinct keys; rearranged together with their masses.</param>
    /// <param name="mass">Mass of each key, none negative.</param>
    /// <param name="limit">Not negative.</param>
    /// <returns>How many are in front; their order is unspecified.</returns>
    public static int SelectPrefix(Span<ulong> keys, Span<double> mass, double limit)
    {
        int start = 0, end = keys.Length;
        double before = 0;
        // Quickselect by mass. Should the pivots be unlucky, what is left after these rounds is sorted.
        int rounds = 2 * (1 + BitOperations.Log2((uint)keys.Length));
        while (end - start > SortOutright && rounds-- > 0)
        {
            ulong pivot = Median(keys[start], keys[start + ((end - start) / 2)], keys[end - 1]);
            int middle = Partition(keys[start..end], mass[start..end], pivot, out double better) + start;
            if (before + better > limit)
            {
                end = middle;
            }
            else
            {
                before += better;
                start = middle;
            }
        }

        keys[start..end].Sort(mass[start..end]);
        int kept = start;
        while (kept < end && before <= limit)
            before += mass[kept++];
        return kept;
    }

    /// <summary>Moves the <paramref name="count"/> best tokens of a row to the front of <paramref name="keys"/>, banned ones (-infinity) left out.</summary>
    /// <param name="logits">[vocab] float32.</param>
    /// <param name="count">At least 1.</param>
    /// <param name="keys">Room for the whole row.</param>
    /// <param name="mass">Room for the whole row, overwritten.</param>
    /// <returns>How many there are, at most <paramref name="count"/>; their order is unspecified.</returns>
    public static int SelectTop(ReadOnlySpan<float> logits, int count, Span<ulong> keys, Span<double> mass)
    {
        // A buffer of several times the count is thinned out whenever it is full; what is worse than the worst left cannot return.
        int room = (int)Math.Min(logits.Length, Math.Max(4L * count, 1024));
        int used = 0;
        float worst = float.NegativeInfinity;
        for (int token = 0; token < logits.Length; token++)
        {
            // Equal to the worst is no entry: tokens come in ascending order, and of equal logits the lower id is better.
            if (logits[token] > worst)
            {
                keys[used++] = Key(logits[token], token);
                if (used == room && used > count)
                    used = Thin(logits, keys[..used], mass, count, out worst);
            }
        }

        return used > count ? Thin(logits, keys[..used], mass, count, out _) : used;
    }

    private static int Thin(ReadOnlySpan<float> logits, Span<ulong> keys, Span<double> mass, int count, out float worst)
    {
        mass[..keys.Length].Fill(1);
        int kept = SelectPrefix(keys, mass[..keys.Length], count - 1);
        ulong last = 0;
        foreach (ulong key in keys[..kept])
            last = Math.Max(last, key);
        worst = logits[Token(last)];
        return kept;
    }

    // Keys up to the pivot come first; there is one at least, and one at least behind them, since the pivot is a median of three different keys.
    private static int Partition(Span<ulong> keys, Span<double> mass, ulong pivot, out double better)
    {
        int left = 0, right = keys.Length - 1;
        better = 0;
        while (true)
        {
            while (keys[left] <= pivot)
                better += mass[left++];
            while (keys[right] > pivot)
                right--;
            if (left > right)
                return left;
            (keys[left], keys[right]) = (keys[right], keys[left]);
            (mass[left], mass[right]) = (mass[right], mass[left]);
        }
    }

    private static ulong Median(ulong a, ulong b, ulong c) => Math.Max(Math.Min(a, b), Math.Min(Math.Max(a, b), c));
}
