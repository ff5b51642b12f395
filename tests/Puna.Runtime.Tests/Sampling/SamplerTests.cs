using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Runtime.Tests.Sampling;

public class SamplerTests
{
    private static readonly float[] Logits = [.. Enumerable.Range(0, 100).Select(i => ((37 * i * i) + (11 * i)) % 101 / 8f)];

    [Fact]
    public void GreedyTakesTheFirstMaximum()
    {
        Assert.Equal(1, Sample(SamplingOptions.Greedy, [1, 5, 5, -2]));
        Assert.Equal(0, Sample(SamplingOptions.Greedy, [-0f, 0f]));
        var wide = new float[1000];
        wide[501] = wide[502] = wide[999] = 3;
        Assert.Equal(501, Sample(SamplingOptions.Greedy, wide));
        wide[999] = 4;
        Assert.Equal(999, Sample(SamplingOptions.Greedy, wide));
        Assert.Equal(501, Sample(new() { Temperature = 0, LogitBias = new Dictionary<int, float> { [999] = -100 } }, wide));
    }

    [Fact]
    public void TopPIsThatOfTheReference()
    {
        // Spec llama1-3.md 7: p = [.5, .3, .15, .05], top_p = .7 keeps two, renormalised [.625, .375]. Logits are float32, hence 1e-7.
        float[] logits = [.. new[] { 0.5, 0.3, 0.15, 0.05 }.Select(p => (float)Math.Log(p))];
        AssertDistribution(new() { TopP = 0.7 }, logits, [0, 1], [0.625, 0.375], 1e-7);
        AssertDistribution(new() { TopP = 0.45 }, logits, [0], [1], 0);
        AssertDistribution(new() { TopP = 0 }, logits, [0], [1], 0);
        AssertDistribution(new() { TopP = 0.94 }, logits, [0, 1, 2], [0.5 / 0.95, 0.3 / 0.95, 0.15 / 0.95], 1e-7);
        AssertDistribution(new() { TopP = 1 }, logits, [0, 1, 2, 3], [0.5, 0.3, 0.15, 0.05], 1e-7);
    }

    [Fact]
    public void TopPRemovesOnlyWhatIsStrictlyBeyond()
    {
        // Four equal tokens are exact: the sums before them are 0, .25, .5 and .75, and .5 > .5 is false.
        AssertDistribution(new() { TopP = 0.5 }, [7, 7, 7, 7], [0, 1, 2], [1 / 3.0, 1 / 3.0, 1 / 3.0], 1e-15);
        AssertDistribution(new() { TopP = 0.49 }, [7, 7, 7, 7], [0, 1], [0.5, 0.5], 0);
        // After top-k the sums are of what is left: two tokens, .5 each.
        AssertDistribution(new() { TopP = 0.49, TopK = 2 }, [7, 7, 7, 7], [0], [1], 0);
    }

    [Fact]
    public void MinPComparesWithTheBest()
    {
        float[] logits = [.. new[] { 0.05, 0.5, 0.25, 0.2 }.Select(p => (float)Math.Log(p))];
        AssertDistribution(new() { MinP = 0.45 }, logits, [1, 2], [2 / 3.0, 1 / 3.0], 1e-7);
        AssertDistribution(new() { MinP = 1 }, logits, [1], [1], 0);
        AssertDistribution(new() { MinP = 1 }, [3, 3, 2], [0, 1], [0.5, 0.5], 0);
        // At temperature 2 probabilities are proportional to square roots: .2/.5 becomes .632 and .25/.5 .707.
        AssertDistribution(new() { MinP = 0.65, Temperature = 2 }, logits, [1, 2], [1 / (1 + Math.Sqrt(0.5)), Math.Sqrt(0.5) / (1 + Math.Sqrt(0.5))], 1e-7);
    }

    [Fact]
    public void ExtremeTemperaturesAreTheirLimits()
    {
        // Towards zero the maxima alone are left, also where the quotient leaves the range of float64; towards infinity all tokens that may follow are equal.
        foreach (double temperature in (double[])[1e-9, 1e-300, double.Epsilon])
        {
            AssertDistribution(new() { Temperature = temperature }, [1, 3, 2.9999f, 3, float.NegativeInfinity], [1, 3], [0.5, 0.5], 0);
            AssertDistribution(new() { Temperature = temperature, TopP = 0.4, MinP = 0.1 }, [1, 3, 2.9999f, 3, float.NegativeInfinity], [1], [1], 0);
        }

        AssertDistribution(new() { Temperature = double.MaxValue }, [1, 300, -7, float.NegativeInfinity], [0, 1, 2], [1 / 3.0, 1 / 3.0, 1 / 3.0], 1e-15);
    }

