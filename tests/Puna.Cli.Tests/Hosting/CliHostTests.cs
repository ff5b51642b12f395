using Puna.Cli.Hosting;

namespace Puna.Cli.Tests.Hosting;

public class CliHostTests
{
    [Fact]
    public void ExplainsItselfWithoutArguments()
    {
        CliRun run = CliRun.Of();
        Assert.Equal(0, run.Code);
        Assert.Contains("puna COMMAND", run.Out, StringComparison.Ordinal);
        Assert.Equal(run, CliRun.Of("--help"));
        Assert.Equal(run, CliRun.Of("-h"));
        Assert.Equal(run, CliRun.Of("help"));
    }

    [Fact]
    public void ExplainsACommandInThreeWays()
    {
        CliRun run = CliRun.Of("help", "doctor");
        Assert.StartsWith("puna doctor: ", run.Out, StringComparison.Ordinal);
        Assert.Equal(run, CliRun.Of("doctor", "--help"));
        Assert.Equal(run, CliRun.Of("doctor", "--json", "-h"));
        CliRun.Of("help", "doctr").AssertRefused("unknown command 'doctr', did you mean doctor? (puna help lists the commands)");
    }

    [Fact]
    public void ShowsTheVersion()
    {
        CliRun run = CliRun.Of("--version");
        Assert.Equal(0, run.Code);
        Assert.Matches(@"^puna \d+\.\d+\.\d+\n$", run.Out);
        Assert.Equal(run, CliRun.Of("version"));
    }

    [Fact]
    public void RefusesWhatIsNoCommand()
    {
        CliRun.Of("--bogus").AssertRefused("unknown command '--bogus' (puna help lists the commands)");
        CliRun.Of("").AssertRefused("unknown command '' (puna help lists the commands)");
        CliRun.Of("completon", "bash").AssertRefused("unknown command 'completon', did you mean completion? (puna help lists the commands)");
    }

    [Fact]
    public void InterruptedWorkKeepsWhatItHasWritten()
    {
        using var output = new StringWriter();
        using var error = new StringWriter { NewLine = "\n" };
        using var interrupts = new Interrupts();
        interrupts.Interrupt();
        int code = new CliHost(new Terminal(output, error, TextReader.Null), interrupts).Run(["doctor"]);
        Assert.Equal(130, code);
        Assert.Equal("puna: interrupted\n", error.ToString());
    }
}
