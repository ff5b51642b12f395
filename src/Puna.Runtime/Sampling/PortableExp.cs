using System.Runtime.Intrinsics;

namespace Puna.Runtime.Sampling;

/// <summary>
/// Softmax weights in float64, four at a time. The exponential is our own and uses plain multiplications and additions in a fixed order, so
/// that the same logits and seed draw the same token on every processor and operating system (the C library's exp differs between them).
/// </summary>
internal static class PortableExp
{
    /// <summary>Differences below this have weight zero: e^-708 is the smallest normal power, and no draw can tell it from nothing.</summary>
    public const double Smallest = -708;

    private const double Log2E = 1.4426950408889634;
    private const double Ln2High = 0.693147180369123816490; // the upper 33 bits of ln 2, so that n * Ln2High is exact
    private const double Ln2Low = 1.90821492927058770002e-10;
    private const double RoundToInteger = 6755399441055744.0; // 1.5 * 2^52: adding it leaves the rounded integer in the lowest bits
    private const int Lanes = 8;

    /// <summary>Writes e^((logit - max) / temperature) for each logit and returns the sum.</summary>
    /// <param name="logits">Logits, at most <paramref name="max"/>; -infinity has weight zero.</param>
    /// <param name="max">The largest logit; its weight is exactly 1.</param>
    /// <param name="temperature">Above zero.</param>
    /// <param name="weights">As many as logits.</param>
    public static double Weights(ReadOnlySpan<float> logits, double max, double temperature, Span<double> weights)
    {
        Vector256<double> sum = Vector256<double>.Zero;
        Vector256<double> maxes = Vector256.Create(max), temperatures = Vector256.Create(temperature);
        int i = 0;
        for (; i <= logits.Length - Lanes; i += Lanes)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Create(logits.Slice(i, Lanes)));
            low = Exp((low - maxes) / temperatures);
            high = Exp((high - maxes) / temperatures);
            low.CopyTo(weights.Slice(i, Lanes / 2));
            high.CopyTo(weights.Slice(i + (Lanes / 2), Lanes / 2));
            sum += low;
            sum += high;
        }

        double total = Total(sum);
        for (; i < logits.Length; i++)
        {
            weights[i] = Exp(Vector256.Create((logits[i] - max) / temperature)).ToScalar();
            total += weights[i];
        }

        return total;
    }

    /// <summary>The sum of e^(logit - max) over all logits.</summary>
    public static double Sum(ReadOnlySpan<float> logits, double max)
    {
        Vector256<double> sum = Vector256<double>.Zero;
        Vector256<double> maxes = Vector256.Create(max);
        int i = 0;
        for (; i <= logits.Length - Lanes; i += Lanes)
        {
            (Vector256<double> low, Vector256<double> high) = Vector256.Widen(Vector256.Create(logits.Slice(i, Lanes)));
            sum += Exp(low - maxes);
            sum += Exp(high - maxes);
        }

        double total = Total(sum);
        for (; i < logits.Length; i++)
            total += Exp(Vector256.Create(logits[i] - max)).ToScalar();
        return total;
    }

    // x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor series to r^13, whose rest is below 2^-57; then times 2^n.
    private static Vector256<double> Exp(Vector256<double> x)
    {
        Vector256<double> shifted = (x * Vector256.Create(Log2E)) + Vector256.Create(RoundToInteger);
        Vector256<double> n = shifted - Vector256.Create(RoundToInteger);
        Vector256<double> r = (x - (n * Vector256.Create(Ln2High))) - (n * Vector256.Create(Ln2Low));
        Vector256<double> p = Vector256.Create(1.0 / 6227020800.0);
        p = (p * r) + Vector256.Create(1.0 / 479001600.0);
        p = (p * r) + Vector256.Create(1.0 / 39916800.0);
        p = (p * r) + Vector256.Create(1.0 / 3628800.0);
        p = (p * r) + Vector256.Create(1.0 / 362880.0);
        p = (p * r) + Vector256.Create(1.0 / 40320.0);
        p = (p * r) + Vector256.Create(1.0 / 5040.0);
        p = (p * r) + Vector256.Create(1.0 / 720.0);
        p = (p * r) + Vector256.Create(1.0 / 120.0);
        p = (p * r) + Vector256.Create(1.0 / 24.0);
        p = (p * r) + Vector256.Create(1.0 / 6.0);
        p = (p * r) + Vector256.Create(0.5);
        p = (p * r) + Vector256<double>.One;
        p = (p * r) + Vector256<double>.One;
        Vector256<double> power = Vector256.ShiftLeft(shifted.AsInt64() + Vector256.Create(1023L), 52).AsDouble();
        // What is out of range, -infinity included, has made nonsense of p and power: it is zero.
        return Vector256.ConditionalSelect(Vector256.GreaterThanOrEqual(x, Vector256.Create(Smallest)), p * power, Vector256<double>.Zero);
    }

    private static double Total(Vector256<double> sum) => sum.GetElement(0) + sum.GetElement(1) + (sum.GetElement(2) + sum.GetElement(3));
}
