namespace Puna.Tensors.Quantization.Decoding;

/// <summary>MXFP4: e, q[16]; 2^(e−128)·F[n], nibbles as in Q4_0; F is twice the E2M1 value, so the scale is half of 2^(e−127).</summary>
internal readonly struct MxFp4Decoder : IBlockDecoder
{
    public static int Values => 32;

    public static int Bytes => 17;

    /// <summary>Twice the E2M1 values; the ninth is plain zero, never minus zero.</summary>
    public static ReadOnlySpan<sbyte> Levels => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        uint e = block[0];

        // 2^(e-128): the two smallest are float32 denormals, 2^-128 and 2^-127.
        float scale = BitConverter.UInt32BitsToSingle(e < 2 ? 0x0020_0000u << (int)e : (e - 1) << 23);
        for (int j = 0; j < 16; j++)
        {
            int q = block[1 + j];
            values[j] = scale * Levels[q & 15];
            values[j + 16] = scale * Levels[q >> 4];
        }
    }
}

/// <summary>NVFP4: s[4] in E4M3, q[32]: four groups of 16, low nibbles first in each; (E4M3(s)/2)·F[n].</summary>
internal readonly struct NvFp4Decoder : IBlockDecoder
{
    public static int Values => 64;

    public static int Bytes => 36;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        for (int g = 0; g < 4; g++)
        {
            // The sign bit of the scale is ignored and there is no NaN: 0x7F is 480. Half of m/8·2^-6 is m·2^-10, half of (1+m/8)·2^(e-7) is (8+m)·2^(e-11).
            int e = (block[g] >> 3) & 15;
            int m = block[g] & 7;
            float scale = e == 0 ? m * (1f / 1024) : (8 + m) * BitConverter.Int32BitsToSingle((e - 11 + 127) << 23);
            for (int j = 0; j < 8; j++)
            {
                int q = block[4 + (8 * g) + j];
                values[(16 * g) + j] = scale * MxFp4Decoder.Levels[q & 15];
                values[(16 * g) + j + 8] = scale * MxFp4Decoder.Levels[q >> 4];
            }
        }
    }
}
