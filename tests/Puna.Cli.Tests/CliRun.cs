using System.Text;
using Puna.Cli.Hosting;

namespace Puna.Cli.Tests;

/// <summary>A command line carried out in this process; what it buffered but did not flush is not seen, as in a process.</summary>
internal sealed record CliRun(int Code, string Out, string Error)
{
    public static CliRun Of(params string[] args) => With("", args);

    public static CliRun With(string input, params string[] args)
    {
        using var bytes = new MemoryStream();
        using var output = new StreamWriter(bytes) { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        using var interrupts = new Interrupts(_ => throw new InvalidOperationException("exit"));
        int code = new CliHost(new Terminal(output, error, new StringReader(input)), interrupts).Run(args);
        return new CliRun(code, Encoding.UTF8.GetString(bytes.ToArray()), error.ToString());
    }

    /// <summary>Asserts that the command refused its input: exit code 2, one line of error, no result.</summary>
    public void AssertRefused(string message)
    {
        Assert.Equal((2, ""), (Code, Out));
        Assert.Equal($"puna: {message}\n", Error);
    }
}
