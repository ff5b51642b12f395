using Puna.Training.Scaling;

namespace Puna.Training.Tests.Scaling;

/// <summary>The formulas of a law against a search.</summary>
public sealed class ScalingLawTests
{
    [Theory]
    [InlineData(1e18)]
    [InlineData(5.76e23)]
    public void TheOptimumIsTheLowestOfABudget(double flops)
    {
        var law = new ScalingLaw(1.69, 406.4, 0.34, 410.7, 0.28);
        (double n, double d) = law.Optimum(flops);
        Assert.Equal(flops, 6 * n * d, 1e-9 * flops);
        for (double factor = 0.5; factor <= 2; factor *= 1.01)
        {
            Assert.True(law.Loss(n, d) <= law.Loss(n * factor, d / factor) + 1e-12);
        }
    }

    [Fact]
    public void ExponentsShareTheBudget()
    {
        var law = new ScalingLaw(1, 10, 0.3, 20, 0.6);
        Assert.Equal(0.6 / 0.9, law.ParametersExponent, 1e-12);
        Assert.Equal(Math.Pow(10, 0.6 / 0.9), law.Optimum(1e10).N / law.Optimum(1e9).N, 1e-9);
    }

    /// <summary>AC-22 of spec training.md: the extrapolation of Llama 3 (arXiv 2407.21783), 16.55 T tokens at 3.8e25 operations, holds with the figure's constants and not with the text's rounded ones.</summary>
    [Fact]
    public void LlamaThreesTokensFollowFromItsLine()
    {
        Assert.InRange(new PowerLaw(0.299, 0.537).At(3.8e25), 15.5e12, 17.0e12);
        Assert.InRange(new PowerLaw(0.29, 0.53).At(3.8e25), 9e12, 11e12);
    }
}
