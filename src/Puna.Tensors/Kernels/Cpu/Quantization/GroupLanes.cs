using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Quantization.Encoding;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Eight groups side by side: vector i of a transposed buffer holds value i of each.</summary>
internal static class GroupLanes
{
    /// <summary>Groups in a vector.</summary>
    public const int Width = 8;

    /// <summary>Lays eight groups that follow each other next to each other.</summary>
    public static void Transpose(ReadOnlySpan<float> values, Span<Vector256<float>> lanes)
    {
        Span<float> to = MemoryMarshal.Cast<Vector256<float>, float>(lanes);
        for (int g = 0; g < Width; g++)
        {
            ReadOnlySpan<float> group = values.Slice(g * lanes.Length, lanes.Length);
            for (int i = 0; i < group.Length; i++)
            {
                to[(i * Width) + g] = group[i];
            }
        }
    }

    /// <summary>The way back, for small non-negative integers.</summary>
    public static void Transpose(ReadOnlySpan<Vector256<float>> lanes, Span<byte> values)
    {
        ReadOnlySpan<float> from = MemoryMarshal.Cast<Vector256<float>, float>(lanes);
        for (int g = 0; g < Width; g++)
        {
            Span<byte> group = values.Slice(g * lanes.Length, lanes.Length);
            for (int i = 0; i < group.Length; i++)
            {
                group[i] = (byte)(int)from[(i * Width) + g];
            }
        }
    }

    /// <summary>
    /// <see cref="Rounding.Nearest"/> of every lane, as a float. What becomes of NaN is up to the processor: the lower bound or NaN, and both end as a zero
    /// byte.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> Nearest(Vector256<float> value, Vector256<float> least, Vector256<float> most)
    {
        Vector256<float> roundToInteger = Vector256.Create(12582912f);
        return (Vector256.MinNative(Vector256.MaxNative(value, least), most) + roundToInteger) - roundToInteger;
    }

    /// <summary>Vector <paramref name="i"/>, without a check.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> At(ref readonly Vector256<float> vectors, int i) => Unsafe.Add(ref Unsafe.AsRef(in vectors), i);

    /// <summary><see cref="Extremes.Signed"/> of every lane.</summary>
    public static Vector256<float> Extreme(ReadOnlySpan<Vector256<float>> x)
    {
        Vector256<float> magnitude = Vector256<float>.Zero;
        Vector256<float> signed = Vector256<float>.Zero;
        foreach (Vector256<float> value in x)
        {
            Vector256<float> larger = Vector256.GreaterThan(Vector256.Abs(value), magnitude);
            magnitude = Vector256.ConditionalSelect(larger, Vector256.Abs(value), magnitude);
            signed = Vector256.ConditionalSelect(larger, value, signed);
        }

        return signed;
    }
}
