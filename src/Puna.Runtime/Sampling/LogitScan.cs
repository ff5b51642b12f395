using System.Runtime.Intrinsics;
using Puna.Tensors;

namespace Puna.Runtime.Sampling;

/// <summary>Looks over a row of logits once: the maximum, and whether it is fit to sample from.</summary>
internal static class LogitScan
{
    /// <summary>The largest logit. -infinity is a banned token; NaN, +infinity and rows where everything is banned are errors.</summary>
    /// <param name="logits">[vocab] float32.</param>
    /// <param name="position">Position of the token to be drawn, for the message; negative where it is not known.</param>
    /// <exception cref="PunaException">The row cannot be sampled from.</exception>
    public static float Max(ReadOnlySpan<float> logits, int position)
    {
        int width = Vector256<float>.Count;
        Vector256<float> best = Vector256.Create(float.NegativeInfinity);
        Vector256<float> odd = Vector256<float>.Zero;
        int i = 0;
        for (; i <= logits.Length - width; i += width)
        {
            Vector256<float> row = Vector256.Create(logits.Slice(i, width));
            best = Vector256.ConditionalSelect(Vector256.GreaterThan(row, best), row, best);
            odd |= ~Vector256.Equals(row, row);
        }

        float max = float.NegativeInfinity;
        for (int lane = 0; lane < width; lane++)
            max = best.GetElement(lane) > max ? best.GetElement(lane) : max;
        bool bad = Vector256.ExtractMostSignificantBits(odd) != 0;
        for (; i < logits.Length; i++)
        {
            bad |= float.IsNaN(logits[i]);
            max = logits[i] > max ? logits[i] : max;
        }

        if (bad || float.IsPositiveInfinity(max))
            throw Unfit(logits, position);
        if (float.IsNegativeInfinity(max))
            throw new PunaException($"logits: expected a token that may follow, got -Infinity for all {logits.Length}{Where(position)}");
        return max;
    }

    /// <summary>The first index of the maximum.</summary>
    public static int IndexOf(ReadOnlySpan<float> logits, float max)
    {
        int width = Vector256<float>.Count;
        Vector256<float> wanted = Vector256.Create(max);
        int i = 0;
        while (i <= logits.Length - width && !Vector256.EqualsAny(Vector256.Create(logits.Slice(i, width)), wanted))
            i += width;
        while (logits[i] != max)
            i++;
        return i;
    }

    private static PunaException Unfit(ReadOnlySpan<float> logits, int position)
    {
        int token = 0;
        while (!float.IsNaN(logits[token]) && !float.IsPositiveInfinity(logits[token]))
            token++;
        string got = float.IsNaN(logits[token]) ? "NaN" : "Infinity"; // not as the culture writes them
        return new PunaException($"logits: expected finite numbers or -Infinity, got {got} for token {token}{Where(position)}");
    }

    private static string Where(int position) => position < 0 ? "" : $" (position {position})";
}
