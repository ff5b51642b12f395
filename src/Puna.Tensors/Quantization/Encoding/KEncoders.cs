using Puna.Tensors.Quantization.Decoding;

namespace Puna.Tensors.Quantization.Encoding;

/// <summary>Q2_K: 16 groups of 16; 4-bit scales and minima, 2-bit values; errors weighted by magnitude.</summary>
internal readonly struct Q2KEncoder<TFitter> : IBlockEncoder
    where TFitter : struct, IGroupFitter
{
    public static int Values => 256;

    public static int Bytes => 84;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        var fit = new AffineFit(Levels: 3, First: -0.5f, Step: 0.1f, Trials: 16, Absolute: true);
        Span<byte> n = stackalloc byte[256];
        Span<float> weights = stackalloc float[256];
        Span<float> scales = stackalloc float[16];
        Span<float> minima = stackalloc float[16];
        for (int i = 0; i < 256; i++)
        {
            weights[i] = MathF.Abs(values[i]);
        }

        TFitter.Affine(fit, values, weights, scales, minima, n);

        float mostScale = Groups.Most(scales);
        float mostMinimum = Groups.Most(minima);
        float inverseScale = mostScale > 0 ? 15 / mostScale : 0;
        float inverseMinimum = mostMinimum > 0 ? 15 / mostMinimum : 0;
        for (int g = 0; g < 16; g++)
        {
            block[g] = (byte)(Rounding.Nearest(inverseScale * scales[g], 0, 15) | (Rounding.Nearest(inverseMinimum * minima[g], 0, 15) << 4));
        }

        bool fits = Rounding.WriteHalf(block[80..], mostScale / 15) & Rounding.WriteHalf(block[82..], mostMinimum / 15);
        float d = FloatBits.ReadHalf(block[80..]);
        float dmin = FloatBits.ReadHalf(block[82..]);
        for (int g = 0; g < 16; g++)
        {
            Groups.Affine(values.Slice(16 * g, 16), d * (block[g] & 15), dmin * (block[g] >> 4), fit.Levels, n.Slice(16 * g, 16));
        }

        Groups.PackTwos(n, block.Slice(16, 64));
        return fits;
    }
}

/// <summary>Q3_K: 16 groups of 16; signed 6-bit scales, 3-bit values.</summary>
internal readonly struct Q3KEncoder<TFitter> : IBlockEncoder
    where TFitter : struct, IGroupFitter
{
    public static int Values => 256;

    public static int Bytes => 110;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> n = stackalloc byte[256];
        Span<float> scales = stackalloc float[16];
        TFitter.Descend(values, 4, scales, n);

        Span<byte> s = block.Slice(96, 12);
        s.Clear();
        float extreme = Extremes.Signed(scales);
        float d = 0;
        if (extreme != 0)
        {
            float inverse = -32f / extreme;
            for (int g = 0; g < 16; g++)
            {
                int level = Rounding.Nearest(inverse * scales[g], -32, 31) + 32;
                s[g & 7] |= (byte)((level & 15) << (g < 8 ? 0 : 4));
                s[8 + (g & 3)] |= (byte)(level >> 4 << (2 * (g / 4)));
            }

            d = 1 / inverse;
        }

        bool fits = Rounding.WriteHalf(block[108..], d);
        d = FloatBits.ReadHalf(block[108..]);
        for (int g = 0; g < 16; g++)
        {
            Groups.Symmetric(values.Slice(16 * g, 16), d * (Q3KDecoder.Scale(s, g) - 32), 4, n.Slice(16 * g, 16));
        }

        Groups.PackHighBit(n, 2, block[..32]);
        Groups.PackTwos(n, block.Slice(32, 64));
        return fits;
    }
}

/// <summary>Q4_K: 8 groups of 32; 6-bit scales and minima, 4-bit values; errors weighted by the root mean square of the group plus the magnitude.</summary>
internal readonly struct Q4KEncoder<TFitter> : IBlockEncoder
    where TFitter : struct, IGroupFitter
{
    public static int Values => 256;

    public static int Bytes => 144;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        var fit = new AffineFit(Levels: 15, First: -1f, Step: 0.1f, Trials: 21, Absolute: false);
        Span<byte> n = stackalloc byte[256];
        bool fits = Groups.FitEights<TFitter>(values, fit, n, block);
        Groups.PackNibbles(n, block[16..]);
        return fits;
    }
}

/// <summary>Q5_K: as Q4_K with 5-bit values.</summary>
internal readonly struct Q5KEncoder<TFitter> : IBlockEncoder
    where TFitter : struct, IGroupFitter
{
    public static int Values => 256;

    public static int Bytes => 176;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        var fit = new AffineFit(Levels: 31, First: -0.5f, Step: 0.1f, Trials: 16, Absolute: false);
        Span<byte> n = stackalloc byte[256];
        bool fits = Groups.FitEights<TFitter>(values, fit, n, block);
        Groups.PackHighBit(n, 4, block.Slice(16, 32));
        Groups.PackNibbles(n, block[48..]);
        return fits;
    }
}

/// <summary>Q6_K: 16 groups of 16; signed 8-bit scales, 6-bit values.</summary>
internal readonly struct Q6KEncoder<TFitter> : IBlockEncoder
    where TFitter : struct, IGroupFitter
{
    public static int Values => 256;

    public static int Bytes => 210;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        Span<byte> n = stackalloc byte[256];
        Span<float> scales = stackalloc float[16];
        TFitter.Search(values, 32, scales, n);

        float extreme = Extremes.Signed(scales);
        if (MathF.Abs(extreme) < SymmetricFit.Negligible)
        {
            block.Clear();
            return true;
        }

        float inverse = -128f / extreme;
        Span<byte> s = block.Slice(192, 16);
        bool fits = Rounding.WriteHalf(block[208..], 1 / inverse);
        float d = FloatBits.ReadHalf(block[208..]);
        for (int g = 0; g < 16; g++)
        {
            s[g] = (byte)Rounding.Nearest(inverse * scales[g], -128, 127);
            Groups.Symmetric(values.Slice(16 * g, 16), d * (sbyte)s[g], 32, n.Slice(16 * g, 16));
        }

        for (int half = 0; half < 2; half++)
        {
            ReadOnlySpan<byte> v = n.Slice(128 * half, 128);
            Span<byte> low = block.Slice(64 * half, 64);
            Span<byte> high = block.Slice(128 + (32 * half), 32);
            for (int i = 0; i < 32; i++)
            {
                low[i] = (byte)((v[i] & 15) | (v[i + 64] << 4));
                low[i + 32] = (byte)((v[i + 32] & 15) | (v[i + 96] << 4));
                high[i] = (byte)((v[i] >> 4) | (v[i + 32] >> 4 << 2) | (v[i + 64] >> 4 << 4) | (v[i + 96] >> 4 << 6));
            }
        }

        return fits;
    }
}
