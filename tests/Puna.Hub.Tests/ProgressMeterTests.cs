using System.Diagnostics;

namespace Puna.Hub.Tests;

public class ProgressMeterTests
{
    [Fact]
    public async Task TellsTheSpeedOfWhatIsNew()
    {
        var recorder = new Recorder();
        var meter = new ProgressMeter(recorder, "f", 1, 2, 5_000_000);
        var clock = Stopwatch.StartNew();
        meter.Begin(1_000_000);
        await Task.Delay(150, TestContext.Current.CancellationToken);
        meter.Tick(PullStage.Downloading, 2_000_000);
        clock.Stop();
        PullProgress report = Assert.Single(recorder.Reports);
        Assert.Equal(("f", 1, 2, 2_000_000L, 5_000_000L), (report.File, report.Index, report.Count, report.Bytes, report.Total));

        // A million bytes in no more than the time on this clock, and in no less than the time between two reports.
        Assert.InRange(report.BytesPerSecond, 1_000_000 / clock.Elapsed.TotalSeconds, 1_000_000 / 0.1);
    }

    [Fact]
    public void DoesNotReportEveryBuffer()
    {
        var recorder = new Recorder();
        var meter = new ProgressMeter(recorder, "f", 1, 1, null);
        meter.Begin(0);
        for (int i = 0; i < 100; i++) meter.Tick(PullStage.Downloading, i);
        Assert.InRange(recorder.Reports.Count, 0, 10);
        new ProgressMeter(null, "f", 1, 1, null).Say(PullStage.Done, 1);
    }
}
