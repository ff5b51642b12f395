using Puna.Tensors;

namespace Puna.Models.Conversion;

/// <summary>Finds the rule behind the divisors of a GGUF file, so that formats which name rules can be written.</summary>
public static class RopeRecovery
{
    private static readonly double[] Factors = [1, 2, 4, 8, 16, 32];

    /// <summary>The scaling with <see cref="RopeScaling.Divisors"/> replaced by the rule that gives exactly these.</summary>
    /// <exception cref="PunaException">No rule does.</exception>
    public static RopeScaling Name(LlamaConfig config)
    {
        if (config.RopeScaling is not RopeScaling.Divisors divisors)
        {
            return config.RopeScaling;
        }

        if (divisors.Values.All(v => v == 1))
        {
            return new RopeScaling.None();
        }

        float[] frequencies = RotaryFrequencies.Unscaled(config.RopeTheta, config.HeadDim);
        var found = new float[frequencies.Length];
        // The last frequency is the lowest, and the lowest is divided by the whole factor.
        double factor = divisors.Values[^1];
        foreach (int context in Contexts(config, factor))
        {
            foreach (double low in Factors)
            {
                foreach (double high in Factors)
                {
                    var rule = new RopeScaling.Llama3(factor, low, high, context);
                    RotaryFrequencies.Llama3Divisors(rule, frequencies, found);
                    if (high >= low && found.AsSpan().SequenceEqual([.. divisors.Values]))
                    {
                        return rule;
                    }
                }
            }
        }

        throw new PunaException("tensor rope_freqs.weight: expected the divisors of a llama3 rule, which the other formats can name, got others");
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
