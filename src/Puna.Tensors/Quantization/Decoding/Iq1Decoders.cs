using System.Buffers.Binary;

namespace Puna.Tensors.Quantization.Decoding;

/// <summary>IQ1_S: d, i[32], eight words of four 3-bit high indices, a 3-bit scale and the sign of δ; (d·(2s+1))·(grid+δ), δ = ±⅛.</summary>
internal readonly struct Iq1SDecoder : IBlockDecoder
{
    public const float Delta = 0.125f;

    public static int Values => 256;

    public static int Bytes => 50;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        for (int g = 0; g < 8; g++)
        {
            int word = BinaryPrimitives.ReadUInt16LittleEndian(block[(34 + (2 * g))..]);
            float scale = d * ((2 * ((word >> 12) & 7)) + 1);
            float delta = (word & 0x8000) != 0 ? -Delta : Delta;
            for (int k = 0; k < 4; k++)
            {
                int row = block[2 + (4 * g) + k] | (((word >> (3 * k)) & 7) << 8);
                Row(scale, row, delta, values.Slice((32 * g) + (8 * k), 8));
            }
        }
    }

    /// <summary>Eight values: a row of the grid, moved by <paramref name="delta"/>.</summary>
    public static void Row(float scale, int row, float delta, Span<float> values)
    {
        ReadOnlySpan<sbyte> levels = Codebooks.Iq1.AsSpan(8 * row, 8);
        for (int j = 0; j < 8; j++)
        {
            values[j] = scale * (levels[j] + delta);
        }
    }
}

/// <summary>
/// IQ1_M: i[32], h[16] (per eight values a nibble: 3 high index bits and the sign of δ), s of four words: each four 3-bit scales of 16 values, and a
/// quarter of the half d in its top nibble.
/// </summary>
internal readonly struct Iq1MDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 56;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        Span<int> s = stackalloc int[4];
        uint half = 0;
        for (int k = 0; k < 4; k++)
        {
            s[k] = BinaryPrimitives.ReadUInt16LittleEndian(block[(48 + (2 * k))..]);
            half |= (uint)(s[k] >> 12) << (4 * k);
        }

        float d = FloatBits.FromHalf(half);
        for (int k = 0; k < 32; k++)
        {
            int c = (block[32 + (k / 2)] >> (4 * (k & 1))) & 15;
            int row = block[k] | ((c & 7) << 8);
            float delta = (c & 8) != 0 ? -Iq1SDecoder.Delta : Iq1SDecoder.Delta;
            int group = k / 2;
            float scale = d * ((2 * ((s[group / 4] >> (3 * (group & 3))) & 7)) + 1);
            Iq1SDecoder.Row(scale, row, delta, values.Slice(8 * k, 8));
        }
    }
}
