using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>
/// Keys of our own in GGUF files, for what the standard keys cannot say or say only rounded to float32. Other readers pass over them; each is written only where
/// it is needed and believed only where it agrees with the standard keys, so that a file which another program has changed means what that program wrote.
/// </summary>
internal static class GgufOwnKeys
{
    private const string Llama3Prefix = "puna.rope.llama3.";
    private const string YarnPrefix = "puna.rope.yarn.";
    private const string Stops = "puna.eos_token_ids";

    // A magnitude goes through one float32 division and multiplication: some units in the last place.
    private const double YarnTolerance = 1e-6;

    /// <summary>Names the rule behind <c>rope_freqs.weight</c>.</summary>
    public static void WriteLlama3(GgufMetadata metadata, RopeScaling.Llama3 rule)
    {
        metadata.Set(Llama3Prefix + "factor", rule.Factor);
        metadata.Set(Llama3Prefix + "low_freq_factor", rule.LowFrequencyFactor);
        metadata.Set(Llama3Prefix + "high_freq_factor", rule.HighFrequencyFactor);
        metadata.Set(Llama3Prefix + "original_context_length", (double)rule.OriginalContext);
    }

    /// <summary>The rule a file names, or null. Whether it gives the divisors of the file is for the caller to try.</summary>
    public static RopeScaling.Llama3? ReadLlama3(GgufMetadata metadata)
    {
        return Positive(metadata, Llama3Prefix + "factor") is double factor
            && Positive(metadata, Llama3Prefix + "low_freq_factor") is double low
            && Positive(metadata, Llama3Prefix + "high_freq_factor") is double high
            && Positive(metadata, Llama3Prefix + "original_context_length") is double context && context <= int.MaxValue && context == Math.Floor(context)
            ? new RopeScaling.Llama3(factor, low, high, (int)context)
            : null;
    }

    /// <summary>Writes the numbers of a YaRN rule that come back from the standard keys with other bits.</summary>
    /// <param name="metadata">Receives the keys.</param>
    /// <param name="rule">What is meant.</param>
    /// <param name="read">What a reader makes of the standard keys.</param>
    public static void WriteYarn(GgufMetadata metadata, RopeScaling.Yarn rule, RopeScaling.Yarn read)
    {
        Write("factor", rule.Factor, read.Factor);
        Write("attention_factor", rule.Magnitude, read.Magnitude);
        Write("beta_fast", rule.BetaFast, read.BetaFast);
        Write("beta_slow", rule.BetaSlow, read.BetaSlow);

        void Write(string key, double exact, double standard)
        {
            if (exact != standard)
            {
                metadata.Set(YarnPrefix + key, exact);
            }
        }
    }

    /// <summary>A YaRN rule with the exact numbers in place of rounded ones.</summary>
    public static RopeScaling.Yarn Exact(GgufMetadata metadata, RopeScaling.Yarn read)
    {
        return read with
        {
            Factor = Agreeing("factor", read.Factor),
            Magnitude = Agreeing("attention_factor", read.Magnitude),
            BetaFast = Agreeing("beta_fast", read.BetaFast),
            BetaSlow = Agreeing("beta_slow", read.BetaSlow),
        };

        double Agreeing(string key, double standard) =>
            Positive(metadata, YarnPrefix + key) is double exact && Math.Abs(exact - standard) <= YarnTolerance * Math.Abs(standard) ? exact : standard;
    }

    /// <summary>Lists the tokens that end a text, where the standard keys (one each for text, turn and message) name others.</summary>
    public static void WriteStopIds(GgufMetadata metadata, IReadOnlyList<int> ids)
    {
        metadata.Remove(Stops);
        if (!GgufConfig.StopIds("", metadata).ToHashSet().SetEquals(ids))
        {
            metadata.Set(Stops, ids.ToArray());
        }
    }

    /// <summary>The listed tokens, or null where there is no list.</summary>
    /// <exception cref="FileFormatException">The list has something else than small numbers.</exception>
    public static int[]? ReadStopIds(string path, GgufMetadata metadata) => metadata.GetIntegers(Stops) is not long[] ids ? null
        : Array.TrueForAll(ids, id => id is >= 0 and <= int.MaxValue) ? [.. ids.Select(id => (int)id)]
        : throw new FileFormatException(path, $"metadata {Stops}: expected token ids, got {ids.First(id => id is < 0 or > int.MaxValue)}");

    private static double? Positive(GgufMetadata metadata, string key) => metadata.GetNumber(key) is double value && value > 0 && double.IsFinite(value) ? value : null;
}
