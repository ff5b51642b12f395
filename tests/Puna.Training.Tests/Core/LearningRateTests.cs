using Puna.Tensors;
using Puna.Training.Core;

namespace Puna.Training.Tests.Core;

/// <summary>The schedules by their definitions (spec training.md 1.5).</summary>
public sealed class LearningRateTests
{
    [Fact]
    public void CosineHasThePeakAtTheEndOfTheWarmUpAndOnceMore()
    {
        var rate = new LearningRate(LearningRateKind.Cosine, 1, 0.1, 4, 12);
        Assert.Equal([0.25, 0.5, 0.75, 1, 1], Enumerable.Range(0, 5).Select(s => rate.At(s)));
        Assert.Equal(0.55, rate.At(8), 1e-12);
        Assert.True(rate.At(11) > 0.1);
        Assert.Equal(0.1, rate.At(12), 1e-12);
        Assert.Equal(0.1, rate.At(1000), 1e-12);
    }

    [Fact]
    public void TheOthersAreStraightLines()
    {
        var linear = new LearningRate(LearningRateKind.Linear, 1, 0, 0, 10);
        Assert.Equal(0.7, linear.At(3), 1e-12);
        var stable = new LearningRate(LearningRateKind.WarmupStableDecay, 1, 0, 2, 10, 4);
        Assert.Equal([0.5, 1, 1, 1, 1, 1, 1, 0.75, 0.5, 0.25], Enumerable.Range(0, 10).Select(s => stable.At(s)));
        Assert.Equal(1, new LearningRate(LearningRateKind.Constant, 1, 0, 2, 10).At(9));
    }

    [Theory]
    [InlineData(0, 0, 0, 1)]
    [InlineData(1, 2, 0, 1)]
    [InlineData(1, 0, 2, 1)]
    [InlineData(1, 0, 0, 0)]
    [InlineData(double.NaN, 0, 0, 1)]
    public void NumbersThatMakeNoScheduleAreRefused(double peak, double floor, long warmup, long steps) =>
        Assert.Throws<PunaException>(() => new LearningRate(LearningRateKind.Cosine, peak, floor, warmup, steps).Validate("here"));
}
