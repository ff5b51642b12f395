using System.Text.Json;
using Puna.Hub.Tests;
using Puna.Tests.Shared;
using Puna.Text;

namespace Puna.Cli.Tests.Commands;

public class FillCommandTests
{
    // Any ids serve as the tokens: what is tested is that the model is given the prompt of the definition, and what comes of it.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void GeneratesWhatThePromptOfTheDefinitionGives(bool suffixFirst)
    {
        using var folder = new TempFolder();
        string model = Model(folder);
        File.WriteAllText(folder.File("prefix"), "Once upon\n");
        File.WriteAllText(folder.File("suffix"), "the end.");
        using JsonDocument filled = JsonDocument.Parse(CliRun.Of(
            ["fill", "--model", model, "--prefix", folder.File("prefix"), "--suffix", folder.File("suffix"), "--temperature", "0", "--max-tokens", "12", "--json", .. suffixFirst ? ["--suffix-first"] : Array.Empty<string>()]).Out);
        int[] prompt = Infilling.Encode(Tokenizer(), "Once upon\n", "the end.", suffixFirst);
        Assert.Equal(prompt.Length, filled.RootElement.GetProperty("prompt_tokens").GetInt32());
        using JsonDocument run = JsonDocument.Parse(CliRun.Of("run", "--model", model, "--tokens", string.Join(',', prompt), "--temperature", "0", "--max-tokens", "12", "--json").Out);
        int[] tokens = [.. run.RootElement.GetProperty("tokens").EnumerateArray().Select(static t => t.GetInt32())];
        Assert.Equal(tokens, filled.RootElement.GetProperty("tokens").EnumerateArray().Select(static t => t.GetInt32()));
        Assert.Equal(Infilling.Decode(Tokenizer(), tokens), filled.RootElement.GetProperty("text").GetString());
    }

    [Fact]
    public void PrintsTheMiddleAlone()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("prefix"), "Once upon");
        File.WriteAllText(folder.File("suffix"), "");
        string[] args = ["fill", "--model", Model(folder), "--prefix", folder.File("prefix"), "--suffix", folder.File("suffix"), "--temperature", "0", "--max-tokens", "5"];
        using JsonDocument json = JsonDocument.Parse(CliRun.Of([.. args, "--json"]).Out);
        Assert.Equal(new CliRun(0, json.RootElement.GetProperty("text").GetString()!, ""), CliRun.Of(args));
    }

    [Fact]
    public void RefusesWhatItCannotDo()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("p"), "a");
        CliRun.Of("fill", "--prefix", folder.File("p")).AssertRefused("option --suffix: expected a file, got none (see puna fill --help)");
        CliRun.Of("fill", "--model", TestFiles.TrainedTiny, "--prefix", folder.File("p"), "--suffix", folder.File("p"))
            .AssertRefused($"model {TestFiles.TrainedTiny}: expected tokens for infilling, as Code Llama has, got a vocabulary without");
    }

    private static string Model(TempFolder folder) => TestModels.WriteChanged(folder.File("m.gguf"), static metadata =>
    {
        metadata.Set("tokenizer.ggml.prefix_token_id", 400u);
        metadata.Set("tokenizer.ggml.suffix_token_id", 401u);
        metadata.Set("tokenizer.ggml.middle_token_id", 402u);
    });

    private static Tokenizer Tokenizer()
    {
        Tokenizer plain = TokenizerLoader.Open(TestFiles.Fixture("goldens", "trained-tiny", "tokenizer.model"));
        return plain.WithRoles(plain.Roles with { FimPrefix = 400, FimSuffix = 401, FimMiddle = 402 });
    }
}
