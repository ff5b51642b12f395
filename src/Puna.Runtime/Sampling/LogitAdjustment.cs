namespace Puna.Runtime.Sampling;

/// <summary>Bias and penalties: the steps before the temperature.</summary>
internal static class LogitAdjustment
{
    /// <summary>Whether the options change any logit.</summary>
    public static bool IsNeeded(SamplingOptions options) =>
        options.LogitBias is { Count: > 0 } || options.RepetitionPenalty != 1 || options.PresencePenalty != 0 || options.FrequencyPenalty != 0
            || options.DryMultiplier > 0;

    /// <summary>Changes the logits in place.</summary>
    /// <param name="options">Valid options.</param>
    /// <param name="bias">The bias as an array, which can be walked without allocating.</param>
    /// <param name="logits">[vocab] float32.</param>
    /// <param name="history">Prompt and generated tokens; ids outside the vocabulary (image tokens) are passed over.</param>
    /// <param name="promptLength">How many of them are the prompt.</param>
    /// <param name="counts">Zeros, as many as logits; zeros again afterwards.</param>
    /// <param name="matches">Working memory that grows.</param>
    public static void Apply(
        SamplingOptions options, KeyValuePair<int, float>[] bias, Span<float> logits, ReadOnlySpan<int> history, int promptLength, Span<int> counts, List<int> matches)
    {
        foreach ((int token, float amount) in bias)
        {
            if (token < logits.Length)
                logits[token] = Add(logits[token], amount);
        }

        if (options.RepetitionPenalty != 1)
        {
            int window = Math.Min(options.RepetitionWindow ?? history.Length, history.Length);
            foreach (int token in history[^window..])
            {
                // The first time only: a token is penalised once however often it occurs.
                if ((uint)token < (uint)logits.Length && counts[token]++ == 0)
                    logits[token] = Repeated(logits[token], options.RepetitionPenalty);
            }

            Clear(history[^window..], counts);
        }

        if (options.PresencePenalty != 0 || options.FrequencyPenalty != 0)
        {
            ReadOnlySpan<int> seen = options.PenalizePrompt ? history : history[promptLength..];
            foreach (int token in seen)
            {
                if ((uint)token < (uint)counts.Length)
                    counts[token]++;
            }

            foreach (int token in seen)
            {
                if ((uint)token < (uint)counts.Length && counts[token] > 0)
                {
                    logits[token] = Finite(logits[token], logits[token] - (counts[token] * options.FrequencyPenalty) - options.PresencePenalty);
                    counts[token] = 0;
                }
            }
        }

        if (options.DryMultiplier > 0)
            DryPenalty.Apply(options, logits, history, counts, matches);
    }

    private static void Clear(ReadOnlySpan<int> tokens, Span<int> counts)
    {
        foreach (int token in tokens)
        {
            if ((uint)token < (uint)counts.Length)
                counts[token] = 0;
        }
    }

    private static float Repeated(float logit, double penalty) => Finite(logit, logit < 0 ? logit * penalty : logit / penalty);

    private static float Add(float logit, float amount) => float.IsNegativeInfinity(amount) ? amount : Finite(logit, (double)logit + amount);

    // Huge options must not make a finite logit infinite by overflow, and what is not finite stays as it is: banned, or an error later.
    private static float Finite(float logit, double changed) =>
        float.IsFinite(logit) ? (float)Math.Clamp(changed, float.MinValue, float.MaxValue) : logit;
}
