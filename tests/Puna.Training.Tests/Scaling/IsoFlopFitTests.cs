using Puna.Tensors;
using Puna.Training.Scaling;

namespace Puna.Training.Tests.Scaling;

/// <summary>Parabolas that are known are found again.</summary>
public sealed class IsoFlopFitTests
{
    [Fact]
    public void LowestPointsAndTheirGrowthAreFound()
    {
        var runs = new List<ScalingPoint>();
        foreach (double flops in (double[])[1e18, 1e19, 1e20, 1e21])
        {
            // Best size 0.1 C^0.49, so best tokens C^0.51 / 0.6; not where a run is.
            double best = 0.1 * Math.Pow(flops, 0.49);
            runs.AddRange(((double[])[0.3, 0.7, 1.3, 2.2, 4]).Select(f => new ScalingPoint(f * best, flops / (6 * f * best), 3 + (0.05 * Math.Pow(Math.Log(f), 2)))));
        }

        IsoFlopFit fit = IsoFlopFit.Fit(runs);
        Assert.Equal(4, fit.Parabolas.Count);
        Assert.All(fit.Parabolas, p =>
        {
            Assert.Equal(3, p.Loss, 1e-9);
            Assert.Equal(0.05, p.Curvature, 1e-9);
            Assert.True(p.IsInside);
            Assert.Equal(p.Flops, 6 * p.N * p.D, 1e-6 * p.Flops);
            Assert.Equal(3 + (0.05 * Math.Pow(Math.Log(2), 2)), p.At(2 * p.N), 1e-9);
        });
        Assert.Equal(0.49, fit.Parameters!.Exponent, 1e-9);
        Assert.Equal(0.1, fit.Parameters.Coefficient, 1e-7);
        Assert.Equal(0.51, fit.Tokens!.Exponent, 1e-9);
        Assert.Equal(0.1 * Math.Pow(1e23, 0.49), fit.Parameters.At(1e23), 1e3);
    }

    [Fact]
    public void BudgetsWithoutALowestPointAreLeftOut()
    {
        ScalingPoint[] bowl = [.. ((double[])[1, 2, 4]).Select(static f => new ScalingPoint(1e6 * f, 1e9 / f, 3 + Math.Pow(Math.Log(f / 2), 2)))];
        ScalingPoint[] hill = [.. ((double[])[1, 2, 4]).Select(static f => new ScalingPoint(1e6 * f, 1e10 / f, 3 - Math.Pow(Math.Log(f / 2), 2)))];
        ScalingPoint[] two = [.. ((double[])[1, 2]).Select(static f => new ScalingPoint(1e6 * f, 1e11 / f, 3))];
        IsoFlopFit fit = IsoFlopFit.Fit([.. two, .. hill, .. bowl]);
        Assert.Equal(2e6, Assert.Single(fit.Parabolas).N, 1);
        Assert.Null(fit.Parameters);
        Assert.Equal("isoFLOP fit: expected a budget with 3 model sizes and a loss that falls and rises with size, got none among 5 runs", Assert.Throws<PunaException>(() => IsoFlopFit.Fit([.. two, .. hill])).Message);
    }
}
