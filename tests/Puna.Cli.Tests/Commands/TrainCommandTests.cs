using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary><c>puna train</c> as its users meet it: bad usage, the plan, and a process that is killed.</summary>
public sealed class TrainCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-train-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("unknown recipe 'pretrian', did you mean pretrain?", "pretrian", "--config", "c.json")]
    [InlineData("train: expected --config F.json, got none", "pretrain")]
    [InlineData("config none.json: not found", "pretrain", "--config", "none.json")]
    [InlineData("config none.json: not found", "vision", "--config", "none.json")]
    [InlineData("option --tp: belongs to plan", "pretrain", "--config", "c.json", "--tp", "2")]
    [InlineData("option --config: belongs to a recipe", "plan", "--preset", "llama3.1-8b", "--config", "c.json")]
    [InlineData("train plan: expected --preset NAME", "plan")]
    [InlineData("tokens of a step: expected at most 9223372036854775807", "plan", "--preset", "llama-3.2-1b", "--dp", "2147483647", "--micro-batch", "2147483647")]
    public void BadUsageIsOneLine(string beginning, params string[] args)
    {
        CliRun run = CliRun.Of(["train", .. args]);
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.StartsWith("puna: " + beginning, run.Error, StringComparison.Ordinal);
        Assert.Equal(run.Error.Length - 1, run.Error.IndexOf('\n', StringComparison.Ordinal));
    }

    [Fact]
    public void ThePlanOfTheLargestModelHasItsPublishedSize()
    {
        using JsonDocument json = JsonDocument.Parse(CliRun.Of("train", "plan", "--preset", "llama3.1-405b", "--tp", "8", "--pp", "16", "--dp", "128", "--zero", "gradients", "--json").Out);

        // Table 1 of the model card rounds it to 405B; the shapes of the preset give this number.
        Assert.Equal(405_853_388_800, json.RootElement.GetProperty("parameters").GetInt64());
        string text = CliRun.Of("train", "plan", "--preset", "llama3.1-405b", "--tp", "8", "--pp", "16", "--dp", "128").Out;
        Assert.Contains("405,853,388,800", text, StringComparison.Ordinal);
    }

    /// <summary>The promise of checkpoints: whenever a process dies, the next one ends with the bytes of one that was never disturbed.</summary>
    [Fact]
    public void AKilledProcessLosesNothing()
    {
        string config = Path.Combine(_folder, "config.json");
        File.WriteAllText(config, """
            {
              "model": { "hidden": 32, "ffn": 48, "layers": 2, "heads": 2, "context": 64 },
              "train_tokenizer": { "vocab_size": 320, "documents": 50 },
              "data": [ { "altiplano": "stories" } ],
              "steps": 400, "row_tokens": 48, "batch_rows": 2, "checkpoint_every": 3, "validate_every": 100, "validation_rows": 2, "sample_every": 6
            }
            """);
        string whole = Path.Combine(_folder, "whole"), killed = Path.Combine(_folder, "killed");
        PunaProcess straight = PunaProcess.Run("train", "pretrain", "--config", config, "--out", whole);
        Assert.Equal((0, ""), (straight.Code, straight.Error));
        Assert.Contains("parameters", straight.Out, StringComparison.Ordinal);

        var random = new Random(1);
        int kills = 0;
        for (int attempt = 0; attempt < 8; attempt++)
        {
            using Process process = PunaProcess.Start(["train", "pretrain", "--config", config, "--out", killed, "--resume"]);
            if (!process.WaitForExit(300 + random.Next(1200)))
            {
                process.Kill();
                process.WaitForExit();
                kills++;
            }
        }

        PunaProcess last = PunaProcess.Run("train", "pretrain", "--config", config, "--out", killed, "--resume");
        Assert.Equal((0, ""), (last.Code, last.Error));
        Assert.True(kills > 0, "every process had ended before it was to be killed");
        foreach (string file in new[] { "log.jsonl", "samples.jsonl", "model/model.safetensors", "loss.svg" })
        {
            Assert.Equal(Hash(Path.Combine(whole, file)), Hash(Path.Combine(killed, file)));
        }

        Assert.Equal(400, File.ReadAllLines(Path.Combine(killed, "log.jsonl")).Length);
    }

    [Fact]
    public void TheSampleLearnsWithoutAnyFile()
    {
        // Its own number of steps takes half a minute; the config is the user's to change.
        string sample = Path.Combine(TestFiles.Root, "samples", "pretrain-tiny.json");
        string config = Path.Combine(_folder, "short.json");
        File.WriteAllText(config, File.ReadAllText(sample).Replace("\"steps\": 150", "\"steps\": 30", StringComparison.Ordinal).Replace("\"validate_every\": 50", "\"validate_every\": 0", StringComparison.Ordinal));
        PunaProcess run = PunaProcess.Run("train", "pretrain", "--config", config, "--out", Path.Combine(_folder, "tiny"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        double[] losses = [.. File.ReadLines(Path.Combine(_folder, "tiny", "log.jsonl")).Select(static l => JsonDocument.Parse(l).RootElement.GetProperty("loss").GetDouble())];
        Assert.Equal(30, losses.Length);
        Assert.True(losses[^1] < 0.9 * losses[0], $"{losses[0]} -> {losses[^1]}");
    }

    /// <summary>The two samples that make a tokenizer from nothing, one on what the other wrote.</summary>
    [Fact]
    public void TheSamplesMakeATokenizer()
    {
        string samples = Directory.CreateDirectory(Path.Combine(_folder, "samples")).FullName;
        foreach (string name in new[] { "stories.json", "tokenizer.json" })
        {
            File.Copy(Path.Combine(TestFiles.Root, "samples", name), Path.Combine(samples, name));
        }

        CliRun stories = CliRun.Of("train", "altiplano", "--config", Path.Combine(samples, "stories.json"), "--out", Path.Combine(_folder, "stories"));
        Assert.Equal(0, stories.Code);
        CliRun run = CliRun.Of("train", "tokenizer", "--config", Path.Combine(samples, "tokenizer.json"), "--out", Path.Combine(_folder, "tokenizer"));
        Assert.Equal(0, run.Code);
        Assert.Contains("byte-bpe tokenizer of 1036 pieces", run.Out, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_folder, "tokenizer", "tokenizer.json")));
    }

    private static string Hash(string path) => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path)));
}
