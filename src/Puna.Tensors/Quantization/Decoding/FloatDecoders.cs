using System.Buffers.Binary;

namespace Puna.Tensors.Quantization.Decoding;

/// <summary>IEEE half.</summary>
internal readonly struct F16Decoder : IBlockDecoder
{
    public static int Values => 1;

    public static int Bytes => 2;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values) => values[0] = FloatBits.ReadHalf(block);
}

/// <summary>bfloat16.</summary>
internal readonly struct BF16Decoder : IBlockDecoder
{
    public static int Values => 1;

    public static int Bytes => 2;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values) =>
        values[0] = FloatBits.FromBFloat16(BinaryPrimitives.ReadUInt16LittleEndian(block));
}
