using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Puna.Tensors.Quantization.Encoding;

/// <summary>Rounding steps of the encoders.</summary>
internal static class Rounding
{
    private const float RoundToInteger = 12582912f; // 1.5 * 2^23: adding it leaves no bits behind the point, ties go to even

    /// <summary>The integer nearest to <paramref name="value"/>, ties to even, kept between the bounds; any input, NaN gives the lower bound.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Nearest(float value, int least, int most)
    {
        // Bounding first gives the same result, and nothing overflows. Comparisons in this order send NaN to the lower bound.
        value = value > least ? value : least;
        value = value < most ? value : most;
        return (int)((value + RoundToInteger) - RoundToInteger);
    }

    /// <summary>The integer nearest to a value of at most 2^22, ties away from zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int NearestAwayFromZero(float value)
    {
        const float BelowHalf = 0.49999997f; // the largest float below a half: adding a half itself would round 0.49999997 up
        return (int)(value + MathF.CopySign(BelowHalf, value));
    }

    /// <summary>1/<paramref name="value"/>, and 0 where there is no finite one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Inverse(float value)
    {
        float inverse = 1f / value;
        return float.IsFinite(inverse) ? inverse : 0f;
    }

    /// <summary>Writes a half, rounded to nearest even.</summary>
    /// <returns>Whether it is finite.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool WriteHalf(Span<byte> to, float value)
    {
        ushort half = BitConverter.HalfToUInt16Bits((Half)value);
        BinaryPrimitives.WriteUInt16LittleEndian(to, half);
        return (half & 0x7C00) != 0x7C00;
    }
}
