using System.Diagnostics;
using Puna.Cli.Diagnostics;

namespace Puna.Cli.Tests.Diagnostics;

public class MemoryBandwidthTests
{
    /// <summary>Copying memory with the runtime's own routine moves at most twice what is read; a measurement far below half of that would not reach the memory.</summary>
    [Fact]
    public void IsAtLeastWhatACopyReads()
    {
        double measured = MemoryBandwidth.Measure(1, TestContext.Current.CancellationToken);
        var from = new byte[256 << 20];
        var to = new byte[from.Length];
        Array.Fill(from, (byte)1);
        Array.Fill(to, (byte)2);
        double copy = 0;
        for (int i = 0; i < 5; i++)
        {
            long start = Stopwatch.GetTimestamp();
            Buffer.BlockCopy(from, 0, to, 0, from.Length);
            copy = Math.Max(copy, from.Length / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        // Half of it, because other programs use the memory too, and not evenly.
        Assert.True(measured > copy / 2, $"{measured} and {copy}");
        Assert.True(measured < 1e13, $"{measured}");
    }

    [Fact]
    public void StopsWhenAsked() => Assert.Throws<OperationCanceledException>(static () => MemoryBandwidth.Measure(1, new CancellationToken(canceled: true)));
}
