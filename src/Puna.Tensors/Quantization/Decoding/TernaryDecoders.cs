namespace Puna.Tensors.Quantization.Decoding;

/// <summary>TQ2_0: q[64], d; 2-bit digits in planes as Q2_K; d·(n−1).</summary>
internal readonly struct Tq2_0Decoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 66;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block[64..]);
        for (int v = 0; v < 256; v++)
        {
            int n = (block[(32 * (v / 128)) + (v % 32)] >> (2 * (v % 128 / 32))) & 3;
            values[v] = d * (n - 1);
        }
    }
}

/// <summary>TQ1_0: q[48], h[4], d; five base-3 digits per byte (four in h), stored as a fixed-point fraction; d·(digit−1).</summary>
internal readonly struct Tq1_0Decoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 54;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block[52..]);
        Digits(block[..32], 5, d, values[..160]);
        Digits(block.Slice(32, 16), 5, d, values.Slice(160, 80));
        Digits(block.Slice(48, 4), 4, d, values.Slice(240, 16));
    }

    private static void Digits(ReadOnlySpan<byte> bytes, int digits, float d, Span<float> values)
    {
        int power = 1;
        for (int k = 0; k < digits; k++, power *= 3)
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                int digit = (((bytes[i] * power) & 255) * 3) >> 8;
                values[(k * bytes.Length) + i] = d * (digit - 1);
            }
        }
    }
}
