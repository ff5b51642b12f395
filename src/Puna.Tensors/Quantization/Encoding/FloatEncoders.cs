using System.Buffers.Binary;

namespace Puna.Tensors.Quantization.Encoding;

/// <summary>IEEE half, rounded to nearest even; beyond 65504 infinity, as IEEE 754 has it; NaN stays NaN.</summary>
internal readonly struct F16Encoder : IBlockEncoder
{
    public static int Values => 1;

    public static int Bytes => 2;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        Rounding.WriteHalf(block, values[0]);
        return true;
    }
}

/// <summary>bfloat16, rounded to nearest even; NaN stays NaN.</summary>
internal readonly struct BF16Encoder : IBlockEncoder
{
    public static int Values => 1;

    public static int Bytes => 2;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(block, FloatBits.ToBFloat16(values[0]));
        return true;
    }
}
