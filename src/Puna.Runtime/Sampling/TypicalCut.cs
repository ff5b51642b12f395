namespace Puna.Runtime.Sampling;

/// <summary>Locally typical sampling: of the tokens that are left, those whose surprise is nearest to the expected one stay.</summary>
internal static class TypicalCut
{
    /// <summary>Cuts in place.</summary>
    /// <param name="scratch">Tokens (ascending), logits and weights of what is left; the same afterwards.</param>
    /// <param name="count">How many are left.</param>
    /// <param name="total">Sum of the weights.</param>
    /// <param name="mass">Probability that the tokens kept reach together.</param>
    /// <returns>How many stay.</returns>
    public static int Keep(SamplerScratch scratch, int count, double total, double mass)
    {
        ReadOnlySpan<double> weights = scratch.Weights.AsSpan(0, count);
        double entropy = 0;
        foreach (double weight in weights)
        {
            double p = weight / total;
            entropy -= p > 0 ? p * Math.Log(p) : 0;
        }

        // Distances are not negative, so their bits ascend as they do; the lower half makes room for the token's place, so that equal distances keep its order.
        Span<ulong> keys = scratch.Keys.AsSpan(0, count);
        Span<double> shares = scratch.Mass.AsSpan(0, count);
        int ranked = 0;
        for (int i = 0; i < count; i++)
        {
            if (weights[i] > 0)
            {
                float distance = (float)Math.Abs(-Math.Log(weights[i] / total) - entropy);
                keys[ranked] = (ulong)BitConverter.SingleToUInt32Bits(distance) << 32 | (uint)i;
                shares[ranked++] = weights[i];
            }
        }

        int kept = RankedTokens.SelectPrefix(keys[..ranked], shares[..ranked], JustBelow(mass * total));
        Span<int> places = scratch.Counts.AsSpan(0, kept);
        for (int i = 0; i < kept; i++)
        {
            places[i] = (int)(uint)keys[i];
        }

        places.Sort();
        for (int i = 0; i < kept; i++)
        {
            int from = places[i];
            scratch.Tokens[i] = scratch.Tokens[from];
            scratch.Logits[i] = scratch.Logits[from];
            scratch.Weights[i] = scratch.Weights[from];
        }

        places.Clear();
        return kept;
    }

    // A prefix ends where the sum before it is above the limit; here it ends where the sum has reached it.
    private static double JustBelow(double limit) => Math.BitDecrement(limit);
}
