using System.Diagnostics;
using Puna.Tests.Shared;

namespace Puna.Extensions.AI.Tests;

/// <summary>The samples run, with the embedded model.</summary>
public class SampleTests
{
    [Fact]
    public async Task TheAgentUsesTheToolOfAServer()
    {
        string output = await Run("Puna.Samples.Agent", "How much is 37 times 12?");
        Assert.Contains("tools: calculator", output, StringComparison.Ordinal);
        Assert.Contains("call: calculator(expression: ", output, StringComparison.Ordinal);
        Assert.Contains("result: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task RetrievalFindsAPassageAndAnswers()
    {
        string output = await Run("Puna.Samples.Retrieval", "Who has seven bags of salt?");
        Assert.Contains("passage (", output, StringComparison.Ordinal);
        Assert.Contains("answer: ", output, StringComparison.Ordinal);
    }

    private static async Task<string> Run(string name, string question)
    {
        // Built beside the tests, with the same configuration.
        string configuration = new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;
        string folder = Path.Combine(TestFiles.Root, "samples", name, "bin", configuration, "net10.0");
        var start = new ProcessStartInfo("dotnet", [Path.Combine(folder, name + ".dll"), question]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(120));
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        Assert.True(process.ExitCode == 0, await errors);
        return await output;
    }
}
