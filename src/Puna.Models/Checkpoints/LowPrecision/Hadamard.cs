using System.Numerics;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>The orthonormal Walsh-Hadamard matrix in natural order, H_ij = (-1)^popcount(i and j) / sqrt(n): symmetric, and its own inverse (spec llama1-3.md 8.4).</summary>
internal static class Hadamard
{
    /// <summary>x becomes H x.</summary>
    /// <param name="x">As many values as a power of two.</param>
    public static void Transform(Span<double> x)
    {
        if (!BitOperations.IsPow2(x.Length))
        {
            throw new ArgumentException($"expected a power of two, got {x.Length}", nameof(x));
        }

        for (int half = 1; half < x.Length; half *= 2)
        {
            for (int i = 0; i < x.Length; i += 2 * half)
            {
                for (int k = i; k < i + half; k++)
                {
                    (x[k], x[k + half]) = (x[k] + x[k + half], x[k] - x[k + half]);
                }
            }
        }

        double scale = 1 / Math.Sqrt(x.Length);
        foreach (ref double value in x)
        {
            value *= scale;
        }
    }
}
