using System.Buffers.Binary;

namespace Puna.Tensors.Quantization.Decoding;

/// <summary>IQ2_XXS: d, then per 32 values four grid rows and a word of four 7-bit signs and a 4-bit scale; d·(½+s)·¼.</summary>
internal readonly struct Iq2XxsDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 66;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<byte> group = block.Slice(2 + (8 * g), 8);
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(group[4..]);
            float scale = d * (0.5f + (word >> 28)) * 0.25f;
            for (int k = 0; k < 4; k++)
            {
                Row(scale, Codebooks.Iq2Xxs, group[k], Codebooks.Signs(word >> (7 * k)), values.Slice((32 * g) + (8 * k), 8));
            }
        }
    }

    /// <summary>Eight values: a row of the grid, with a minus where its sign bit is set.</summary>
    public static void Row(float scale, sbyte[] grid, int row, int signs, Span<float> values)
    {
        ReadOnlySpan<sbyte> levels = grid.AsSpan(8 * row, 8);
        for (int j = 0; j < 8; j++)
        {
            values[j] = scale * ((signs >> j & 1) != 0 ? -levels[j] : levels[j]);
        }
    }
}

/// <summary>IQ2_XS: d, 32 words of a 9-bit row and 7 signs, s[8] nibbles per 16 values; d·(½+s)·¼.</summary>
internal readonly struct Iq2XsDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 74;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        for (int k = 0; k < 32; k++)
        {
            uint word = BinaryPrimitives.ReadUInt16LittleEndian(block[(2 + (2 * k))..]);
            int s = (block[66 + (k / 4)] >> (4 * (k / 2 & 1))) & 15;
            float scale = d * (0.5f + s) * 0.25f;
            Iq2XxsDecoder.Row(scale, Codebooks.Iq2Xs, (int)(word & 511), Codebooks.Signs(word >> 9), values.Slice(8 * k, 8));
        }
    }
}

/// <summary>IQ2_S: d, i[32], sign[32], h[8] (two high index bits each), s[8] nibbles per 16 values; d·(½+s)·¼.</summary>
internal readonly struct Iq2SDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 82;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        for (int k = 0; k < 32; k++)
        {
            int row = block[2 + k] | (((block[66 + (k / 4)] >> (2 * (k & 3))) & 3) << 8);
            int s = (block[74 + (k / 4)] >> (4 * (k / 2 & 1))) & 15;
            float scale = d * (0.5f + s) * 0.25f;
            Iq2XxsDecoder.Row(scale, Codebooks.Iq2S, row, block[34 + k], values.Slice(8 * k, 8));
        }
    }
}
