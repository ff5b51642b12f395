using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Puna.Cli.Diagnostics;

/// <summary>
/// Measures how many float32 operations per second the multiply-add units give: what matrix products in floating point cannot exceed. Products of 8-bit
/// integers can, so a share of this peak may be above one.
/// </summary>
internal static class MultiplyAddPeak
{
    /// <summary>Chains that do not depend on each other: more than latency (4 or 5 cycles) times units (2), and few enough for 16 registers.</summary>
    private const int Chains = 12;

    private const int Steps = 1 << 22;

    /// <summary>Width in bits of the vectors that are multiplied here.</summary>
    public static int Bits { get; } = Avx512F.IsSupported ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>The best of several passes of independent multiply-adds in registers on all threads, in operations per second (one multiply-add is two).</summary>
    /// <param name="threads">Threads that compute.</param>
    /// <param name="token">Stops between passes.</param>
    public static double Measure(int threads, CancellationToken token)
    {
        const int Passes = 16;
        double best = 0;
        for (int pass = 0; pass < Passes; pass++)
        {
            token.ThrowIfCancellationRequested();
            var results = new float[threads];
            double seconds = ThreadedPass.Run(threads, me => results[me] = Bits switch
            {
                512 => Chain512(),
                256 => Chain256(),
                _ => Chain128(),
            });
            GC.KeepAlive(results);
            best = Math.Max(best, 2.0 * threads * Chains * Steps * (Bits / 32) / seconds);
        }

        return best;
    }

    // x = x * 0.999 + 0.001 tends to 1: no denormal and no infinity, which may be slower, ever comes up.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Chain512()
    {
        Vector512<float> m = Vector512.Create(0.999f), c = Vector512.Create(0.001f);
        Vector512<float> x0 = m, x1 = m, x2 = m, x3 = m, x4 = m, x5 = m, x6 = m, x7 = m, x8 = m, x9 = m, x10 = m, x11 = m;
        for (int i = 0; i < Steps; i++)
        {
            x0 = Avx512F.FusedMultiplyAdd(x0, m, c);
            x1 = Avx512F.FusedMultiplyAdd(x1, m, c);
            x2 = Avx512F.FusedMultiplyAdd(x2, m, c);
            x3 = Avx512F.FusedMultiplyAdd(x3, m, c);
            x4 = Avx512F.FusedMultiplyAdd(x4, m, c);
            x5 = Avx512F.FusedMultiplyAdd(x5, m, c);
            x6 = Avx512F.FusedMultiplyAdd(x6, m, c);
            x7 = Avx512F.FusedMultiplyAdd(x7, m, c);
            x8 = Avx512F.FusedMultiplyAdd(x8, m, c);
            x9 = Avx512F.FusedMultiplyAdd(x9, m, c);
            x10 = Avx512F.FusedMultiplyAdd(x10, m, c);
            x11 = Avx512F.FusedMultiplyAdd(x11, m, c);
        }

        return Vector512.Sum(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Chain256()
    {
        Vector256<float> m = Vector256.Create(0.999f), c = Vector256.Create(0.001f);
        Vector256<float> x0 = m, x1 = m, x2 = m, x3 = m, x4 = m, x5 = m, x6 = m, x7 = m, x8 = m, x9 = m, x10 = m, x11 = m;
        for (int i = 0; i < Steps; i++)
        {
            x0 = Vector256.FusedMultiplyAdd(x0, m, c);
            x1 = Vector256.FusedMultiplyAdd(x1, m, c);
            x2 = Vector256.FusedMultiplyAdd(x2, m, c);
            x3 = Vector256.FusedMultiplyAdd(x3, m, c);
            x4 = Vector256.FusedMultiplyAdd(x4, m, c);
            x5 = Vector256.FusedMultiplyAdd(x5, m, c);
            x6 = Vector256.FusedMultiplyAdd(x6, m, c);
            x7 = Vector256.FusedMultiplyAdd(x7, m, c);
            x8 = Vector256.FusedMultiplyAdd(x8, m, c);
            x9 = Vector256.FusedMultiplyAdd(x9, m, c);
            x10 = Vector256.FusedMultiplyAdd(x10, m, c);
            x11 = Vector256.FusedMultiplyAdd(x11, m, c);
        }

        return Vector256.Sum(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Chain128()
    {
        Vector128<float> m = Vector128.Create(0.999f), c = Vector128.Create(0.001f);
        Vector128<float> x0 = m, x1 = m, x2 = m, x3 = m, x4 = m, x5 = m, x6 = m, x7 = m, x8 = m, x9 = m, x10 = m, x11 = m;
        for (int i = 0; i < Steps; i++)
        {
            x0 = Vector128.FusedMultiplyAdd(x0, m, c);
            x1 = Vector128.FusedMultiplyAdd(x1, m, c);
            x2 = Vector128.FusedMultiplyAdd(x2, m, c);
            x3 = Vector128.FusedMultiplyAdd(x3, m, c);
            x4 = Vector128.FusedMultiplyAdd(x4, m, c);
            x5 = Vector128.FusedMultiplyAdd(x5, m, c);
            x6 = Vector128.FusedMultiplyAdd(x6, m, c);
            x7 = Vector128.FusedMultiplyAdd(x7, m, c);
            x8 = Vector128.FusedMultiplyAdd(x8, m, c);
            x9 = Vector128.FusedMultiplyAdd(x9, m, c);
            x10 = Vector128.FusedMultiplyAdd(x10, m, c);
            x11 = Vector128.FusedMultiplyAdd(x11, m, c);
        }

        return Vector128.Sum(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11);
    }
}
