using Puna.Tensors;

namespace Puna.Models;

/// <summary>The angle per position of each pair of a head's dimensions, in the arithmetic of the reference (float32), spec llama1-3.md 2.3 to 2.5.</summary>
public static class RotaryFrequencies
{
    /// <summary>Computes frequencies.</summary>
    /// <param name="config">Base, head size and scaling.</param>
    /// <param name="length">Total length of the sequence; matters to <see cref="RopeScaling.Dynamic"/> only.</param>
    /// <param name="frequencies">Receives radians per position, <c>[headDim / 2]</c>.</param>
    /// <returns>Factor on cosines and sines; 1 except with YaRN.</returns>
    public static float Compute(LlamaConfig config, int length, Span<float> frequencies)
    {
        int headDim = config.HeadDim;
        // GGUF holds the base as float32; rounding it for all formats keeps their bits equal.
        double theta = (float)config.RopeTheta;
        if (config.RopeScaling is RopeScaling.Dynamic dynamic && length > config.ContextLength)
        {
            double stretch = (dynamic.Factor * length / config.ContextLength) - (dynamic.Factor - 1);
            theta *= Math.Pow(stretch, (double)headDim / (headDim - 2));
        }

        Unscaled(theta, headDim, frequencies);
        switch (config.RopeScaling)
        {
            case RopeScaling.Linear linear:
                for (int i = 0; i < frequencies.Length; i++)
                {
                    frequencies[i] /= (float)linear.Factor;
                }

                break;
            case RopeScaling.Llama3 llama3:
                for (int i = 0; i < frequencies.Length; i++)
                {
                    frequencies[i] /= Llama3Divisor(llama3, frequencies[i]);
                }

                break;
            case RopeScaling.Divisors given:
                for (int i = 0; i < frequencies.Length; i++)
                {
                    frequencies[i] /= given.Values[i];
                }

                break;
            case RopeScaling.Yarn yarn:
                Stretch(yarn, theta, headDim, frequencies);
                return (float)yarn.Magnitude;
        }

        return 1;
    }

    /// <summary>
    /// The divisors that <c>rope_freqs.weight</c> of a GGUF file holds for Llama 3.1's rule. Both formats divide by these, so that they give the same bits.
    /// </summary>
    /// <param name="scaling">The rule.</param>
    /// <param name="frequencies">Unscaled frequencies <c>[headDim / 2]</c>.</param>
    /// <param name="divisors">Receives the divisors.</param>
    public static void Llama3Divisors(RopeScaling.Llama3 scaling, ReadOnlySpan<float> frequencies, Span<float> divisors)
    {
        for (int i = 0; i < frequencies.Length; i++)
        {
            divisors[i] = Llama3Divisor(scaling, frequencies[i]);
        }
    }

    /// <summary>The frequencies without any scaling.</summary>
    public static float[] Unscaled(double theta, int headDim)
    {
        var frequencies = new float[headDim / 2];
        Unscaled((float)theta, headDim, frequencies);
        return frequencies;
    }

    private static void Unscaled(double theta, int headDim, Span<float> frequencies)
    {
        for (int i = 0; i < frequencies.Length; i++)
        {
            frequencies[i] = 1f / (float)Math.Pow(theta, 2f * i / headDim);
        }
    }

    private static float Llama3Divisor(RopeScaling.Llama3 scaling, float frequency)
    {
        float factor = (float)scaling.Factor;
        float low = (float)scaling.LowFrequencyFactor;
        float high = (float)scaling.HighFrequencyFactor;
        float context = scaling.OriginalContext;
        float wavelength = (float)(2 * Math.PI) / frequency;
        if (wavelength > context / low)
        {
            return factor;
        }

        // The ramp is empty where low is not below high; then context / low alone decides.
        if (wavelength < context / high || low >= high)
        {
            return 1;
        }

        float smooth = ((context / wavelength) - low) / (high - low);
        return 1 / (((1 - smooth) / factor) + smooth);
    }

    private static void Stretch(RopeScaling.Yarn yarn, double theta, int headDim, Span<float> frequencies)
    {
        double Dimension(double turns) => headDim * Math.Log(yarn.OriginalContext / (turns * 2 * Math.PI)) / (2 * Math.Log(theta));
        double low = Dimension(yarn.BetaFast);
        double high = Dimension(yarn.BetaSlow);
        if (yarn.Truncate)
        {
            low = Math.Floor(low);
            high = Math.Ceiling(high);
        }

        low = Math.Max(low, 0);
        high = Math.Min(high, headDim - 1);
        double span = high == low ? 0.001 : high - low;
        for (int i = 0; i < frequencies.Length; i++)
        {
            float ramp = (float)Math.Clamp((i - low) / span, 0, 1);
            frequencies[i] = (frequencies[i] / (float)yarn.Factor * ramp) + (frequencies[i] * (1 - ramp));
        }
    }
}
