using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public class ChatCommandTests
{
    private static readonly string Note = $"puna: {TestFiles.TrainedTiny}: the model has no chat format: it continues plain text\n";

    [Fact]
    public void ContinuesPlainTextAndSaysSo()
    {
        string story = CliRun.Of("run", "--model", TestFiles.TrainedTiny, "Once upon a time", "--temperature", "0").Out["Once upon a time".Length..];
        CliRun run = CliRun.With("Once upon a time\n", "chat", "--model", TestFiles.TrainedTiny, "--temperature", "0");
        Assert.Equal((0, Note), (run.Code, run.Error));
        Assert.Equal(story, run.Out);

        // The end of a story begins another one; an empty line is nothing then.
        CliRun twice = CliRun.With("Once upon a time\n\nOnce upon a time", "chat", "--model", TestFiles.TrainedTiny, "--temperature", "0");
        Assert.Equal(story + story, twice.Out);
    }

    [Fact]
    public void AnEmptyLineGoesOnWithAnUnfinishedText()
    {
        string story = CliRun.Of("run", "--model", TestFiles.TrainedTiny, "Once upon a time", "--temperature", "0", "--max-tokens", "8").Out["Once upon a time".Length..];
        CliRun run = CliRun.With("Once upon a time\n\n", "chat", "--model", TestFiles.TrainedTiny, "--temperature", "0", "--max-tokens", "4");
        Assert.Equal(story, run.Out.Remove(run.Out.IndexOf('\n', StringComparison.Ordinal), 1));
    }

    [Fact]
    public void ResetBeginsAnew()
    {
        CliRun run = CliRun.With("Once upon a time\n/reset\nOnce upon a time\n", "chat", "--model", TestFiles.TrainedTiny, "--temperature", "0", "--max-tokens", "4");
        string[] replies = run.Out.Split('\n');
        Assert.Equal(replies[0], replies[1]);
    }

    [Fact]
    public void TheEmbeddedModelAnswers()
    {
        CliRun run = CliRun.With("What do llamas eat?\n", "chat", "--temperature", "0");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches(@"^[A-Z][^\n]{5,300}[.!?]\n$", run.Out);
    }

    [Fact]
    public void RemembersAConversation()
    {
        using var folder = new TempFolder();
        string model = TestModels.WriteChat(folder.File("chat.gguf"));
        string[] args = ["chat", "--model", model, "--temperature", "0", "--max-tokens", "6"];
        CliRun two = CliRun.With("hello\nhello\n", args);
        Assert.Equal((0, ""), (two.Code, two.Error));
        string[] replies = two.Out.Split('\n');
        Assert.NotEqual(replies[0], replies[1]); // the second answer is to more than "hello"

        CliRun reset = CliRun.With("hello\n/reset\nhello\n/exit\nhello\n", args);
        Assert.Equal(replies[0] + "\n" + replies[0] + "\n", reset.Out);

        CliRun system = CliRun.With("/system Be brief.\nhello\n", args);
        Assert.Equal(system.Out, CliRun.With("hello\n", [.. args, "--system", "Be brief."]).Out);
    }

    [Fact]
    public void HelpIsNotPartOfTheConversation()
    {
        CliRun run = CliRun.With("/help\n/exit\n", "chat", "--model", TestFiles.TrainedTiny);
        Assert.Equal((0, ""), (run.Code, run.Out));
        Assert.Contains("/reset", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/nope\n", "unknown command '/nope' (/help shows the commands)")]
    [InlineData("/system Be brief.\n", "system message: expected a model with a chat format, got one that continues plain text")]
    public void AScriptIsToldWhatIsWrong(string input, string message)
    {
        CliRun run = CliRun.With(input, "chat", "--model", TestFiles.TrainedTiny);
        Assert.Equal((2, "", Note + $"puna: {message}\n"), (run.Code, run.Out, run.Error));
    }

    [Fact]
    public void AScriptThatFillsTheContextIsToldSo()
    {
        CliRun run = CliRun.With(new string('x', 5000) + "\n", "chat", "--model", TestFiles.TrainedTiny);
        Assert.Equal(2, run.Code);
        Assert.Contains("puna: prompt: expected fewer tokens than the context of 512", run.Error, StringComparison.Ordinal);
    }
}
