using System.Runtime.CompilerServices;
using Puna.Runtime.Generation;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests;

/// <summary>The C# sample of the README: compiled and run here, and compared with what the README says.</summary>
public sealed class ReadmeTests
{
    [Fact]
    public void TheSampleWorks()
    {
        // Named as the class the sample writes to.
        using var Console = new StringWriter();
        string path = TestFiles.TrainedTiny;
#pragma warning disable xUnit1051 // the sample is told nothing of cancellation
        // begin
        using var ops = new CpuOps();
        using LanguageModel model = LanguageModel.Open(path, ops: ops);
        using var session = new Session(model, ops);
        foreach (GenerationStep step in session.Generate(model.Tokenizer!.EncodePrompt("The llama is"), new GenerationOptions { MaxTokens = 50 }))
        {
            Console.Write(step.Text);
        }

        // end
#pragma warning restore xUnit1051
        Assert.NotEmpty(Console.ToString());
    }

    [Fact]
    public void TheSampleIsTheOneInTheReadme()
    {
        string[] readme = Block(File.ReadAllLines(Path.Combine(TestFiles.Root, "README.md")), "```csharp", "```");
        // What is tested opens another model; the README's lines may end in a comment.
        string[] shown = [.. readme.Where(line => !line.StartsWith("using Puna", StringComparison.Ordinal))
            .Select(line => line.Replace("\"Llama-3.2-1B-Instruct-Q8_0.gguf\"", "path", StringComparison.Ordinal).Split("   //")[0].Trim())
            .Where(line => line.Length > 0)];
        string[] tested = [.. Block(File.ReadAllLines(Source()), "// begin", "// end").Select(line => line.Trim()).Where(line => line.Length > 0)];
        Assert.Equal(tested, shown);
    }

    private static string[] Block(string[] lines, string first, string last) =>
        [.. lines.SkipWhile(line => line.Trim() != first).Skip(1).TakeWhile(line => line.Trim() != last)];

    private static string Source([CallerFilePath] string path = "") =>
        File.Exists(path) ? path : Path.Combine(TestFiles.Root, "tests", "Puna.Runtime.Tests", "ReadmeTests.cs");
}
