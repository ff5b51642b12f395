using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Kernels.Cpu.Quantization;
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
    /// <param name="x">A multiple of 16 values.</param>
    /// <param name="scale">Scale of the group as its field has it.</param>
    /// <param name="minimum">Minimum of the group as its field has it.</param>
    /// <param name="levels">Largest integer.</param>
    /// <param name="n">The integers.</param>
    public static void Affine(ReadOnlySpan<float> x, float scale, float minimum, int levels, Span<byte> n)
    {
        if (scale != 0)
        {
            Divide(x, minimum, scale, 0, levels, n);
        }
    }

    /// <summary>The integers, plus <paramref name="half"/>, that scale·n needs; left as the search found them where the scale was rounded to zero.</summary>
    public static void Symmetric(ReadOnlySpan<float> x, float scale, int half, Span<byte> n)
    {
        if (scale != 0)
        {
            Divide(x, 0, scale, -half, half - 1, n);
        }
    }

    /// <summary>Fits the eight groups of 32 of Q4_K and Q5_K, and writes the sixteen bytes that both types begin with.</summary>
    /// <returns>Whether d and dmin are finite.</returns>
    public static bool FitEights<TFitter>(ReadOnlySpan<float> values, in AffineFit fit, Span<byte> n, Span<byte> block)
        where TFitter : struct, IGroupFitter
    {
        Span<float> weights = stackalloc float[256];
        Span<float> scales = stackalloc float[8];
        Span<float> minima = stackalloc float[8];
        for (int g = 0; g < 8; g++)
        {
            ReadOnlySpan<float> x = values.Slice(32 * g, 32);
            Span<float> w = weights.Slice(32 * g, 32);
            float squares = 0;
            foreach (float value in x)
            {
                squares += value * value;
            }

            float root = MathF.Sqrt(squares / 32);
            for (int i = 0; i < x.Length; i++)
            {
                w[i] = root + MathF.Abs(x[i]);
            }
        }

        TFitter.Affine(fit, values, weights, scales, minima, n);

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
            Affine(values.Slice(32 * g, 32), d * scale, dmin * minimum, fit.Levels, n.Slice(32 * g, 32));
        }

        return fits;
    }

    /// <summary>256 two-bit integers into 64 bytes: per half of 128, value 32p + i is plane p of byte i.</summary>
    public static void PackTwos(ReadOnlySpan<byte> n, Span<byte> q)
    {
        for (int half = 0; half < 2; half++)
        {
            ReadOnlySpan<byte> v = n.Slice(128 * half, 128);
            Vector256<byte> low = Vector256.Create(v) | (Vector256.Create(v[32..]) << 2);
            Vector256<byte> high = Vector256.Create(v[64..]) | (Vector256.Create(v[96..]) << 2);
            (low | (high << 4)).CopyTo(q[(32 * half)..]);
        }
    }

    /// <summary>256 nibbles into 128 bytes: per 64 values, 32 low nibbles and 32 high nibbles.</summary>
    public static void PackNibbles(ReadOnlySpan<byte> n, Span<byte> q)
    {
        for (int quarter = 0; quarter < 4; quarter++)
        {
            ReadOnlySpan<byte> v = n.Slice(64 * quarter, 64);
            (Vector256.Create(v) | (Vector256.Create(v[32..]) << 4)).CopyTo(q[(32 * quarter)..]);
        }
    }

    /// <summary>Takes the highest bit, number <paramref name="bit"/>, out of 256 integers: that of value 32k + i becomes bit k of byte i.</summary>
    public static void PackHighBit(Span<byte> n, int bit, Span<byte> high)
    {
        Vector256<byte> below = Vector256.Create((byte)((1 << bit) - 1));
        Vector256<byte> packed = Vector256<byte>.Zero;
        for (int k = 0; k < 8; k++)
        {
            Vector256<byte> v = Vector256.Create<byte>(n[(32 * k)..]);
            packed |= (v >> bit) << k;
            (v & below).CopyTo(n[(32 * k)..]);
        }

        packed.CopyTo(high);
    }

    /// <summary>The integers nearest to (x + add) / scale, between the bounds, less the lower bound.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Divide(ReadOnlySpan<float> x, float add, float scale, int least, int most, Span<byte> n)
    {
        Vector256<float> s = Vector256.Create(scale);
        Vector256<float> a = Vector256.Create(add);
        Vector256<float> lowest = Vector256.Create((float)least);
        Vector256<float> highest = Vector256.Create((float)most);
        Vector256<int> bias = Vector256.Create(least);
        for (int i = 0; i < x.Length; i += 16)
        {
            Vector256<int> low = Vector256.ConvertToInt32(GroupLanes.Nearest((Vector256.Create(x[i..]) + a) / s, lowest, highest)) - bias;
            Vector256<int> high = Vector256.ConvertToInt32(GroupLanes.Nearest((Vector256.Create(x[(i + 8)..]) + a) / s, lowest, highest)) - bias;
            Vector256<ushort> words = Vector256.Narrow(low.AsUInt32(), high.AsUInt32());
            Vector128.Narrow(words.GetLower(), words.GetUpper()).CopyTo(n[i..]);
        }
    }
}
