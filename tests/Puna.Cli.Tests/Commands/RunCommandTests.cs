using System.Globalization;
using System.Text;
using System.Text.Json;
using Puna.Cli.Hosting;
using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public class RunCommandTests
{
    [Theory]
    [InlineData("greedy_0", "Once upon a time")]
    [InlineData("greedy_1", "One morning, Rosa")]
    [InlineData("greedy_2", "Pedro had 7 bags of salt in the barn. He gave 3 bags to his aunt.")]
    [InlineData("greedy_3", "The storm")]
    public void TellsStoriesAsRecorded(string golden, string prompt)
    {
        int[] story = TestModels.ReadIds(TestFiles.Fixture("goldens", "trained-tiny", "io.safetensors"), golden);
        using JsonDocument run = RunJson("run", prompt, "--model", TestFiles.GoldenModel("trained-tiny"), "--temperature", "0", "--json");
        int promptTokens = run.RootElement.GetProperty("prompt_tokens").GetInt32();
        Assert.Equal(story[promptTokens..], Ids(run));
        Assert.Equal("stop", run.RootElement.GetProperty("finish_reason").GetString());
        Assert.Equal(story.Length - promptTokens, run.RootElement.GetProperty("generated_tokens").GetInt32());
    }

    [Fact]
    public void TheEmbeddedModelTellsAStory()
    {
        const string Prompt = "Once upon a time";
        using JsonDocument run = RunJson("run", Prompt, "--temperature", "0", "--json");
        Assert.Equal("stop", run.RootElement.GetProperty("finish_reason").GetString());
        string story = run.RootElement.GetProperty("text").GetString()!;

        // A story: more than 60 words, half of them different, and an end.
        string[] words = story.Split([' ', '\n', ',', '.', '"', '!', '?'], StringSplitOptions.RemoveEmptyEntries);
        Assert.InRange(words.Length, 61, 400);
        Assert.InRange(words.Distinct(StringComparer.OrdinalIgnoreCase).Count(), 31, 400);
        Assert.Matches(@"[.!?]""?$", story);

        // Another beginning is another story, and a system message asks for a reply.
        Assert.DoesNotContain(story[..40], CliRun.Of("run", "The storm", "--temperature", "0").Out, StringComparison.Ordinal);
        CliRun reply = CliRun.Of("run", "What do llamas eat?", "--system", "You are Puna, a storyteller from the mountains.", "--temperature", "0");
        Assert.DoesNotContain("What do llamas eat?", reply.Out, StringComparison.Ordinal);

        // The same as text: the prompt, the new text, a line end.
        CliRun text = CliRun.Of("run", "--temperature=0", "--prompt", Prompt);
        Assert.Equal((0, Prompt + story + "\n", ""), (text.Code, text.Out, text.Error));
    }

    [Fact]
    public void ASessionFileSparesTheReadingAndChangesNothing()
    {
        using var folder = new TempFolder();
        string file = folder.File("story.session"), start = string.Join(' ', Enumerable.Repeat("Rosa and her llama walked to the market.", 8));
        string[] args = ["run", start, "--temperature", "0", "--max-tokens", "20", "--session", file];
        string expected = CliRun.Of(args[..^2]).Out;
        Assert.Equal(expected, CliRun.Of(args).Out);
        Assert.True(File.Exists(file));
        Assert.Equal(expected, CliRun.Of(args).Out);
        File.WriteAllText(file, "no session");
        CliRun.Of(args).AssertRefused($"session {file}: expected 80 bytes more, got 10 (truncated)");
        Assert.Equal("no session", File.ReadAllText(file));
    }

    [Fact]
    public void ContinuesTokensOfAModelWithoutTokenizerAsRecorded()
    {
        int[] greedy = TestModels.ReadIds(TestModels.RandomGolden, "greedy_ids");
        int[] input = TestModels.ReadIds(TestModels.RandomGolden, "input_ids");
        string count = (greedy.Length - input.Length).ToString(CultureInfo.InvariantCulture);
        string[] args = ["run", "--model", TestModels.Random, "--tokens", string.Join(',', input), "--temperature", "0", "--max-tokens", count];
        using JsonDocument run = RunJson([.. args, "--json"]);
        Assert.Equal(greedy[input.Length..], Ids(run));
        Assert.Equal("length", run.RootElement.GetProperty("finish_reason").GetString());
        Assert.Equal(string.Join(',', greedy) + "\n", CliRun.Of(args).Out);
        Assert.Equal(string.Join(',', greedy) + "\n", CliRun.Of([.. args, "--no-mmap", "--threads", "1"]).Out);
    }

    [Fact]
    public void TheSameSeedGivesTheSameText()
    {
        string[] args = ["run", "One morning", "--temperature", "1.5", "--max-tokens", "30", "--json", "--seed"];
        CliRun one = CliRun.Of([.. args, "-7"]);
        Assert.Equal(one, CliRun.Of([.. args, "-7"]));
        Assert.NotEqual(one.Out, CliRun.Of([.. args, "8"]).Out);

        // A seed that was chosen at random is told, and gives the same again.
        using JsonDocument random = RunJson(args[..^1]);
        string seed = random.RootElement.GetProperty("seed").GetRawText();
        Assert.Equal(random.RootElement.GetRawText() + "\n", CliRun.Of([.. args, seed]).Out);
    }

    [Theory]
    [InlineData("@file.rsp")]
    [InlineData("--help")]
    [InlineData("-x")]
    [InlineData("[bold]markup[/]")]
    [InlineData("<s>")]
    [InlineData("%PATH% $HOME \\n {0}")]
    public void PromptsAreData(string prompt)
    {
        CliRun run = CliRun.Of("run", "--max-tokens", "1", "--temperature", "0", "--", prompt);
        Assert.Equal(0, run.Code);
        Assert.StartsWith(prompt, run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void NoTokensAreALengthToo()
    {
        using JsonDocument run = RunJson("run", "Once", "--max-tokens", "0", "--json");
        Assert.Equal("", run.RootElement.GetProperty("text").GetString());
        Assert.Equal("length", run.RootElement.GetProperty("finish_reason").GetString());
        Assert.Empty(Ids(run));
        Assert.Equal("Once\n", CliRun.Of("run", "Once", "--max-tokens", "0").Out);
    }

    [Fact]
    public void StopStringsEndTheText()
    {
        CliRun run = CliRun.Of("run", "--model", TestFiles.TrainedTiny, "Once upon a time", "--temperature", "0", "--stop", "never", "--stop", "named El");
        Assert.Equal("Once upon a time, there was a herder \n", run.Out);
    }

    [Fact]
    public void ReportsLogProbabilities()
    {
        using JsonDocument run = RunJson("run", "Once upon a time", "--temperature", "0", "--max-tokens", "3", "--logprobs", "2", "--json");
        JsonElement[] steps = [.. run.RootElement.GetProperty("logprobs").EnumerateArray()];
        Assert.Equal(Ids(run), Array.ConvertAll(steps, static s => s.GetProperty("token").GetInt32()));
        foreach (JsonElement step in steps)
        {
            JsonElement[] top = [.. step.GetProperty("top").EnumerateArray()];
            Assert.Equal(2, top.Length);
            Assert.Equal(step.GetProperty("token").GetInt32(), top[0].GetProperty("token").GetInt32()); // greedy takes the best
            Assert.True(top[0].GetProperty("logprob").GetDouble() >= top[1].GetProperty("logprob").GetDouble());
            Assert.True(step.GetProperty("logprob").GetDouble() <= 0);
        }
    }

    [Fact]
    public void AnswersInTheChatFormatUnlessRaw()
    {
        using var folder = new TempFolder();
        string model = TestModels.WriteChat(folder.File("chat.gguf"));
        int raw = PromptTokens("--raw", "hello");
        int chat = PromptTokens("hello");
        Assert.True(chat > raw, $"{chat} tokens in the chat format, {raw} without");
        Assert.True(PromptTokens("hello", "--system", "Be brief.") > chat);

        // A reply stands alone, a continuation follows its prompt.
        Assert.DoesNotContain("hello", CliRun.Of("run", "--model", model, "hello", "--temperature", "0", "--max-tokens", "1").Out, StringComparison.Ordinal);
        Assert.StartsWith("hello", CliRun.Of("run", "--model", model, "hello", "--raw", "--max-tokens", "1").Out, StringComparison.Ordinal);

        int PromptTokens(params string[] more)
        {
            using JsonDocument run = RunJson(["run", "--model", model, "--temperature", "0", "--max-tokens", "8", "--json", .. more]);
            return run.RootElement.GetProperty("prompt_tokens").GetInt32();
        }
    }

    [Fact]
    public void ReadsAPromptFromAFile()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("prompt"), "Once upon a time\n");
        Assert.Equal(CliRun.Of("run", "Once upon a time", "--temperature", "0"), CliRun.Of("run", "--file", folder.File("prompt"), "--temperature", "0"));
    }

    [Fact]
    public void GeneratesNothingIfAskedFor()
    {
        CliRun run = CliRun.Of("run", "hello", "--max-tokens", "0");
        Assert.Equal((0, "hello\n"), (run.Code, run.Out));
    }

    [Fact]
    public void RefusesWhatItCannotDo()
    {
        CliRun.Of("run").AssertRefused("prompt: expected one of PROMPT, --prompt, --file and --tokens, got none (see puna run --help)");
        CliRun.Of("run", "a", "--prompt", "b").AssertRefused("prompt: expected one of PROMPT, --prompt, --file and --tokens, got more (see puna run --help)");
        CliRun.Of("run", "Once", "upon").AssertRefused("unexpected argument 'upon': put the prompt in quotes (see puna run --help)");
        CliRun.Of("run", "a", "--logprobs", "3").AssertRefused("option --logprobs: expected --json with it, got none");
        CliRun.Of("run", "a", "--raw", "--system", "b").AssertRefused("options --raw and --system exclude each other");
        CliRun.Of("run", "--model", TestFiles.TrainedTiny, "a", "--system", "b").AssertRefused($"option --system: expected a model with a chat format, got {TestFiles.TrainedTiny}: the model has no chat format: it continues plain text");
        CliRun.Of("run", "--model", TestFiles.TrainedTiny, "--tokens", "1,1024").AssertRefused("token 2: expected an id from 0 to 1023, got 1024");
        CliRun.Of("run", "a", "--ctx", "0").AssertRefused("option --ctx: expected a whole number from 1 to 16777216, got '0'");
        CliRun.Of("run", "a", "--model", TestModels.Random).AssertRefused($"model {TestModels.Random}: expected a tokenizer, got a model without one");
    }

    [Fact]
    public void TheContextMayBeLongerThanTheModelWasMadeFor()
    {
        string prompt = string.Join(',', Enumerable.Repeat(300, 530));
        Assert.EndsWith("puna: prompt: expected fewer tokens than the context of 530, got 530\n", CliRun.Of("run", "--tokens", prompt, "--ctx", "530").Error, StringComparison.Ordinal);
        CliRun run = CliRun.Of("run", "--tokens", prompt, "--ctx", "540", "--temperature", "0", "--max-tokens", "5", "--json");
        Assert.Equal(0, run.Code);
        Assert.StartsWith("puna: warning: context of puna-tiny: made for 512 tokens, used for 540", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void ContextOverflowIsAnError()
    {
        string prompt = string.Join(',', Enumerable.Repeat(300, 512));
        CliRun.Of("run", "--tokens", prompt).AssertRefused("prompt: expected fewer tokens than the context of 512, got 512");
        CliRun.Of("run", "--tokens", "1,2,3", "--ctx", "3").AssertRefused("prompt: expected fewer tokens than the context of 3, got 3");

        // This random model does not end the text within its context of 256.
        string[] args = ["run", "--model", TestModels.Random, "--tokens", string.Join(',', Enumerable.Repeat(7, 250)), "--temperature", "0"];
        CliRun.Of([.. args, "--max-tokens", "7", "--json"]).AssertRefused("context: expected room for 7 tokens after the 250 of the prompt, got room for 6");
        Assert.Equal(0, CliRun.Of([.. args, "--max-tokens", "6"]).Code);
        Assert.Equal(256, CliRun.Of(args).Out.Split(',').Length);
        Assert.Equal(253, CliRun.Of([.. args, "--ctx", "253"]).Out.Split(',').Length);
    }

    [Fact]
    public void CtrlCKeepsWhatThereIs()
    {
        using var bytes = new MemoryStream();
        using var interrupts = new Interrupts();
        using var output = new InterruptingWriter(bytes, interrupts, flushes: 4);
        using var error = new StringWriter { NewLine = "\n" };
        int code = new CliHost(new Terminal(output, error, TextReader.Null), interrupts).Run(["run", "--model", TestFiles.TrainedTiny, "Once upon a time", "--temperature", "0"]);
        Assert.Equal((130, "puna: interrupted\n"), (code, error.ToString()));
        Assert.Equal("Once upon a time, there was a\n", Encoding.UTF8.GetString(bytes.ToArray()));
    }

    [Fact]
    public void CtrlCEndsTheJsonObjectToo()
    {
        using var bytes = new MemoryStream();
        using var output = new StreamWriter(bytes);
        using var interrupts = new Interrupts();
        interrupts.Interrupt();
        int code = new CliHost(new Terminal(output, TextWriter.Null, TextReader.Null), interrupts).Run(["run", "Once upon a time", "--json"]);
        using JsonDocument run = JsonDocument.Parse(bytes.ToArray());
        Assert.Equal((130, "interrupted"), (code, run.RootElement.GetProperty("finish_reason").GetString()));
    }

    private static JsonDocument RunJson(params string[] args)
    {
        CliRun run = CliRun.Of(args);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Single(run.Out, '\n');
        return JsonDocument.Parse(run.Out);
    }

    private static int[] Ids(JsonDocument run) => [.. run.RootElement.GetProperty("tokens").EnumerateArray().Select(static id => id.GetInt32())];
}
