using Puna.Training.Plots;

namespace Puna.Training.Tests.Plots;

/// <summary>Ticks are round, ascending, inside, and say what they are.</summary>
public sealed class ChartAxisTests
{
    [Fact]
    public void StepsAreOneTwoOrFive()
    {
        Assert.Equal(["0", "2", "4", "6", "8", "10"], Labels(0, 10, false, 6));
        Assert.Equal(["0.0", "0.1", "0.2", "0.3"], Labels(0, 0.3, false, 4));
        Assert.Equal(["-50", "0", "50"], Labels(-60, 60, false, 4));
        Assert.Equal(["0", "5e5", "1e6", "1.5e6", "2e6"], Labels(0, 2e6, false, 6));
        Assert.Equal(["0", "2e-7", "4e-7"], Labels(0, 5e-7, false, 4));
    }

    [Fact]
    public void LogarithmicTicksAreDecadesWhereTheyFill()
    {
        Assert.Equal(["1", "10", "100", "1000", "10000"], Labels(1, 10_000, true, 6));
        Assert.Equal(["1", "2", "5", "10", "20", "50", "100"], Labels(1, 100, true, 8));
        Assert.Equal(["1e18", "1e20", "1e22", "1e24"], Labels(1e18, 1e24, true, 6));
        Assert.Equal(["2", "3", "4", "5"], Labels(2, 5, true, 6));
        Assert.Equal(["3.0", "3.2", "3.4", "3.6"], Labels(3, 3.7, true, 6));
    }

    [Theory]
    [InlineData(0, 1e-280)]
    [InlineData(-1e300, 1e300)]
    [InlineData(1e15, 1e15 + 1)]
    [InlineData(-3e-9, 2e-9)]
    [InlineData(123456, 123457)]
    public void AnySpanHasAFewTicksInside(double low, double high)
    {
        ChartAxis axis = ChartAxis.Create([low, high], false, 0.05, 8);
        Assert.InRange(axis.Ticks.Count, 2, 9);
        Assert.All(axis.Ticks, t => Assert.InRange(axis.Place(t.Value), -1e-6, 1 + 1e-6));
        Assert.Equal(axis.Ticks.Count, axis.Ticks.Select(static t => t.Value).Distinct().Count());
        Assert.Equal(axis.Ticks.Select(static t => t.Value).Order(), axis.Ticks.Select(static t => t.Value));
    }

    [Theory]
    [InlineData(1e-300, 1e300)]
    [InlineData(5, 5)]
    [InlineData(0.9, 1.1)]
    public void AnyLogarithmicSpanToo(double low, double high)
    {
        ChartAxis axis = ChartAxis.Create([low, high, 0, -1, double.NaN], true, 0.05, 8);
        Assert.InRange(axis.Ticks.Count, 2, 9);
        Assert.All(axis.Ticks, t => Assert.InRange(axis.Place(t.Value), -1e-6, 1 + 1e-6));
    }

    private static IEnumerable<string> Labels(double low, double high, bool log, int most) => ChartAxis.Create([low, high], log, 0, most).Ticks.Select(static t => t.Label);
}
