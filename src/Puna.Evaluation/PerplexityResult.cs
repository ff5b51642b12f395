namespace Puna.Evaluation;

/// <summary>How well a model predicts texts.</summary>
/// <param name="Texts">Number of texts.</param>
/// <param name="Tokens">Number of predicted tokens.</param>
/// <param name="TotalNll">Sum of their negative log likelihoods, in nats.</param>
public readonly record struct PerplexityResult(long Texts, long Tokens, double TotalNll)
{
    /// <summary>Mean negative log likelihood per token, in nats.</summary>
    public double MeanNll => Tokens == 0 ? double.NaN : TotalNll / Tokens;

    /// <summary>e to the mean.</summary>
    public double Perplexity => Math.Exp(MeanNll);
}
