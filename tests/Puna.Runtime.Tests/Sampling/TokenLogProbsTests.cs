using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Sampling;

public class TokenLogProbsTests
{
    [Fact]
    public void AgreesWithDoubleArithmetic()
    {
        // The results are float32 of numbers up to about 30: half a unit in the last place is 1e-6.
        var random = new Random(3);
        float[] logits = [.. Enumerable.Range(0, 32_003).Select(_ => (float)((random.NextDouble() * 30) + 100))];
        double normaliser = 130 + Math.Log(logits.Sum(l => Math.Exp(l - 130.0)));
        TokenLogProbs actual = TokenLogProbs.Compute(logits, 17, 20);
        Assert.Equal(17, actual.Chosen.Token);
        Assert.Equal(logits[17] - normaliser, actual.Chosen.LogProb, 2e-6);
        int[] best = [.. Enumerable.Range(0, logits.Length).OrderByDescending(i => logits[i]).ThenBy(i => i).Take(20)];
        Assert.Equal(best, actual.Top.Select(t => t.Token));
        Assert.All(actual.Top, t => Assert.Equal(logits[t.Token] - normaliser, t.LogProb, 2e-6));
        Assert.Equal(actual.Chosen.LogProb, TokenLogProbs.LogProbability(logits, 17));
    }

    [Fact]
    public void TiesAndBansAreInOrder()
    {
        TokenLogProbs actual = TokenLogProbs.Compute([0, float.NegativeInfinity, 0, 0], 1, 9);
        Assert.Equal([0, 2, 3], actual.Top.Select(t => t.Token));
        Assert.All(actual.Top, t => Assert.Equal(Math.Log(1 / 3.0), t.LogProb, 1e-7));
        Assert.Equal(float.NegativeInfinity, actual.Chosen.LogProb);
        Assert.Empty(TokenLogProbs.Compute([0, 1], 1, 0).Top);
    }

    [Fact]
    public void UnfitLogitsAreClearErrors()
    {
        Assert.Equal("logits: expected finite numbers or -Infinity, got NaN for token 1", Assert.Throws<PunaException>(() => TokenLogProbs.Compute([0, float.NaN], 0, 1)).Message);
        Assert.Throws<PunaException>(() => TokenLogProbs.LogProbability([float.NegativeInfinity], 0));
    }
}
