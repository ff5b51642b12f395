using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Quantization.Encoding;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary><see cref="AffineFit"/> of eight groups, one per lane.</summary>
internal static class AffineLanes
{
    /// <summary>Fits eight groups.</summary>
    /// <param name="fit">The parameters of the search.</param>
    /// <param name="values">Value i of each group in vector i.</param>
    /// <param name="weights">Their weights, likewise.</param>
    /// <param name="integers">Receives the integers as floats, likewise.</param>
    /// <param name="scales">Receives eight scales.</param>
    /// <param name="minima">Receives what is taken away, at least 0.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fit(
        AffineFit fit,
        ReadOnlySpan<Vector256<float>> values,
        ReadOnlySpan<Vector256<float>> weights,
        Span<Vector256<float>> integers,
        Span<float> scales,
        Span<float> minima)
    {
        // References instead of spans keep the bounds checks out of loops that run for every trial; all three have the length of values.
        int count = values.Length;
        ref readonly Vector256<float> x = ref MemoryMarshal.GetReference(values);
        ref readonly Vector256<float> w = ref MemoryMarshal.GetReference(weights);
        ref Vector256<float> n = ref MemoryMarshal.GetReference(integers);
        Vector256<float> zero = Vector256<float>.Zero;
        Vector256<float> levels = Vector256.Create((float)fit.Levels);
        Vector256<float> least = x;
        Vector256<float> most = x;
        Vector256<float> sumW = zero;
        Vector256<float> sumX = zero;
        for (int i = 0; i < count; i++)
        {
            Vector256<float> value = GroupLanes.At(in x, i);
            least = Vector256.ConditionalSelect(Vector256.LessThan(value, least), value, least);
            most = Vector256.ConditionalSelect(Vector256.GreaterThan(value, most), value, most);
            sumW += GroupLanes.At(in w, i);
            sumX += GroupLanes.At(in w, i) * value;
        }

        least = Vector256.ConditionalSelect(Vector256.GreaterThan(least, zero), zero, least);
        Vector256<float> flat = Vector256.Equals(most, least);
        Vector256<float> flatMinimum = -least;

        // The integers of the best line are made again at the end from the step and the minimum that they were first made with.
        Vector256<float> bestInverse = levels / (most - least);
        Vector256<float> bestOrigin = least;
        Vector256<float> scale = Vector256<float>.One / bestInverse;
        for (int i = 0; i < count; i++)
        {
            Unsafe.Add(ref n, i) = GroupLanes.Nearest(bestInverse * (GroupLanes.At(in x, i) - least), zero, levels);
        }

        Vector256<float> bestError = Error(in x, in w, in n, count, scale, least, fit.Absolute);
        for (int t = 0; t < fit.Trials; t++)
        {
            Vector256<float> inverse = Vector256.Create(fit.First + (fit.Step * t) + fit.Levels) / (most - least);
            Vector256<float> sumN = zero;
            Vector256<float> sumNN = zero;
            Vector256<float> sumNX = zero;
            for (int i = 0; i < count; i++)
            {
                Vector256<float> value = GroupLanes.At(in x, i);
                Vector256<float> q = GroupLanes.Nearest(inverse * (value - least), zero, levels);
                Unsafe.Add(ref n, i) = q;
                Vector256<float> wn = GroupLanes.At(in w, i) * q;
                sumN += wn;
                sumNN += wn * q;
                sumNX += wn * value;
            }

            Vector256<float> determinant = (sumW * sumNN) - (sumN * sumN);
            Vector256<float> thisScale = ((sumW * sumNX) - (sumX * sumN)) / determinant;
            Vector256<float> thisLeast = ((sumNN * sumX) - (sumN * sumNX)) / determinant;
            Vector256<float> above = Vector256.GreaterThan(thisLeast, zero);
            thisScale = Vector256.ConditionalSelect(above, sumNX / sumNN, thisScale);
            thisLeast = Vector256.AndNot(thisLeast, above);
            Vector256<float> error = Error(in x, in w, in n, count, thisScale, thisLeast, fit.Absolute);
            Vector256<float> better = Vector256.GreaterThan(determinant, zero) & Vector256.LessThan(error, bestError);
            bestError = Vector256.ConditionalSelect(better, error, bestError);
            bestInverse = Vector256.ConditionalSelect(better, inverse, bestInverse);
            bestOrigin = Vector256.ConditionalSelect(better, least, bestOrigin);
            scale = Vector256.ConditionalSelect(better, thisScale, scale);
            least = Vector256.ConditionalSelect(better, thisLeast, least);
        }

        for (int i = 0; i < count; i++)
        {
            Unsafe.Add(ref n, i) = Vector256.AndNot(GroupLanes.Nearest(bestInverse * (GroupLanes.At(in x, i) - bestOrigin), zero, levels), flat);
        }

        Vector256.AndNot(scale, flat).CopyTo(scales);
        Vector256.ConditionalSelect(flat, flatMinimum, -least).CopyTo(minima);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Error(
        ref readonly Vector256<float> x,
        ref readonly Vector256<float> w,
        ref readonly Vector256<float> n,
        int count,
        Vector256<float> scale,
        Vector256<float> least,
        bool absolute)
    {
        Vector256<float> error = Vector256<float>.Zero;
        if (absolute)
        {
            for (int i = 0; i < count; i++)
            {
                error += GroupLanes.At(in w, i) * Vector256.Abs((scale * GroupLanes.At(in n, i)) + least - GroupLanes.At(in x, i));
            }

            return error;
        }

        for (int i = 0; i < count; i++)
        {
            Vector256<float> difference = (scale * GroupLanes.At(in n, i)) + least - GroupLanes.At(in x, i);
            error += GroupLanes.At(in w, i) * (difference * difference);
        }

        return error;
    }
}
