using System.Buffers.Binary;

namespace Puna.Tensors.Quantization.Decoding;

/// <summary>IQ3_XXS: d, i[64], eight words of four 7-bit signs and a 4-bit scale; d·(½+s)·½.</summary>
internal readonly struct Iq3XxsDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 98;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        for (int g = 0; g < 8; g++)
        {
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(block[(66 + (4 * g))..]);
            float scale = d * (0.5f + (word >> 28)) * 0.5f;
            for (int k = 0; k < 4; k++)
            {
                int signs = Codebooks.Signs(word >> (7 * k));
                int at = (8 * g) + (2 * k);
                Rows(scale, Codebooks.Iq3Xxs, block[2 + at], block[3 + at], signs, values.Slice(4 * at, 8));
            }
        }
    }

    /// <summary>Eight values: two rows of four, with a minus where its sign bit is set.</summary>
    public static void Rows(float scale, sbyte[] grid, int first, int second, int signs, Span<float> values)
    {
        ReadOnlySpan<sbyte> low = grid.AsSpan(4 * first, 4);
        ReadOnlySpan<sbyte> high = grid.AsSpan(4 * second, 4);
        for (int j = 0; j < 4; j++)
        {
            values[j] = scale * ((signs >> j & 1) != 0 ? -low[j] : low[j]);
            values[j + 4] = scale * ((signs >> (j + 4) & 1) != 0 ? -high[j] : high[j]);
        }
    }
}

/// <summary>IQ3_S: d, i[64], h[8] (a ninth index bit each), sign[32], s[4] nibbles per 32 values; d·(1+2s).</summary>
internal readonly struct Iq3SDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 110;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        for (int k = 0; k < 32; k++)
        {
            int s = (block[106 + (k / 8)] >> (4 * (k / 4 & 1))) & 15;
            int high = block[66 + (k / 4)] >> (2 * (k & 3));
            int first = block[2 + (2 * k)] | ((high & 1) << 8);
            int second = block[3 + (2 * k)] | ((high & 2) << 7);
            Iq3XxsDecoder.Rows(d * (1 + (2 * s)), Codebooks.Iq3S, first, second, block[74 + k], values.Slice(8 * k, 8));
        }
    }
}
