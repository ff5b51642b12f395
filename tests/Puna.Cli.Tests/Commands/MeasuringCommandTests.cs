using System.Runtime.InteropServices;
using System.Text.Json;
using Puna.Cli.Diagnostics;
using Puna.Formats.Npy;
using Puna.Hub.Tests;
using Puna.Tensors.Kernels.Cpu;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary><c>bench</c>, <c>perplexity</c> and <c>doctor</c>.</summary>
public class MeasuringCommandTests
{
    private static readonly string[] BenchNumbers =
    [
        "prefill_tokens_per_second", "decode_tokens_per_second", "first_token_ms", "load_ms", "peak_rss_bytes", "weight_bytes", "read_bandwidth_bytes_per_second",
        "fma_peak_flops_per_second", "threads",
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

        // Two per multiply-add of the 3 blocks: 4 projections of 64 inputs to 64, 16, 16 and 64 outputs, and 3 between 64 and 176.
        Assert.Equal(2 * 3 * ((64 * (64 + 16 + 16 + 64)) + (3 * 64 * 176)), json.GetProperty("matrix_flops_per_token").GetInt64());
        Assert.Equal((3, 20, 20), (json.GetProperty("runs").GetInt32(), json.GetProperty("prefill_tokens").GetInt32(), json.GetProperty("context_tokens").GetInt32()));
        foreach (string rate in (ReadOnlySpan<string>)["prefill_tokens_per_second", "decode_tokens_per_second"])
        {
            double[] range = [.. json.GetProperty(rate + "_range").EnumerateArray().Select(static v => v.GetDouble())];
            Assert.InRange(json.GetProperty(rate).GetDouble(), range[0], range[1]);
        }
    }

    [Fact]
    public void BenchDecodesBehindTheContextAskedFor()
    {
        // One token less and there would be no room: the context is 256.
        CliRun run = CliRun.Of("bench", "--model", TestModels.Random, "--prefill", "7", "--context", "250", "--decode", "6", "--runs", "1", "--threads", "1", "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        JsonElement json = JsonDocument.Parse(run.Out).RootElement;
        Assert.Equal((7, 250, 6), (json.GetProperty("prefill_tokens").GetInt32(), json.GetProperty("context_tokens").GetInt32(), json.GetProperty("decode_tokens").GetInt32()));

        // Without a prompt's length it follows from the context.
        run = CliRun.Of("bench", "--model", TestModels.Random, "--context", "30", "--decode", "1", "--runs", "1", "--threads", "1");
        Assert.Contains(" 1 x 30 tokens)", run.Out.Replace("(", " ", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("1 x 1 tokens behind 30)", run.Out, StringComparison.Ordinal);
        CliRun.Of("bench", "--prefill", "9", "--context", "8").AssertRefused("option --context: expected at least the 9 tokens of the prompt, got 8");
    }

    [Fact]
    public void BenchCountsTheMemoryOfTheModelAlone()
    {
        // In a process of its own, because a peak is that of the process. 3.6 MB of model and the runtime take about 100 MB; the buffer that is read to
        // measure the memory takes 512 MB, unless the machine has little.
        PunaProcess run = PunaProcess.Run("bench", "--prefill", "20", "--decode", "3", "--json");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.InRange(JsonDocument.Parse(run.Out).RootElement.GetProperty("peak_rss_bytes").GetInt64(), 10 << 20, 350 << 20);
    }

    [Fact]
    public void BenchKeepsToTheContext() =>
        CliRun.Of("bench", "--prefill", "500", "--decode", "13").AssertRefused("context of puna-tiny: expected at most 512 tokens, got 500 before decoding and 13 to generate");

    [Fact]
    public void PerplexityFollowsFromTheLogits()
    {
        using var folder = new TempFolder();
        string[] texts = ["Once upon a time there was a herder.", "The storm came.", ""];
        File.WriteAllLines(folder.File("f.txt"), texts);
        JsonElement json = JsonDocument.Parse(CliRun.Of("perplexity", "--model", TestFiles.TrainedTiny, "--file", folder.File("f.txt"), "--json").Out).RootElement;

        // By hand: -log softmax of each next token, in texts of BOS (1), ids and EOS (2); an empty line is no text.
        double nll = 0;
        int count = 0;
        foreach (string text in texts[..2])
        {
            int[] ids = [.. CliRun.Of("tokenize", "--model", TestFiles.TrainedTiny, "--bos", text).Out.TrimEnd('\n').Split(' ').Select(int.Parse), 2];
            Assert.Equal(0, CliRun.Of("logits", "--model", TestFiles.TrainedTiny, "--tokens", string.Join(',', ids), "--out", folder.File("l.npy")).Code);
            using NpyFile logits = NpyFile.Open(folder.File("l.npy"));
            for (int i = 1; i < ids.Length; i++)
            {
                double[] row = Array.ConvertAll(logits.Values.Row<float>(i - 1).ToArray(), static x => (double)x);
                nll += Math.Log(row.Sum(Math.Exp)) - row[ids[i]];
                count++;
            }
        }

        Assert.Equal((count, 2), (json.GetProperty("tokens").GetInt32(), json.GetProperty("texts").GetInt32()));

        // The same numbers in float64: only the order of the sums differs.
        Assert.Equal(nll / count, json.GetProperty("mean_nll").GetDouble(), 1e-6);
        Assert.Equal(Math.Exp(nll / count), json.GetProperty("perplexity").GetDouble(), 1e-4);
    }

    [Fact]
    public void TheTypeOfTheCacheIsChosen()
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File("f.txt"), "Once upon a time there was a herder who walked to the village.\n");
        string[] types = ["f32", "f16", "q8_0"];
        double[] scores = [.. types.Select(type =>
        {
            CliRun run = CliRun.Of("perplexity", "--file", folder.File("f.txt"), "--kv", type, "--json");
            Assert.Equal((0, ""), (run.Code, run.Error));
            return JsonDocument.Parse(run.Out).RootElement.GetProperty("mean_nll").GetDouble();
        })];
        Assert.Equal(3, scores.Distinct().Count());
        Assert.All(scores, score => Assert.InRange(Math.Abs((score / scores[0]) - 1), 0, 0.02));
        foreach (string[] command in new[] { new[] { "run", "x" }, ["chat"], ["bench"], ["perplexity", "--file", "f"], ["logits", "--tokens", "1", "--out", folder.File("o.npy")] })
        {
            CliRun.Of([.. command, "--kv", "q4_0"]).AssertRefused("option --kv: expected f32, f16 or q8_0, got 'q4_0'");
        }

        Assert.NotEqual(0, CliRun.Of("tokenize", "--kv", "f16", "x").Code);
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
        Assert.Equal("jit", json.GetProperty("code").GetString());
    }

    /// <summary>The oracle is the system's own list of the processor's features: the fast path is taken wherever it can be, and doctor warns where it is not.</summary>
    [Fact]
    public void DoctorShowsThatTheFastPathIsTaken()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "needs the flags in /proc/cpuinfo of an x64 Linux");
        string[] flags = File.ReadLines("/proc/cpuinfo").First(static line => line.StartsWith("flags", StringComparison.Ordinal)).Split(' ');
        string expected = ((string[])["avx512f", "avx512bw", "avx512dq", "avx512vl"]).All(flags.Contains) ? "avx512" : flags.Contains("avx2") && flags.Contains("fma") ? "avx2" : "scalar";
        JsonElement json = Doctor(new Dictionary<string, string>());
        Assert.Equal((expected, expected, null), Paths(json));

