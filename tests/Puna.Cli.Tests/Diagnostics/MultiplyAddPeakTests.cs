using System.Diagnostics;
using System.Runtime.CompilerServices;
using Puna.Cli.Diagnostics;

namespace Puna.Cli.Tests.Diagnostics;

public class MultiplyAddPeakTests
{
    /// <summary>
    /// Scalar multiply-adds that wait for each other are the other end: one thread does one per latency (4 or 5 cycles), where the peak has two units times
    /// four to sixteen lanes per cycle, at least 32 times as many. Four times leaves room for whatever else runs; both are the best of several tries.
    /// </summary>
    [Fact]
    public void IsFarAboveAChainOfScalars()
    {
        double peak = MultiplyAddPeak.Measure(1, TestContext.Current.CancellationToken);
        double chain = Enumerable.Range(0, 8).Max(static _ => ScalarRate());
        Assert.True(peak > 4 * chain, $"{peak} and {chain}");

        // Two 512-bit units at 6 GHz: 2 x 16 x 2 x 6e9. More than twice that would mean that the work was left out.
        Assert.True(peak < 1e12, $"{peak}");
    }

    [Fact]
    public void StopsWhenAsked() => Assert.Throws<OperationCanceledException>(static () => MultiplyAddPeak.Measure(1, new CancellationToken(canceled: true)));

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static double ScalarRate()
    {
        const int Steps = 1 << 20;
        float x = 0.5f;
        long start = Stopwatch.GetTimestamp();
        for (int i = 0; i < Steps; i++)
        {
            x = MathF.FusedMultiplyAdd(x, 0.999f, 0.001f);
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Assert.InRange(x, 0, 1.01f);
        return 2 * Steps / seconds;
    }
}
