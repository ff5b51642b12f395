using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Quantization.Encoding;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary><see cref="SymmetricFit"/> of eight groups, one per lane.</summary>
internal static class SymmetricLanes
{
    /// <summary><see cref="SymmetricFit.Search"/>; integers as floats, value i of each group in vector i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vector256<float> Search(ReadOnlySpan<Vector256<float>> values, int half, Span<Vector256<float>> integers)
    {
        int count = values.Length;
        ref readonly Vector256<float> x = ref MemoryMarshal.GetReference(values);
        Vector256<float> zero = Vector256<float>.Zero;
        Vector256<float> low = Vector256.Create((float)-half);
        Vector256<float> high = Vector256.Create((float)(half - 1));
        Vector256<float> extreme = GroupLanes.Extreme(values);
        Vector256<float> negligible = Vector256.LessThan(Vector256.Abs(extreme), Vector256.Create(SymmetricFit.Negligible));
        Vector256<float> bestInverse = low / extreme;
        Products(in x, count, bestInverse, low, high, out Vector256<float> xn, out Vector256<float> nn);
        Vector256<float> scale = Vector256.AndNot(xn / nn, Vector256.Equals(nn, zero));
        Vector256<float> best = scale * xn;
        for (int t = -9; t <= 9; t++)
        {
            if (t == 0)
            {
                continue;
            }

            Vector256<float> inverse = Vector256.Create(-(half + (0.1f * t))) / extreme;
            Products(in x, count, inverse, low, high, out xn, out nn);
            Vector256<float> better = Vector256.GreaterThan(nn, zero) & Vector256.GreaterThan(xn * xn, best * nn);
            scale = Vector256.ConditionalSelect(better, xn / nn, scale);
            best = Vector256.ConditionalSelect(better, scale * xn, best);
            bestInverse = Vector256.ConditionalSelect(better, inverse, bestInverse);
        }

        for (int i = 0; i < integers.Length; i++)
        {
            integers[i] = Vector256.AndNot(GroupLanes.Nearest(bestInverse * values[i], low, high) - low, negligible);
        }

        return Vector256.AndNot(scale, negligible);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Products(
        ref readonly Vector256<float> x,
        int count,
        Vector256<float> inverse,
        Vector256<float> low,
        Vector256<float> high,
        out Vector256<float> xn,
        out Vector256<float> nn)
    {
        Vector256<float> sumXN = Vector256<float>.Zero;
        Vector256<float> sumNN = Vector256<float>.Zero;
        for (int i = 0; i < count; i++)
        {
            Vector256<float> value = GroupLanes.At(in x, i);
            Vector256<float> q = GroupLanes.Nearest(inverse * value, low, high);
            Vector256<float> w = value * value;
            sumXN += w * value * q;
            sumNN += w * q * q;
        }

        xn = sumXN;
        nn = sumNN;
    }

    /// <summary><see cref="SymmetricFit.Descend"/>; integers as floats, value i of each group in vector i.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static Vector256<float> Descend(ReadOnlySpan<Vector256<float>> values, int half, Span<Vector256<float>> n)
    {
        Vector256<float> zero = Vector256<float>.Zero;
        Vector256<float> low = Vector256.Create((float)-half);
        Vector256<float> high = Vector256.Create((float)(half - 1));
        Vector256<float> extreme = GroupLanes.Extreme(values);
        Vector256<float> negligible = Vector256.LessThan(Vector256.Abs(extreme), Vector256.Create(SymmetricFit.Negligible));
        Vector256<float> inverse = low / extreme;
        Vector256<float> xn = zero;
        Vector256<float> nn = zero;
        for (int i = 0; i < n.Length; i++)
        {
            Vector256<float> x = values[i];
            Vector256<float> q = GroupLanes.Nearest(inverse * x, low, high);
            n[i] = q;
            Vector256<float> w = x * x;
            xn += w * x * q;
            nn += w * q * q;
        }

        // A lane in which nothing moved stays as it is in the rounds that other lanes still need.
        Vector256<float> moved = Vector256<float>.AllBitsSet;
        for (int round = 0; round < 5 && moved != zero; round++)
        {
            moved = zero;
            for (int i = 0; i < n.Length; i++)
            {
                Vector256<float> x = values[i];
                Vector256<float> old = n[i];
                Vector256<float> w = x * x;
                Vector256<float> othersXn = xn - (w * x * old);
                Vector256<float> othersNn = nn - (w * old * old);
                Vector256<float> q = GroupLanes.Nearest(x * othersNn / othersXn, low, high);
                Vector256<float> newXn = othersXn + (w * x * q);
                Vector256<float> newNn = othersNn + (w * q * q);
                Vector256<float> better = Vector256.GreaterThan(othersXn, zero) & ~Vector256.Equals(q, old)
                    & Vector256.GreaterThan(newNn, zero) & Vector256.GreaterThan(newXn * newXn * nn, xn * xn * newNn);
                n[i] = Vector256.ConditionalSelect(better, q, old);
                xn = Vector256.ConditionalSelect(better, newXn, xn);
                nn = Vector256.ConditionalSelect(better, newNn, nn);
                moved |= better;
            }
        }

        for (int i = 0; i < n.Length; i++)
        {
            n[i] = Vector256.AndNot(n[i] - low, negligible);
        }

        return Vector256.AndNot(Vector256.ConditionalSelect(Vector256.GreaterThan(nn, zero), xn / nn, zero), negligible);
    }
}