    [Fact]
    public void TopPOfEqualTokensTakesLowerIdsFirst()
    {
        // 1000 equal tokens: a token goes where those before it have together more than a quarter, so 251 stay.
        var logits = new float[1000];
        AssertDistribution(new() { TopP = 0.25 }, logits, [.. Enumerable.Range(0, 251)], [.. Enumerable.Repeat(1 / 251.0, 251)], 1e-15);
    }

    [Fact]
    public void TopKBreaksTiesByLowerId()
    {
        AssertDistribution(new() { TopK = 3 }, [1, 2, 2, 2, 2], [1, 2, 3], [1 / 3.0, 1 / 3.0, 1 / 3.0], 1e-15);
        AssertDistribution(new() { TopK = 3 }, [0, float.NegativeInfinity, 0, float.NegativeInfinity, float.NegativeInfinity], [0, 2], [0.5, 0.5], 0);
        AssertDistribution(new() { TopK = 99 }, [0, 0], [0, 1], [0.5, 0.5], 0);
    }

    [Fact]
    public void AgreesWithFullSorting()
    {
        var random = new Random(11);
        int compared = 0;
        for (int round = 0; round < 400; round++)
        {
            int vocabulary = random.Next(1, round % 10 == 0 ? 5000 : 300);
            int distinct = random.Next(1, 60);
            float[] logits = [.. Enumerable.Range(0, vocabulary).Select(_ => random.Next(8) == 0 ? float.NegativeInfinity : random.Next(distinct) * 0.37f)];
            logits[random.Next(vocabulary)] = 3;
            var options = new SamplingOptions
            {
                Temperature = 0.1 + (2 * random.NextDouble()),
                TopK = random.Next(3) == 0 ? random.Next(1, vocabulary + 2) : 0,
                TopP = random.Next(3) > 0 ? random.NextDouble() : 1,
                MinP = random.Next(3) == 0 ? random.NextDouble() * 0.3 : 0,
                TypicalP = random.Next(3) == 0 ? 0.05 + (0.9 * random.NextDouble()) : 1,
            };
            (SortedDictionary<int, double> expected, double margin) = NaiveSampler.Distribution(logits, options);
            if (margin < 1e-12)
                continue; // too near for different orders of summing to agree
            compared++;
            AssertDistribution(options, logits, [.. expected.Keys], [.. expected.Values], 1e-12);
        }

        Assert.InRange(compared, 350, 400);
    }

    [Fact]
    public void TypicalTokensAreThoseNearestToTheExpectedSurprise()
    {
        // 0.4, 0.3, 0.2, 0.1: the entropy is 1.280, the surprises are 0.916, 1.204, 1.609, 2.303, so that they are typical in the order 0.3, 0.2, 0.4, 0.1.
        float[] logits = [.. new[] { 0.4, 0.3, 0.2, 0.1 }.Select(static p => (float)Math.Log(p))];
        AssertDistribution(new() { TypicalP = 0.25 }, logits, [1], [1], 1e-7);
        AssertDistribution(new() { TypicalP = 0.45 }, logits, [1, 2], [3.0 / 5, 2.0 / 5], 1e-7);
        AssertDistribution(new() { TypicalP = 0.75 }, logits, [0, 1, 2], [4.0 / 9, 3.0 / 9, 2.0 / 9], 1e-7);
        AssertDistribution(new() { TypicalP = 0.45, MinP = 0.9 }, logits, [1], [1], 1e-7);
    }

    [Fact]
    public void TheTopChoicesAreLeftOutAsOftenAsAsked()
    {
        float[] logits = [.. new[] { 0.4, 0.3, 0.2, 0.1 }.Select(static p => (float)Math.Log(p))];
        // The first two reach the threshold; the less likely of them stays with the rest.
        AssertDistribution(new() { XtcProbability = 1, XtcThreshold = 0.25, Seed = 1 }, logits, [1, 2, 3], [3.0 / 6, 2.0 / 6, 1.0 / 6], 1e-7);
        AssertDistribution(new() { XtcProbability = 1, XtcThreshold = 0.35, Seed = 1 }, logits, [0, 1, 2, 3], [0.4, 0.3, 0.2, 0.1], 1e-7);
        AssertDistribution(new() { XtcProbability = 1, XtcThreshold = 0, Seed = 1 }, logits, [3], [1], 1e-7);

        // Half of the time, and which half does not depend on what is drawn: 3 standard deviations of 10,000 throws of a coin are 150.
        var sampler = new Sampler(new() { XtcProbability = 0.5, XtcThreshold = 0.25, Seed = 7 }, 4);
        var tokens = new int[4];
        var probabilities = new double[4];
        int left = Enumerable.Range(1, 10_000).Count(n => sampler.Distribution(logits, new int[n], 0, tokens, probabilities) == 3);
        Assert.InRange(left, 4850, 5150);
    }

