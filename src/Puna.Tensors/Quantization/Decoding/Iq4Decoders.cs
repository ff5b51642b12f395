using System.Buffers.Binary;

namespace Puna.Tensors.Quantization.Decoding;

/// <summary>IQ4_NL: d, q[16]; d·T[n], nibbles as in Q4_0.</summary>
internal readonly struct Iq4NlDecoder : IBlockDecoder
{
    public static int Values => 32;

    public static int Bytes => 18;

    /// <summary>The sixteen levels of the IQ4 types.</summary>
    public static ReadOnlySpan<sbyte> Levels => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values) => Group(FloatBits.ReadHalf(block), block.Slice(2, 16), values);

    /// <summary>Sixteen bytes of nibbles to 32 values.</summary>
    public static void Group(float scale, ReadOnlySpan<byte> q, Span<float> values)
    {
        for (int j = 0; j < 16; j++)
        {
            values[j] = scale * Levels[q[j] & 15];
            values[j + 16] = scale * Levels[q[j] >> 4];
        }
    }
}

/// <summary>IQ4_XS: d, h, l[4], q[128]: eight groups of 32, each with a 6-bit scale; (d·(scale−32))·T[n].</summary>
internal readonly struct Iq4XsDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 136;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        int high = BinaryPrimitives.ReadUInt16LittleEndian(block[2..]);
        for (int g = 0; g < 8; g++)
        {
            int low = (block[4 + (g / 2)] >> (4 * (g & 1))) & 15;
            int scale = low | (((high >> (2 * g)) & 3) << 4);
            Iq4NlDecoder.Group(d * (scale - 32), block.Slice(8 + (16 * g), 16), values.Slice(32 * g, 32));
        }
    }
}
