namespace Puna.Runtime.Sampling;

/// <summary>
/// Log-probabilities at one position: log-softmax of the logits as the model gives them, before bias, penalties, temperature and cuts (spec
/// llama1-3.md 7, serving.md 3.2). Computed in float64.
/// </summary>
/// <param name="Chosen">The token that was chosen.</param>
/// <param name="Top">The most likely tokens, best first, equal ones by lower id; the chosen one is among them only if it is likely enough.</param>
public sealed record TokenLogProbs(TokenLogProb Chosen, IReadOnlyList<TokenLogProb> Top)
{
    /// <summary>Log-probabilities of a token and of the most likely ones.</summary>
    /// <param name="logits">[vocab] float32, unchanged.</param>
    /// <param name="chosen">Id of the token chosen.</param>
    /// <param name="top">How many of the most likely to report; fewer where fewer can follow.</param>
    /// <param name="scratch">Working memory to reuse, or null.</param>
    /// <exception cref="Tensors.PunaException">A logit is NaN or +infinity, or all are -infinity.</exception>
    public static TokenLogProbs Compute(ReadOnlySpan<float> logits, int chosen, int top, SamplerScratch? scratch = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(top);
        double normaliser = Normaliser(logits);
        var best = new TokenLogProb[Math.Min(top, logits.Length)];
        int count = 0;
        if (best.Length > 0)
        {
            scratch ??= new SamplerScratch(logits.Length);
            count = RankedTokens.SelectTop(logits, best.Length, scratch.Keys, scratch.Mass);
            scratch.Keys.AsSpan(0, count).Sort();
            for (int i = 0; i < count; i++)
            {
                int token = RankedTokens.Token(scratch.Keys[i]);
                best[i] = new TokenLogProb(token, (float)(logits[token] - normaliser));
            }
        }

        return new TokenLogProbs(new TokenLogProb(chosen, (float)(logits[chosen] - normaliser)), best.Length == count ? best : best[..count]);
    }

    /// <summary>Log-probability of one token. Allocates nothing.</summary>
    /// <param name="logits">[vocab] float32.</param>
    /// <param name="token">Id of the token.</param>
    /// <exception cref="Tensors.PunaException">A logit is NaN or +infinity, or all are -infinity.</exception>
    public static float LogProbability(ReadOnlySpan<float> logits, int token) => (float)(logits[token] - Normaliser(logits));

    // log(sum(exp(logits))).
    private static double Normaliser(ReadOnlySpan<float> logits)
    {
        double max = LogitScan.Max(logits, -1);
        return max + Math.Log(PortableExp.Sum(logits, max));
    }
}
