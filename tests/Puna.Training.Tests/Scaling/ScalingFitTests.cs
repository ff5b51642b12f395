using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Scaling;

namespace Puna.Training.Tests.Scaling;

/// <summary>Laws that are known are found again from runs made of them.</summary>
public sealed class ScalingFitTests
{
    private static readonly ScalingLaw s_law = new(1.69, 406.4, 0.34, 410.7, 0.28);

    /// <summary>AC-21 of spec training.md: with half a per cent of noise, exponents within 5 % and the best size within 15 %.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void AKnownLawIsFoundThroughNoise(ulong seed)
    {
        ScalingFit fit = ScalingFit.Fit(Runs(s_law, 16, 0.005, seed), new ScalingFitOptions(Resamples: 50));
        Assert.Equal(s_law.Alpha, fit.Law.Alpha, 0.05 * s_law.Alpha);
        Assert.Equal(s_law.Beta, fit.Law.Beta, 0.05 * s_law.Beta);
        (double n, double d) = fit.Law.Optimum(1e22);
        Assert.Equal(s_law.Optimum(1e22).N, n, 0.15 * s_law.Optimum(1e22).N);
        Assert.Equal(1e22, 6 * n * d, 1e14);
        Assert.InRange(fit.Error, 0.002, 0.006);

        // A run larger than all of them is predicted, and within the interval's reach.
        Assert.Equal(s_law.Loss(4e11, 1e13), fit.Law.Loss(4e11, 1e13), 0.01 * s_law.Loss(4e11, 1e13));
        ScalingInterval interval = fit.Interval(static law => law.Loss(4e11, 1e13))!.Value;
        Assert.InRange(fit.Law.Loss(4e11, 1e13), interval.Low, interval.High);
        Assert.InRange(interval.High - interval.Low, 1e-4, 0.1);
    }

    /// <summary>Another law, of small models, and no noise: every constant. The bound is what a sum of 1e-10 that no longer falls leaves open.</summary>
    [Theory]
    [InlineData(0.8, 30, 0.25, 60, 0.4)]
    [InlineData(1.69, 406.4, 0.34, 410.7, 0.28)]
    [InlineData(0.1, 5, 0.1, 2000, 0.5)]
    public void WithoutNoiseEveryConstantIsFound(double e, double a, double alpha, double b, double beta)
    {
        var law = new ScalingLaw(e, a, alpha, b, beta);
        ScalingFit fit = ScalingFit.Fit(Runs(law, 6, 0, 1), new ScalingFitOptions(Resamples: 0));
        Assert.Equal(alpha, fit.Law.Alpha, 0.01 * alpha);
        Assert.Equal(beta, fit.Law.Beta, 0.01 * beta);
        Assert.Equal(e, fit.Law.E, 0.02 * e);
        Assert.InRange(fit.Error, 0, 1e-4);
        Assert.Null(fit.Interval(static l => l.E));
    }

    [Fact]
    public void ARunThatWentWrongDoesNotBendTheLaw()
    {
        List<ScalingPoint> runs = Runs(s_law, 8, 0.001, 7);
        runs[20] = runs[20] with { Loss = runs[20].Loss * 1.5 };
        ScalingLaw robust = ScalingFit.Fit(runs, new ScalingFitOptions(Resamples: 0)).Law;

        // With squares throughout the same run does.
        ScalingLaw squares = ScalingFit.Fit(runs, new ScalingFitOptions(Delta: 10, Resamples: 0)).Law;
        double Off(ScalingLaw law) => Math.Abs((law.Alpha / s_law.Alpha) - 1) + Math.Abs((law.Beta / s_law.Beta) - 1);
        Assert.InRange(Off(robust), 0, 0.05);
        Assert.True(Off(squares) > 3 * Off(robust), $"squares {Off(squares)}, huber {Off(robust)}");
    }

    [Fact]
    public void TheSameSeedGivesTheSameIntervals()
    {
        List<ScalingPoint> runs = Runs(s_law, 5, 0.005, 3);
        ScalingInterval? Of(ulong seed) => ScalingFit.Fit(runs, new ScalingFitOptions(Resamples: 20, Seed: seed)).Interval(static l => l.ParametersExponent);
        Assert.Equal(Of(1), Of(1));
        Assert.NotEqual(Of(1), Of(2));
    }

    [Fact]
    public void WhatCannotBeFittedIsRefused()
    {
        List<ScalingPoint> runs = Runs(s_law, 3, 0, 1);
        Assert.Equal("scaling fit runs: expected more than the law's 5 constants, got 5", Message(runs[..5]));
        Assert.Equal("scaling fit runs: expected two sizes and two numbers of tokens at least, got 9", Message([.. runs.Select(static r => r with { N = 1e6 })]));
        Assert.StartsWith("scaling point loss: expected a positive number, got NaN", Message([.. runs.Select(static r => r with { Loss = double.NaN })]), StringComparison.Ordinal);
        Assert.StartsWith("scaling point tokens: expected a positive number, got 0", Message([.. runs.Select(static r => r with { D = 0 })]), StringComparison.Ordinal);
        static string Message(IReadOnlyList<ScalingPoint> points) => Assert.Throws<PunaException>(() => ScalingFit.Fit(points)).Message;
    }

    /// <summary>Square of runs from 40 M to 16 B parameters and 1 B to 1 T tokens.</summary>
    private static List<ScalingPoint> Runs(ScalingLaw law, int side, double noise, ulong seed)
    {
        var runs = new List<ScalingPoint>();
        Span<float> normal = stackalloc float[1];
        for (int i = 0; i < side; i++)
        {
            for (int j = 0; j < side; j++)
            {
                double n = 40e6 * Math.Pow(400, (double)i / (side - 1)), d = 1e9 * Math.Pow(1000, (double)j / (side - 1));
                Initialization.Normal(normal, seed, 0, runs.Count, 1);
                runs.Add(new(n, d, law.Loss(n, d) * (1 + (noise * normal[0]))));
            }
        }

        return runs;
    }
}
