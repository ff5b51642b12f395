using System.Diagnostics;

namespace Puna.Cli.Tests;

/// <summary>What only a process shows: exit codes, encodings, pipes and signals.</summary>
public class ProcessTests
{
    [Fact]
    public void BadUsageIsOneLineAndNothingElse()
    {
        PunaProcess run = PunaProcess.Run("doctor", "--bögus\nsecond line");
        run.AssertFailed(2);
        Assert.Contains("--bögus second line", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void HelpGoesToStandardOutput()
    {
        PunaProcess run = PunaProcess.Run([], null, new Dictionary<string, string> { ["COLUMNS"] = "60" });
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.NotEqual('\uFEFF', run.Out[0]);
        Assert.All(run.Out.Split('\n'), static line => Assert.True(line.Length <= 60, line));
    }

    [Fact]
    public void AClosedPipeIsNoFailure()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a Unix shell");
        using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", "{ \"$0\" completion bash; echo $? >&2; } | true", Path.Combine(AppContext.BaseDirectory, "puna")])
        {
            RedirectStandardError = true,
        })!;
        Assert.Equal("0\n", shell.StandardError.ReadToEnd());
        shell.WaitForExit();
    }

    [Fact]
    public void AFullDiskIsAFailure()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs /dev/full");
        using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", "\"$0\" completion bash > /dev/full; echo $? >&2", Path.Combine(AppContext.BaseDirectory, "puna")])
        {
            RedirectStandardError = true,
        })!;
        string[] lines = shell.StandardError.ReadToEnd().Split('\n');
        shell.WaitForExit();
        Assert.Equal(3, lines.Length);
        Assert.StartsWith("puna: ", lines[0], StringComparison.Ordinal);
        Assert.Equal("1", lines[1]);
    }
}
