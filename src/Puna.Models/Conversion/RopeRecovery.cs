using Puna.Tensors;

namespace Puna.Models.Conversion;

/// <summary>Finds the rule behind the divisors of a GGUF file, so that formats which name rules can be written.</summary>
public static class RopeRecovery
{
    private static readonly double[] Frequencies = [1, 2, 4, 8, 16, 32];
    private static readonly double[] Factors = [8, 32, 2, 4, 16, 64];

    /// <summary>The scaling with <see cref="RopeScaling.Divisors"/> replaced by a rule that gives exactly these: the one the file names, else the first of a search
    /// among powers of two.</summary>
    /// <exception cref="PunaException">No rule does.</exception>
    public static RopeScaling Name(LlamaConfig config)
    {
        if (config.RopeScaling is not RopeScaling.Divisors divisors)
        {
            return config.RopeScaling;
        }

        float[] frequencies = RotaryFrequencies.Unscaled(config.RopeTheta, config.HeadDim);
        var found = new float[frequencies.Length];
        float[] expected = [.. divisors.Values];
        if (divisors.Rule is RopeScaling.Llama3 named && Gives(named))
        {
            return named;
        }

        if (Array.TrueForAll(expected, v => v == 1))
        {
            return new RopeScaling.None();
        }

        // The last frequency is the lowest, and the lowest is divided by the whole factor, unless even it lies in the ramp.
        foreach (double factor in Factors.Prepend(expected[^1]))
        {
            foreach (int context in Contexts(config, factor))
            {
                foreach (double low in Frequencies)
                {
                    foreach (double high in Frequencies)
                    {
                        var rule = new RopeScaling.Llama3(factor, low, high, context);
                        if (high >= low && Gives(rule))
                        {
                            return rule;
                        }
                    }
                }
            }
        }

        throw new PunaException("tensor rope_freqs.weight: expected the divisors of a llama3 rule, which the other formats can name, got others");

        bool Gives(RopeScaling.Llama3 rule)
        {
            RotaryFrequencies.Llama3Divisors(rule, frequencies, found);
            return found.AsSpan().SequenceEqual(expected);
        }
    }

    private static IEnumerable<int> Contexts(LlamaConfig config, double factor)
    {
        yield return 8192;
        yield return (int)Math.Clamp(config.ContextLength / factor, 1, int.MaxValue);
        for (int context = 16; context <= 1 << 20; context *= 2)
        {
            yield return context;
        }
    }
}
