using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Puna.Tensors.Quantization;

/// <summary>
/// Conversions between float32 and the 16-bit float formats by bit arithmetic, so that scalar and vector code give the same bits on every processor,
/// payloads of NaN included.
/// </summary>
internal static class FloatBits
{
    /// <summary>The value of an IEEE half given as bits; exact. A NaN keeps its sign and payload.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float FromHalf(uint half)
    {
        uint sign = (half & 0x8000) << 16;
        uint magnitude = (half & 0x7FFF) << 13;
        if (magnitude >= 0x0F80_0000)
        {
            magnitude |= 0x7F80_0000; // infinity and NaN
        }
        else if (magnitude < 0x0080_0000)
        {
            // Denormal: put the bits below the exponent of 2^-14, then take 2^-14 away again.
            float shifted = BitConverter.UInt32BitsToSingle(magnitude + 0x3880_0000) - BitConverter.UInt32BitsToSingle(0x3880_0000);
            magnitude = BitConverter.SingleToUInt32Bits(shifted);
        }
        else
        {
            magnitude += 112u << 23; // exponent bias 15 -> 127
        }

        return BitConverter.UInt32BitsToSingle(sign | magnitude);
    }

    /// <summary>The little-endian half at the start of <paramref name="bytes"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float ReadHalf(ReadOnlySpan<byte> bytes) => FromHalf(BinaryPrimitives.ReadUInt16LittleEndian(bytes));

    /// <summary>The value of a bfloat16 given as bits: the upper half of a float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float FromBFloat16(uint bits) => BitConverter.UInt32BitsToSingle(bits << 16);

    /// <summary>The nearest IEEE half, ties to even; beyond 65504 infinity, as IEEE 754 has it. A NaN keeps its sign and becomes quiet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort ToHalf(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        uint sign = (bits >> 16) & 0x8000;
        uint magnitude = bits & 0x7FFF_FFFF;
        if (magnitude >= 0x4780_0000)
        {
            return (ushort)(sign | (magnitude > 0x7F80_0000 ? 0x7E00u : 0x7C00u)); // 2^16 or more, infinity, NaN
        }

        if (magnitude < 0x3880_0000)
        {
            // Below 2^-14: adding 0.5 leaves multiples of 2^-24 in the last bits, rounded by the addition itself.
            return (ushort)(sign | (BitConverter.SingleToUInt32Bits(BitConverter.UInt32BitsToSingle(magnitude) + 0.5f) - 0x3F00_0000));
        }

        // A carry out of the fraction raises the exponent, to infinity at last.
        return (ushort)(sign | ((magnitude - (112u << 23) + 0xFFF + ((magnitude >> 13) & 1)) >> 13));
    }

    /// <summary>The nearest bfloat16, ties to even. A NaN keeps its sign and becomes quiet: without its low payload bits alone it could be infinity.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort ToBFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return float.IsNaN(value) ? (ushort)((bits >> 16) | 0x40) : (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
