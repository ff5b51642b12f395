using Puna.Runtime.Sampling;

namespace Puna.Runtime.Tests.Sampling;

/// <summary>Every expected number is worked out by hand; all are exact in float32.</summary>
public class LogitAdjustmentTests
{
    private static readonly float[] Logits = [4, -4, 2, 0, -1];

    [Fact]
    public void RepetitionDividesPositiveAndMultipliesNegativeOnce() =>
        Assert.Equal([2, -8, 2, 0, -1], Apply(new() { RepetitionPenalty = 2 }, [0, 1, 1, 3, 0], 2));

    [Fact]
    public void RepetitionLooksAtTheWindowOnly()
    {
        Assert.Equal([4, -8, 2, 0, -1], Apply(new() { RepetitionPenalty = 2, RepetitionWindow = 2 }, [0, 2, 1, 3], 0));
        Assert.Equal(Logits, Apply(new() { RepetitionPenalty = 2, RepetitionWindow = 0 }, [0, 2, 1, 3], 0));
        Assert.Equal([2, -4, 2, 0, -1], Apply(new() { RepetitionPenalty = 2, RepetitionWindow = 99 }, [0], 0));
    }

    [Fact]
    public void PresenceCountsOnceAndFrequencyEachTimeWithThePromptOrWithoutIt()
    {
        var generated = new SamplingOptions { PenalizePrompt = false };
        Assert.Equal([4, -4.5f, 2, -0.5f, -1], Apply(generated with { PresencePenalty = 0.5 }, [0, 2, 1, 1, 3], 2));
        Assert.Equal([4, -5, 2, -0.5f, -1], Apply(generated with { FrequencyPenalty = 0.5 }, [0, 2, 1, 1, 3], 2));
        Assert.Equal([4, -6, 2, -1.5f, -1], Apply(generated with { FrequencyPenalty = 0.5, PresencePenalty = 1 }, [0, 2, 1, 1, 3], 2));
        Assert.Equal([3.5f, -5, 1.5f, -0.5f, -1], Apply(new() { FrequencyPenalty = 0.5 }, [0, 2, 1, 1, 3], 2));
        Assert.Equal([3.5f, -4.5f, 1.5f, -0.5f, -1], Apply(new() { PresencePenalty = 0.5 }, [0, 2, 1, 1, 3], 2));
        Assert.Equal([4, -3, 2, 0, -1], Apply(new() { PresencePenalty = -1 }, [1], 0));
    }

    [Fact]
    public void BiasComesFirstThenRepetitionThenTheOthers()
    {
        // Token 0: (4 - 6) = -2, times 2 = -4, minus 0.5 = -4.5.
        var options = new SamplingOptions { LogitBias = new Dictionary<int, float> { [0] = -6, [4] = 3, [99] = 1 }, RepetitionPenalty = 2, PresencePenalty = 0.5 };
        Assert.Equal([-4.5f, -4, 2, 0, 2], Apply(options, [0], 0));
    }

    [Fact]
    public void BansStayAndHugeOptionsDoNotBan()
    {
        var options = new SamplingOptions { LogitBias = new Dictionary<int, float> { [0] = float.NegativeInfinity, [2] = float.MaxValue }, RepetitionPenalty = 1e300, FrequencyPenalty = 1e308 };
        float[] changed = Apply(options, [0, 1, 1, 1], 0);
        Assert.Equal(float.NegativeInfinity, changed[0]);
        Assert.Equal(float.MinValue, changed[1]);
        Assert.Equal(float.MaxValue, changed[2]);
        Assert.Equal(float.MinValue, Apply(new() { LogitBias = new Dictionary<int, float> { [1] = float.MinValue } }, [], 0)[1]);
    }

    [Fact]
    public void TokensOutsideTheVocabularyArePassedOver() =>
        Assert.Equal([4, -8, 2, 0, -1], Apply(new() { RepetitionPenalty = 2, PenalizePrompt = true }, [128_256, -1, 1, 5], 0));

    private static float[] Apply(SamplingOptions options, int[] history, int promptLength)
    {
        float[] logits = [.. Logits];
        var counts = new int[logits.Length];
        LogitAdjustment.Apply(options, options.LogitBias is null ? [] : [.. options.LogitBias], logits, history, promptLength, counts, []);
        Assert.All(counts, count => Assert.Equal(0, count));
        Assert.True(LogitAdjustment.IsNeeded(options));
        return logits;
    }
}
