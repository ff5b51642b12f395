using Puna.Cli.Parsing;

namespace Puna.Cli.Tests.Parsing;

public class CommandLineTests
{
    [Fact]
    public void ReadsValuesBothWays()
    {
        ParsedArguments args = Parse("--model", "a.gguf", "--max-tokens=7", "--json", "hello");
        Assert.Equal("a.gguf", args.Get(SampleCommand.Model));
        Assert.Equal(7, args.Get(SampleCommand.Count));
        Assert.True(args.Get(SampleCommand.Json));
        Assert.Equal("hello", args.Get(SampleCommand.Prompt));
    }

    [Fact]
    public void GivesDefaults()
    {
        ParsedArguments args = Parse();
        Assert.Null(args.Get(SampleCommand.Model));
        Assert.Null(args.Get(SampleCommand.Prompt));
        Assert.Equal(16, args.Get(SampleCommand.Count));
        Assert.Equal(0.8, args.Get(SampleCommand.Temperature));
        Assert.Equal("gguf", args.Get(SampleCommand.Format));
        Assert.False(args.Get(SampleCommand.Json));
        Assert.Empty(args.GetAll(SampleCommand.Stop));
    }

    [Fact]
    public void KeepsEveryRepeatedValueAndTheLastOfOthers()
    {
        ParsedArguments args = Parse("--stop", "a", "--stop=b", "--seed", "1", "--seed", "2");
        Assert.Equal(["a", "b"], args.GetAll(SampleCommand.Stop));
        Assert.Equal(2, args.Get(SampleCommand.Seed));
    }

    [Theory]
    [InlineData("-0.5")]
    [InlineData("-1")]
    [InlineData("- first, buy salt")]
    [InlineData("-")]
    [InlineData("@file.rsp")]
    [InlineData("[bold]red[/]")]
    [InlineData("")]
    [InlineData("a=b")]
    public void TakesArgumentsAsTheyStand(string text) => Assert.Equal(text, Parse(text).Get(SampleCommand.Prompt));

    [Theory]
    [InlineData("--json")]
    [InlineData("-h")]
    [InlineData("--")]
    [InlineData("-rf /")]
    [InlineData("@x")]
    public void TakesAnythingAfterTwoDashes(string text)
    {
        ParsedArguments args = Parse("--seed", "3", "--", text);
        Assert.Equal(text, args.Get(SampleCommand.Prompt));
        Assert.False(args.Get(SampleCommand.Json));
        Assert.False(args.IsHelp);
    }

    [Theory]
    [InlineData("--json")]
    [InlineData("-h")]
    [InlineData("--max-tokens=3")]
    [InlineData("@x")]
    public void TakesAnythingAsTextOfTheUsers(string text) => Assert.Equal(text, Parse("--prompt", text).Get(SampleCommand.Text));

    [Fact]
    public void ReadsNumbers()
    {
        Assert.Equal(-1, Parse("--seed", "-1").Get(SampleCommand.Seed));
        Assert.Equal(long.MinValue, Parse("--seed=-9223372036854775808").Get(SampleCommand.Seed));
        Assert.Equal(0.25, Parse("--temperature", "2.5e-1").Get(SampleCommand.Temperature));
        Assert.Equal([1, 2, 3], Parse("--tokens", "1,2, 3").Get(SampleCommand.Tokens)!);
        Assert.Equal("meta", Parse("--format", "META").Get(SampleCommand.Format));
    }

    [Theory]
    [InlineData("1,5")] // a decimal comma is no decimal point, whatever the culture
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1e400")]
    [InlineData("-0.1")]
    [InlineData("100.5")]
    [InlineData("")]
    public void RefusesOtherNumbers(string text) => Wrong($"option --temperature: expected a number from 0 to 100, got '{text}'", "--temperature", text);

    [Theory]
    [InlineData("0")]
    [InlineData("-3")]
    [InlineData("1.0")]
    [InlineData("1e3")]
    [InlineData("1 ")]
    [InlineData("0x10")]
    [InlineData("2147483648")]
    [InlineData("99999999999999999999")]
    public void RefusesOtherWholeNumbers(string text) => Wrong($"option --max-tokens: expected a whole number of at least 1, got '{text}'", "--max-tokens", text);

    [Theory]
    [InlineData("")]
    [InlineData("1,,2")]
    [InlineData("1,-2")]
    [InlineData("1,2147483648")]
    [InlineData("1;2")]
    public void RefusesOtherTokens(string text) => Wrong($"option --tokens: expected token ids separated by commas, got '{text}'", "--tokens", text);

    [Fact]
    public void RefusesOtherChoices() => Wrong("option --format: expected gguf, meta or safetensors, got 'onnx'", "--format", "onnx");

    [Fact]
    public void NamesWhatIsMissing()
    {
        Wrong("option --model needs a value: --model M (see puna sample --help)", "--model");
        Wrong("option --model needs a value: --model M (see puna sample --help)", "--model", "--json");
        Wrong("option --prompt needs a value: --prompt P (see puna sample --help)", "--prompt");
        Wrong("option --model: expected a name, got ''", "--model=");
        Wrong("option --json takes no value (see puna sample --help)", "--json=yes");
        Wrong("unexpected argument 'b': put the prompt in quotes (see puna sample --help)", "a", "b");
    }

    [Theory]
    [InlineData("--temprature", "--temperature")]
    [InlineData("--temp", "--temperature")]
    [InlineData("--modle", "--model")]
    [InlineData("--max_tokens", "--max-tokens")]
    [InlineData("--maxtokens", "--max-tokens")]
    [InlineData("-model", "--model")]
    [InlineData("--JSON", "--json")]
    public void SuggestsTheNearestOption(string text, string meant) =>
        Wrong($"unknown option '{text}', did you mean {meant}? (see puna sample --help)", text, "1");

    [Theory]
    [InlineData("--zzzzzz")]
    [InlineData("-q")]
    [InlineData("---")]
    public void RefusesUnknownOptions(string text) =>
        Wrong($"unknown option '{text}'; a PROMPT that starts with a dash goes after -- (see puna sample --help)", text);

    [Fact]
    public void HelpWinsOverWhatFollows() => Assert.True(Parse("--json", "--help", "--nonsense").IsHelp);

    [Fact]
    public void CutsLongTextInMessages()
    {
        string prompt = new('x', 5000);
        UsageException e = Assert.Throws<UsageException>(() => Parse("a", prompt));
        Assert.True(e.Message.Length < 200, e.Message);
    }

    private static ParsedArguments Parse(params string[] args) => CommandLine.Parse(new SampleCommand(), args);

    private static void Wrong(string message, params string[] args) => Assert.Equal(message, Assert.Throws<UsageException>(() => Parse(args)).Message);
}