    [Fact]
    public void DrawsByTheDistribution()
    {
        // 100,000 draws from 10 tokens: chi-square with 9 degrees of freedom exceeds 27.88 with probability 0.001. Seeds are fixed.
        float[] logits = [0.5f, -1, 2, 0, 1.5f, -2, 0.25f, 1, -0.5f, 0.75f];
        foreach (double temperature in (double[])[0.7, 1, 1.8])
        {
            var options = new SamplingOptions { Temperature = temperature, Seed = 99 };
            (SortedDictionary<int, double> expected, _) = NaiveSampler.Distribution(logits, options);
            var sampler = new Sampler(options, logits.Length);
            var history = new int[100_000];
            var counts = new int[logits.Length];
            for (int position = 0; position < history.Length; position++)
                counts[sampler.Sample(logits, history.AsSpan(0, position), 0)]++;
            double chi = expected.Sum(pair => Math.Pow(counts[pair.Key] - (pair.Value * history.Length), 2) / (pair.Value * history.Length));
            Assert.InRange(chi, 0, 27.88);
        }
    }

    // Frozen by an independent implementation (integers of any size, full sort, exactly rounded sums).
    [Fact]
    public void SeedsAreFrozen()
    {
        Assert.Equal(
            [30, 66, 62, 30, 17, 66, 30, 75, 98, 30, 30, 62, 66, 30, 79, 98, 98, 98, 72, 79, 66, 49, 62, 98],
            Generate(new() { Seed = 1234 }, 0));
        Assert.Equal(
            [49, 66, 62, 49, 30, 66, 30, 79, 98, 30, 30, 63, 66, 30, 79, 98, 98, 98, 72, 79, 66, 49, 62, 98],
            Generate(new() { Seed = 1234, Temperature = 0.8, TopK = 20, TopP = 0.9, MinP = 0.02 }, 0));
        Assert.Equal(
            [63, 66, 6, 72, 21, 75, 96, 66, 53, 79, 69, 61, 42, 61, 7, 75, 75, 21, 3, 75, 32, 65, 92, 5],
            Generate(new() { Seed = -7, Temperature = 1.7, TopP = 0.95 }, 2));
    }

    [Fact]
    public void TheSameCallGivesTheSameTokenWhateverCameBefore()
    {
        var options = new SamplingOptions { Seed = 5, TopP = 0.9, RepetitionPenalty = 1.3, FrequencyPenalty = 0.2 };
        var scratch = new SamplerScratch(Logits.Length);
        var first = new Sampler(options, Logits.Length, 0, scratch);
        var second = new Sampler(options, Logits.Length, 0, scratch);
        var other = new Sampler(new() { Seed = 8, TopK = 7 }, Logits.Length, 0, scratch);
        int[] history = [.. Enumerable.Range(0, 50).Select(i => i * 7 % 100)];
        for (int length = 10; length < 50; length++)
        {
            int token = first.Sample(Logits, history.AsSpan(0, length), 10);
            other.Sample(Logits, history.AsSpan(0, length), 10);
            Assert.Equal(token, second.Sample(Logits, history.AsSpan(0, length), 10));
        }
    }

    [Fact]
    public void WithoutASeedOneIsChosenAndTold()
    {
        var sampler = new Sampler(new(), Logits.Length);
        Assert.NotEqual(sampler.Seed, new Sampler(new(), Logits.Length).Seed);
        var again = new Sampler(new() { Seed = sampler.Seed }, Logits.Length);
        Assert.All(Enumerable.Range(0, 30), n => Assert.Equal(sampler.Sample(Logits, new int[n], 0), again.Sample(Logits, new int[n], 0)));
    }

