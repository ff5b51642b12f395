using Puna.Tensors.Quantization.Decoding;

namespace Puna.Tensors.Quantization.Encoding;

/// <summary>Steps that the super-block encoders share.</summary>
internal static class Groups
{
    /// <summary>The largest of the numbers, at least 0.</summary>
    public static float Most(ReadOnlySpan<float> numbers)
    {
        float most = 0;
        foreach (float number in numbers)
        {
            most = number > most ? number : most;
        }

        return most;
    }

    /// <summary>The integers that scale·n − minimum needs for these values; left as the search found them where the scale was rounded to zero.</summary>
    public static void Affine(ReadOnlySpan<float> x, float scale, float minimum, int levels, Span<byte> n)
    {
        if (scale != 0)
        {
            for (int i = 0; i < x.Length; i++)
            {
                n[i] = (byte)Rounding.Nearest((x[i] + minimum) / scale, 0, levels);
            }
        }
    }

    /// <summary>The integers, plus <paramref name="half"/>, that scale·n needs; left as the search found them where the scale was rounded to zero.</summary>
    public static void Symmetric(ReadOnlySpan<float> x, float scale, int half, Span<byte> n)
    {
        if (scale != 0)
        {
            for (int i = 0; i < x.Length; i++)
            {
                n[i] = (byte)(Rounding.Nearest(x[i] / scale, -half, half - 1) + half);
            }
        }
    }

    /// <summary>Fits the eight groups of 32 of Q4_K and Q5_K, and writes the sixteen bytes that both types begin with.</summary>
    /// <returns>Whether d and dmin are finite.</returns>
    public static bool FitEights(ReadOnlySpan<float> values, AffineFit fit, Span<byte> n, Span<byte> block)
    {
        Span<byte> trial = stackalloc byte[32];
        Span<float> weights = stackalloc float[32];
        Span<float> scales = stackalloc float[8];
        Span<float> minima = stackalloc float[8];
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> x = values.Slice(32 * g, 32);
            float squares = 0;
            foreach (float value in x)
            {
                squares += value * value;
            }

            float root = MathF.Sqrt(squares / 32);
            for (int i = 0; i < 32; i++)
            {
                weights[i] = root + MathF.Abs(x[i]);
            }

            scales[g] = fit.Fit(x, weights, n.Slice(32 * g, 32), trial, out minima[g]);
        }

        return FinishEights(values, scales, minima, fit.Levels, n, block);
    }

    /// <summary>Rounds scales and minima to their 6-bit fields, and the values to what these then give.</summary>
    public static bool FinishEights(
        ReadOnlySpan<float> values, ReadOnlySpan<float> scales, ReadOnlySpan<float> minima, int levels, Span<byte> n, Span<byte> block)
    {
        float mostScale = Most(scales);
        float mostMinimum = Most(minima);
        float inverseScale = mostScale > 0 ? 63 / mostScale : 0;
        float inverseMinimum = mostMinimum > 0 ? 63 / mostMinimum : 0;
        Span<byte> s = block.Slice(4, 12);
        for (int g = 0; g < 8; g++)
        {
            int scale = Rounding.Nearest(inverseScale * scales[g], 0, 63);
            int minimum = Rounding.Nearest(inverseMinimum * minima[g], 0, 63);
            if (g < 4)
            {
                s[g] = (byte)scale;
                s[g + 4] = (byte)minimum;
            }
            else
            {
                s[g + 4] = (byte)((scale & 15) | (minimum << 4));
                s[g - 4] |= (byte)(scale >> 4 << 6);
                s[g] |= (byte)(minimum >> 4 << 6);
            }
        }

        bool fits = Rounding.WriteHalf(block, mostScale / 63) & Rounding.WriteHalf(block[2..], mostMinimum / 63);
        float d = FloatBits.ReadHalf(block);
        float dmin = FloatBits.ReadHalf(block[2..]);
        for (int g = 0; g < 8; g++)
        {
            Q4KDecoder.Scales(s, g, out int scale, out int minimum);
            Affine(values.Slice(32 * g, 32), d * scale, dmin * minimum, levels, n.Slice(32 * g, 32));
        }

        return fits;
    }

    /// <summary>256 two-bit integers into 64 bytes: per half of 128, value 32p + i is plane p of byte i.</summary>
    public static void PackTwos(ReadOnlySpan<byte> n, Span<byte> q)
    {
        for (int half = 0; half < 2; half++)
        {
            ReadOnlySpan<byte> v = n.Slice(128 * half, 128);
            for (int i = 0; i < 32; i++)
            {
                q[(32 * half) + i] = (byte)(v[i] | (v[i + 32] << 2) | (v[i + 64] << 4) | (v[i + 96] << 6));
            }
        }
    }

    /// <summary>256 nibbles into 128 bytes: per 64 values, 32 low nibbles and 32 high nibbles.</summary>
    public static void PackNibbles(ReadOnlySpan<byte> n, Span<byte> q)
    {
        for (int quarter = 0; quarter < 4; quarter++)
        {
            ReadOnlySpan<byte> v = n.Slice(64 * quarter, 64);
            for (int i = 0; i < 32; i++)
            {
                q[(32 * quarter) + i] = (byte)(v[i] | (v[i + 32] << 4));
            }
        }
    }
}
