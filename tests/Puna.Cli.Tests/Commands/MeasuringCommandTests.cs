using System.Text.Json;
using Puna.Hub.Tests;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary><c>bench</c>, <c>perplexity</c> and <c>doctor</c>.</summary>
public class MeasuringCommandTests
{
    private static readonly string[] BenchNumbers =
    [
        "prefill_tokens_per_second", "decode_tokens_per_second", "first_token_ms", "load_ms", "peak_rss_bytes", "weight_bytes", "read_bandwidth_bytes_per_second", "threads",
    ];

    [Fact]
    public void BenchTellsWhatIsPromised()
    {
        CliRun run = CliRun.Of("bench", "--model", TestModels.Random, "--prefill", "20", "--decode", "3", "--batch", "2", "--threads", "1", "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        JsonElement json = JsonDocument.Parse(run.Out).RootElement;
        Assert.All(BenchNumbers, name => Assert.True(json.GetProperty(name).GetDouble() > 0, name));
        Assert.Equal(1, json.GetProperty("threads").GetInt32());
        Assert.NotEmpty(json.GetProperty("kernels").GetString()!);
        Assert.Equal(2, json.GetProperty("batch").GetInt32());

        // All float32 parameters but the embedding, which is looked up: (173,504 - 320 x 64) x 4.
        Assert.Equal(612096, json.GetProperty("weight_bytes").GetInt64());
    }

    [Fact]
    public void BenchKeepsToTheContext() =>
        CliRun.Of("bench", "--prefill", "500", "--decode", "13").AssertRefused("context of puna-tiny: expected at most 512 tokens, got 500 of the prompt and 13 to generate");

    [Fact]
    public void PerplexityIsThatOfTheReference()
    {
        // Mean over the 20,267 tokens of the test stories with weights dequantised to float32 (perplexity.json of the golden); quantised kernels may differ by 0.1 %.
        const double Expected = 0.3246702962437397;
        CliRun run = CliRun.Of("perplexity", "--file", TestFiles.Golden("trained-tiny", "test.txt"), "--json");
        JsonElement json = JsonDocument.Parse(run.Out).RootElement;
        Assert.Equal((20267, 200), (json.GetProperty("tokens").GetInt64(), json.GetProperty("texts").GetInt64()));
        Assert.Equal(Expected, json.GetProperty("mean_nll").GetDouble(), Expected * 1e-3);
        Assert.Equal(Math.Exp(json.GetProperty("mean_nll").GetDouble()), json.GetProperty("perplexity").GetDouble(), 1e-12);
    }

    [Fact]
    public void PerplexityNeedsTexts()
    {
        using var folder = new TempFolder();
        string path = folder.File("f.txt");
        File.WriteAllText(path, "\n\n");
        CliRun.Of("perplexity", "--file", path).AssertRefused($"texts: expected at least one that is not empty, got none ({path})");
        CliRun.Of("perplexity").AssertRefused("option --file is missing");
        File.WriteAllText(path, "Once upon a time\n");
        CliRun run = CliRun.Of("perplexity", "--file", path);
        Assert.Matches(@"^perplexity  \d+\.\d{5}\nmean nll    \d+\.\d{6} nats per token\ntokens      5 predicted in 1 texts\n$", run.Out);
    }

    [Fact]
    public void DoctorTellsWhatTheMachineIs()
    {
        CliRun run = CliRun.Of("doctor", "--threads", "1", "--json");
        JsonElement json = JsonDocument.Parse(run.Out).RootElement;
        Assert.True(json.GetProperty("read_bandwidth_bytes_per_second").GetDouble() > 1e8);
        Assert.True(json.GetProperty("memory_bytes").GetInt64() > 0);
        Assert.NotEmpty(json.GetProperty("features").EnumerateObject());
        Assert.NotEmpty(json.GetProperty("kernels").GetString()!);
    }
}