    [Fact]
    public void BannedTokensAreNeverDrawn()
    {
        float[] logits = [float.NegativeInfinity, 0, float.NegativeInfinity, -800, float.NegativeInfinity];
        var sampler = new Sampler(new() { Seed = 3 }, 5);
        Assert.All(Enumerable.Range(0, 500), n => Assert.Equal(1, sampler.Sample(logits, new int[n], 0)));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void UnfitLogitsAreClearErrors(double temperature)
    {
        var options = new SamplingOptions { Temperature = temperature, Seed = 1 };
        foreach (int at in (int[])[0, 9, 19])
        {
            float[] logits = [.. Enumerable.Repeat(1f, 20)];
            logits[at] = float.NaN;
            Assert.Equal($"logits: expected finite numbers or -Infinity, got NaN for token {at} (position 2)", Assert.Throws<PunaException>(() => Sample(options, logits)).Message);
            logits[at] = float.PositiveInfinity;
            Assert.Equal($"logits: expected finite numbers or -Infinity, got Infinity for token {at} (position 2)", Assert.Throws<PunaException>(() => Sample(options, logits)).Message);
        }

        float[] banned = [.. Enumerable.Repeat(float.NegativeInfinity, 20)];
        Assert.Equal("logits: expected a token that may follow, got -Infinity for all 20 (position 2)", Assert.Throws<PunaException>(() => Sample(options, banned)).Message);
    }

    [Fact]
    public void UnfitLogitsAreNotHiddenByPenalties()
    {
        var options = new SamplingOptions { RepetitionPenalty = 2, LogitBias = new Dictionary<int, float> { [0] = 5 } };
        Assert.Throws<PunaException>(() => Sample(options, [float.NaN, 1]));
        Assert.Throws<PunaException>(() => Sample(options, [float.PositiveInfinity, 1]));
    }

    [Fact]
    public void PenaltiesWorkWithEveryCutAndLeaveTheLogitsAlone()
    {
        // Token 1 falls from 2 to 1 by the penalty: equal to token 2, and before it by its id.
        float[] logits = [0, 2, 1, -3];
        var options = new SamplingOptions { RepetitionPenalty = 2, TopK = 2, Seed = 1 };
        var tokens = new int[4];
        var probabilities = new double[4];
        Assert.Equal(2, new Sampler(options, 4).Distribution(logits, [1], 0, tokens, probabilities));
        Assert.Equal([1, 2], tokens[..2]);
        Assert.Equal([0.5, 0.5], probabilities[..2]);
        Assert.Equal([0, 2, 1, -3], logits);
    }

    [Fact]
    public void NothingIsAllocatedPerToken()
    {
        var options = new SamplingOptions { Temperature = 0.8, TopK = 50, TopP = 0.9, MinP = 0.01, RepetitionPenalty = 1.1, FrequencyPenalty = 0.1, LogitBias = new Dictionary<int, float> { [3] = 1 }, Seed = 1 };
        var history = new int[64];
        SamplingOptions rare = options with { TypicalP = 0.9, XtcProbability = 0.5, DryMultiplier = 0.8, DryBreakers = new HashSet<int> { 2 } };
        foreach (SamplingOptions each in (SamplingOptions[])[options, options with { TopK = 0 }, SamplingOptions.Greedy, rare])
        {
            var sampler = new Sampler(each, Logits.Length);
            for (int warm = 0; warm < 3; warm++)
                sampler.Sample(Logits, history, 5, out _);

            // The least of several rounds: the runtime may allocate once on this thread while it recompiles; what a token costs shows in every round.
            long least = long.MaxValue;
            for (int round = 0; round < 5; round++)
            {
                long before = GC.GetAllocatedBytesForCurrentThread();
                for (int i = 0; i < 100; i++)
                    sampler.Sample(Logits, history, 5, out _);
                least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            Assert.Equal(0, least);
        }
    }

    [Fact]
    public void LogProbabilityIsThatOfTheUntouchedLogits()
    {
        var sampler = new Sampler(new() { Temperature = 0.1, TopK = 1, RepetitionPenalty = 4, Seed = 1 }, 3);
        Assert.Equal(0, sampler.Sample([1, 2, 3], [1, 2], 0, out float logProb));
        Assert.Equal(Math.Log(Math.Exp(1) / (Math.Exp(1) + Math.Exp(2) + Math.Exp(3))), logProb, 1e-6);
    }

    [Fact]
    public void WrongSizesAreRefused()
    {
        var sampler = new Sampler(new(), 3);
        Assert.Throws<ArgumentException>(() => sampler.Sample([1, 2], [], 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => sampler.Sample([1, 2, 3], [1], 2));
        Assert.Throws<ArgumentException>(() => new Sampler(new(), 3, 0, new SamplerScratch(4)));
    }

    private static int Sample(SamplingOptions options, float[] logits) => new Sampler(options, logits.Length).Sample(logits, [0, 0], 1);

    private static int[] Generate(SamplingOptions options, int choice)
    {
        var sampler = new Sampler(options, Logits.Length, choice);
        return [.. Enumerable.Range(5, 24).Select(position => sampler.Sample(Logits, new int[position], 0))];
    }

    private static void AssertDistribution(SamplingOptions options, float[] logits, int[] tokens, double[] probabilities, double tolerance)
    {
        var actualTokens = new int[logits.Length];
        var actual = new double[logits.Length];
        int count = new Sampler(options, logits.Length).Distribution(logits, [], 0, actualTokens, actual);
        Assert.Equal(tokens, actualTokens[..count]);
        for (int i = 0; i < count; i++)
            Assert.Equal(probabilities[i], actual[i], tolerance);
    }
}
