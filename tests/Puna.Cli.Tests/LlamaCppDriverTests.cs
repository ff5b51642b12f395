using System.ComponentModel;
using System.Diagnostics;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests;

/// <summary>The tests of <c>bench/llamacpp</c>, which are written for Node.js as the driver is, run where Node.js is there.</summary>
public class LlamaCppDriverTests
{
    [Fact]
    public async Task TheDriverPassesItsOwnTests()
    {
        Process node;
        try
        {
            node = Process.Start(new ProcessStartInfo("node", ["--test", "bench/llamacpp/vs-llamacpp.test.mjs"])
            {
                WorkingDirectory = TestFiles.Root,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        }
        catch (Win32Exception)
        {
            Assert.Skip("Node.js is not on the path");
            return;
        }

        using (node)
        {
            Task<string> error = node.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            string output = await node.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            await node.WaitForExitAsync(TestContext.Current.CancellationToken);
            Assert.True(node.ExitCode == 0, output + await error);
            Assert.Matches(@"pass [1-9]\d*\b", output);
        }
    }
}
