using System.Diagnostics;
using System.Text;

namespace Puna.Cli.Tests;

/// <summary>The built <c>puna</c> in a process of its own.</summary>
internal sealed record PunaProcess(int Code, string Out, string Error)
{
    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    public static PunaProcess Run(params string[] args) => Run(args, null, null);

    public static PunaProcess Run(string[] args, string? input, IReadOnlyDictionary<string, string>? environment)
    {
        using Process process = Start(args, environment);
        Task<string> error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        if (input is not null)
        {
            process.StandardInput.Write(input);
        }

        process.StandardInput.Close();
        process.WaitForExit();
        return new PunaProcess(process.ExitCode, output.Result, error.Result);
    }

    /// <summary>Starts without waiting.</summary>
    public static Process Start(string[] args, IReadOnlyDictionary<string, string>? environment = null)
    {
        string path = Path.Combine(AppContext.BaseDirectory, OperatingSystem.IsWindows() ? "puna.exe" : "puna");
        var start = new ProcessStartInfo(path, args)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = Utf8,
            StandardOutputEncoding = Utf8,
            StandardErrorEncoding = Utf8,
        };
        foreach ((string name, string value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    /// <summary>Asserts the contract of a failure: its exit code, one line on standard error, nothing on standard output.</summary>
    public void AssertFailed(int code)
    {
        Assert.Equal("", Out);
        Assert.StartsWith("puna: ", Error, StringComparison.Ordinal);
        Assert.Equal(Error.Length - 1, Error.IndexOf('\n', StringComparison.Ordinal));
        Assert.Equal(code, Code);
    }
}