        // A setting that hides instructions from the runtime, and so from the kernels, but not from the processor.
        Assert.SkipWhen(expected == "scalar", "needs a processor with AVX2");
        (string? kernels, string? hardware, string? warning) = Paths(Doctor(new Dictionary<string, string> { ["DOTNET_EnableAVX2"] = "0" }));
        Assert.Equal(("scalar", expected), (kernels, hardware));
        Assert.StartsWith("the processor has AVX", warning, StringComparison.Ordinal);
        Assert.Contains("DOTNET_EnableAVX2", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(CpuPath.Avx512, CpuPath.Avx2, CodeKind.Native, "AVX-512", "-p:IlcInstructionSet=x86-64-v4")]
    [InlineData(CpuPath.Avx2, CpuPath.Scalar, CodeKind.Native, "AVX2 and FMA", "-p:IlcInstructionSet=x86-64-v3")]
    [InlineData(CpuPath.Avx512, CpuPath.Scalar, CodeKind.ReadyToRun, "AVX-512", "DOTNET_EnableHWIntrinsic")]
    public void DoctorSaysHowToGetAFasterPath(object hardware, object best, object code, string has, string remedy)
    {
        string warning = KernelReport.Warn((CpuPath)hardware, (CpuPath)best, (CodeKind)code)!;
        Assert.Contains("the processor has " + has, warning, StringComparison.Ordinal);
        Assert.Contains(remedy, warning, StringComparison.Ordinal);
        Assert.Null(KernelReport.Warn((CpuPath)best, (CpuPath)best, (CodeKind)code));
    }

    private static JsonElement Doctor(Dictionary<string, string> environment)
    {
        environment["PUNA_CPU"] = "";
        PunaProcess run = PunaProcess.Run(["doctor", "--threads", "1", "--json"], null, environment);
        Assert.Equal((0, ""), (run.Code, run.Error));
        return JsonDocument.Parse(run.Out).RootElement;
    }

    private static (string? Kernels, string? Hardware, string? Warning) Paths(JsonElement json) =>
        (json.GetProperty("kernels").GetString(), json.GetProperty("kernels_of_hardware").GetString(), json.GetProperty("warning").GetString());
}
