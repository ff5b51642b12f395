using System.Runtime.CompilerServices;

namespace Puna.Tensors.Quantization.Decoding;

/// <summary>Q2_K: s[16] (low nibble scale, high nibble minimum), q[64], d, dmin; (d·sc)·n − dmin·mn per 16 values.</summary>
internal readonly struct Q2KDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 84;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block[80..]);
        float dmin = FloatBits.ReadHalf(block[82..]);
        for (int g = 0; g < 16; g++)
        {
            float scale = d * (block[g] & 15);
            float least = dmin * (block[g] >> 4);
            ReadOnlySpan<byte> q = block.Slice(16 + (32 * (g / 8)) + (16 * (g & 1)), 16);
            int shift = g % 8 / 2 * 2;
            for (int j = 0; j < 16; j++)
            {
                values[(16 * g) + j] = (scale * ((q[j] >> shift) & 3)) - least;
            }
        }
    }
}

/// <summary>Q3_K: h[32], q[64], s[12], d; (d·(scale−32))·n per 16 values, n less 4 where the high bit is clear.</summary>
internal readonly struct Q3KDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 110;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block[108..]);
        ReadOnlySpan<byte> s = block.Slice(96, 12);
        for (int g = 0; g < 16; g++)
        {
            float scale = d * (Scale(s, g) - 32);
            ReadOnlySpan<byte> h = block.Slice(16 * (g & 1), 16);
            ReadOnlySpan<byte> q = block.Slice(32 + (32 * (g / 8)) + (16 * (g & 1)), 16);
            int shift = g % 8 / 2 * 2;
            int bit = g / 2;
            for (int j = 0; j < 16; j++)
            {
                int n = ((q[j] >> shift) & 3) - (((~h[j] >> bit) & 1) << 2);
                values[(16 * g) + j] = scale * n;
            }
        }
    }

    /// <summary>The 6-bit scale of group <paramref name="g"/>, 0 to 63: a nibble of the first eight bytes, two bits of the last four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scale(ReadOnlySpan<byte> s, int g) => ((s[g & 7] >> (g < 8 ? 0 : 4)) & 15) | (((s[8 + (g & 3)] >> (2 * (g / 4))) & 3) << 4);
}

/// <summary>Q4_K: d, dmin, s[12], q[128]; (d·sc)·n − dmin·mn per 32 values.</summary>
internal readonly struct Q4KDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 144;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        float dmin = FloatBits.ReadHalf(block[2..]);
        ReadOnlySpan<byte> s = block.Slice(4, 12);
        for (int g = 0; g < 8; g++)
        {
            Scales(s, g, out int sc, out int mn);
            float scale = d * sc;
            float least = dmin * mn;
            ReadOnlySpan<byte> q = block.Slice(16 + (32 * (g / 2)), 32);
            int shift = 4 * (g & 1);
            for (int j = 0; j < 32; j++)
            {
                values[(32 * g) + j] = (scale * ((q[j] >> shift) & 15)) - least;
            }
        }
    }

    /// <summary>The 6-bit scale and minimum of group <paramref name="g"/> out of the twelve packed bytes of Q4_K and Q5_K.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scales(ReadOnlySpan<byte> s, int g, out int scale, out int least)
    {
        if (g < 4)
        {
            scale = s[g] & 63;
            least = s[g + 4] & 63;
        }
        else
        {
            scale = (s[g + 4] & 15) | (s[g - 4] >> 6 << 4);
            least = (s[g + 4] >> 4) | (s[g] >> 6 << 4);
        }
    }
}

/// <summary>Q5_K: d, dmin, s[12], h[32], q[128]; as Q4_K with bit g of h as bit 4.</summary>
internal readonly struct Q5KDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 176;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block);
        float dmin = FloatBits.ReadHalf(block[2..]);
        ReadOnlySpan<byte> s = block.Slice(4, 12);
        ReadOnlySpan<byte> h = block.Slice(16, 32);
        for (int g = 0; g < 8; g++)
        {
            Q4KDecoder.Scales(s, g, out int sc, out int mn);
            float scale = d * sc;
            float least = dmin * mn;
            ReadOnlySpan<byte> q = block.Slice(48 + (32 * (g / 2)), 32);
            int shift = 4 * (g & 1);
            for (int j = 0; j < 32; j++)
            {
                int n = ((q[j] >> shift) & 15) | (((h[j] >> g) & 1) << 4);
                values[(32 * g) + j] = (scale * n) - least;
            }
        }
    }
}

/// <summary>Q6_K: l[128], h[64], s signed[16], d; (d·s)·(n−32) per 16 values.</summary>
internal readonly struct Q6KDecoder : IBlockDecoder
{
    public static int Values => 256;

    public static int Bytes => 210;

    public static void Decode(ReadOnlySpan<byte> block, Span<float> values)
    {
        float d = FloatBits.ReadHalf(block[208..]);
        for (int g = 0; g < 16; g++)
        {
            float scale = d * (sbyte)block[192 + g];
            int plane = g % 8 / 2;
            ReadOnlySpan<byte> l = block.Slice((64 * (g / 8)) + (32 * (plane & 1)) + (16 * (g & 1)), 16);
            ReadOnlySpan<byte> h = block.Slice(128 + (32 * (g / 8)) + (16 * (g & 1)), 16);
            int shift = plane < 2 ? 0 : 4;
            for (int j = 0; j < 16; j++)
            {
                int n = ((l[j] >> shift) & 15) | (((h[j] >> (2 * plane)) & 3) << 4);
                values[(16 * g) + j] = scale * (n - 32);
            }
        }
    }
}
