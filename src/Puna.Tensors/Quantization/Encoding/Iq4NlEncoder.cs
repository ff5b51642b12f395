using Puna.Tensors.Quantization.Decoding;

namespace Puna.Tensors.Quantization.Encoding;

/// <summary>
/// IQ4_NL: sixteen levels that lie closer together near zero. The scale is the best, by least squares weighted with x², of fifteen around the one that sends the
/// value of largest magnitude to level −127; then every value goes to the level nearest to it.
/// </summary>
internal readonly struct Iq4NlEncoder : IBlockEncoder
{
    private const int Tries = 7;

    public static int Values => 32;

    public static int Bytes => 18;

    public static bool Encode(ReadOnlySpan<float> values, Span<byte> block)
    {
        float d = Scale(values);
        float inverse = d != 0 ? 1 / d : 0;
        Span<byte> q = block.Slice(2, 16);
        for (int j = 0; j < 16; j++)
        {
            q[j] = (byte)(Nearest(inverse * values[j]) | (Nearest(inverse * values[j + 16]) << 4));
        }

        return Rounding.WriteHalf(block, d);
    }

    private static float Scale(ReadOnlySpan<float> values)
    {
        float extreme = Extremes.Signed(values);
        if (MathF.Abs(extreme) < SymmetricFit.Negligible)
        {
            return 0;
        }

        int least = Iq4NlDecoder.Levels[0];
        Products(values, 1 / (-extreme / least), out float xn, out float nn);
        float scale = xn / nn;
        float best = scale * xn;
        for (int t = -Tries; t <= Tries; t++)
        {
            Products(values, (t + least) / extreme, out xn, out nn);

            // xn²/nn is what the fit takes away from the squared error.
            if (nn > 0 && xn * xn > best * nn)
            {
                scale = xn / nn;
                best = scale * xn;
            }
        }

        return scale;
    }

    private static void Products(ReadOnlySpan<float> values, float inverse, out float xn, out float nn)
    {
        xn = 0;
        nn = 0;
        foreach (float x in values)
        {
            float level = Iq4NlDecoder.Levels[Nearest(inverse * x)];
            float w = x * x;
            xn += w * level * x;
            nn += w * level * level;
        }
    }

    /// <summary>Index of the level nearest to a value; of two equally near the upper one.</summary>
    private static int Nearest(float value)
    {
        ReadOnlySpan<sbyte> levels = Iq4NlDecoder.Levels;
        int upper = 0;
        while (upper < levels.Length && levels[upper] <= value)
        {
            upper++;
        }

        return upper == 0 ? 0
            : upper == levels.Length ? levels.Length - 1
            : value - levels[upper - 1] < levels[upper] - value ? upper - 1 : upper;
    }
}
