using System.Text.Json;
using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public class TokenizeCommandTests
{
    [Fact]
    public void PrintsIdsInThreeForms()
    {
        Assert.Equal(new CliRun(0, "399 537 262 536\n", ""), CliRun.Of("tokenize", "--model", TestFiles.TrainedTiny, "Once upon a time"));
        Assert.Equal("1 399\n", CliRun.Of("tokenize", "--model", TestFiles.TrainedTiny, "Once", "--bos").Out);
        Assert.Equal("399\t▁Once\n537\t▁upon\n", CliRun.Of("tokenize", "--model", TestFiles.TrainedTiny, "Once upon", "--pieces").Out);
        Assert.Equal("{\"ids\":[399,537],\"text\":\"Once upon\"}\n", CliRun.Of("tokenize", "--model", TestFiles.TrainedTiny, "Once upon", "--json").Out);
    }

    [Fact]
    public void SpecialTokensAreTextUnlessAskedFor()
    {
        // The id of a control token of the embedded model, by its name.
        int eot = Assert.Single(Ids("<|eot_id|>", "--special"));
        Assert.DoesNotContain(eot, Ids("<|eot_id|>"));
    }

    [Fact]
    public void KeepsTheOrderOfManyLines()
    {
        using var folder = new TempFolder();
        string[] lines = [.. Enumerable.Range(0, 1500).Select(static i => i % 7 == 0 ? "" : $"line {i} é")];
        File.WriteAllText(folder.File("f.txt"), string.Join('\n', lines) + "\n");
        File.WriteAllLines(folder.File("f.jsonl"), lines.Select(static line => JsonSerializer.Serialize(new { text = line })));
        CliRun text = CliRun.Of("tokenize", "--file", folder.File("f.txt"), "--json");
        Assert.Equal(lines, text.Out.TrimEnd('\n').Split('\n').Select(static line => JsonDocument.Parse(line).RootElement.GetProperty("text").GetString()));
        Assert.Equal(text, CliRun.Of("tokenize", "--file", folder.File("f.jsonl"), "--json", "--threads", "1"));
    }

    [Fact]
    public void PrintsNothingBeforeAnError()
    {
        using var folder = new TempFolder();
        string path = folder.File("f.txt");
        File.WriteAllBytes(path, [.. Enumerable.Repeat((byte)'\n', 5000), 0xFF, (byte)'\n']);
        CliRun.Of("tokenize", "--file", path).AssertRefused($"line 5001: expected UTF-8, got other bytes ({path})");
    }

    [Fact]
    public void RefusesWhatItCannotDo()
    {
        CliRun.Of("tokenize").AssertRefused("text: expected one of TEXT and --file, got none (see puna tokenize --help)");
        CliRun.Of("tokenize", "a", "--file", "b").AssertRefused("text: expected one of TEXT and --file, got both (see puna tokenize --help)");
        CliRun.Of("tokenize", "a", "--pieces", "--json").AssertRefused("options --pieces and --json exclude each other");
        CliRun.Of("tokenize", "a", "--model", TestModels.Random).AssertRefused($"model {TestModels.Random}: expected tokenizer.json or tokenizer.model with it, got none");
    }

    private static int[] Ids(params string[] args) => Array.ConvertAll(CliRun.Of(["tokenize", .. args]).Out.TrimEnd('\n').Split(' '), int.Parse);
}
