using System.Diagnostics;
using System.Globalization;

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
    public void AFailureNeedsNobodyToTell()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs a Unix shell");
        using Process shell = Process.Start(new ProcessStartInfo("sh", ["-c", "\"$0\" nope 2>&-; echo $?", Path.Combine(AppContext.BaseDirectory, "puna")])
        {
            RedirectStandardOutput = true,
        })!;
        Assert.Equal("2\n", shell.StandardOutput.ReadToEnd());
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

    [Fact]
    public void AStoryComesInUtf8()
    {
        PunaProcess run = PunaProcess.Run("run", "--max-tokens", "2", "--temperature", "0", "--", "@ñandú [red]");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.StartsWith("@ñandú [red]", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("INT")]
    [InlineData("TERM")]
    [InlineData("HUP")]
    public async Task ASignalEndsTheWork(string signal)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "needs kill");
        CancellationToken stop = TestContext.Current.CancellationToken;

        // A shell starts what it runs in the background with Ctrl-C ignored, a program leaves ignored what it finds so, and these tests may run there.
        bool canReset = await CodeOf(Start("env", "--default-signal=INT", "true"), stop) == 0;
        Assert.SkipUnless(canReset || !await IsIgnoredAsync(signal, stop), $"SIG{signal} is ignored here");
        string[] work = [Path.Combine(AppContext.BaseDirectory, "puna"), "perplexity", "--file", "-"];
        using Process process = canReset ? Start("env", ["--default-signal=INT,TERM,HUP", .. work]) : Start(work[0], work[1..]);
        try
        {
            // It has read the most of this when the last of it has gone into the pipe, so it listens by then; and it takes minutes to work on it.
            string line = "Once upon a time there was a herder\n";
            await process.StandardInput.WriteAsync(string.Concat(Enumerable.Repeat(line, 100_000)).AsMemory(), stop);
            process.StandardInput.Close();
            await CodeOf(Start("kill", "-" + signal, process.Id.ToString(CultureInfo.InvariantCulture)), stop);
            Assert.Equal("puna: interrupted\n", await process.StandardError.ReadToEndAsync(stop).WaitAsync(TimeSpan.FromSeconds(60), stop));
            Assert.Equal("", await process.StandardOutput.ReadToEndAsync(stop));
            await process.WaitForExitAsync(stop);
            Assert.Equal(130, process.ExitCode);
        }
        finally
        {
            // Nothing that hangs may stay behind or hold up the tests.
            process.Kill();
        }
    }

    private static Process Start(string program, params string[] args) => Process.Start(new ProcessStartInfo(program, args)
    {
        RedirectStandardInput = true,
        RedirectStandardOutput = true,
        RedirectStandardError = true,
    })!;

    private static async Task<int> CodeOf(Process process, CancellationToken stop)
    {
        using (process)
        {
            await process.WaitForExitAsync(stop);
            return process.ExitCode;
        }
    }

    private static async Task<bool> IsIgnoredAsync(string signal, CancellationToken stop)
    {
        if (!File.Exists("/proc/self/status"))
        {
            return false;
        }

        string line = (await File.ReadAllLinesAsync("/proc/self/status", stop)).First(static l => l.StartsWith("SigIgn:", StringComparison.Ordinal));
        ulong ignored = ulong.Parse(line.AsSpan("SigIgn:".Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return (ignored >> ((signal switch { "HUP" => 1, "INT" => 2, _ => 15 }) - 1) & 1) != 0;
    }
}
