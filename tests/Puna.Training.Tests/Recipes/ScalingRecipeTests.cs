using System.Text.Json;
using Puna.Tensors;
using Puna.Training.Recipes;
using Puna.Training.Recipes.ScalingLaws;

namespace Puna.Training.Tests.Recipes;

/// <summary>A grid of very small runs, a prediction, and the run that is predicted.</summary>
public sealed class ScalingRecipeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-scaling-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void ALargerRunIsPredictedBeforeItIsTrained()
    {
        string output = Path.Combine(_folder, "out");
        string config = Config();

        // Stopped in the third run, and resumed: what was done is not done again.
        using (var stop = new CancellationTokenSource())
        {
            var report = new Watch { Stop = stop, StopAtLine = 3 };
            Assert.ThrowsAny<OperationCanceledException>(() => new ScalingRecipe().Run(new RecipeRequest(config, output, Threads: 2), report, stop.Token));
        }

        Assert.False(File.Exists(Path.Combine(output, "scaling.json")));
        Assert.Contains("--resume", Assert.Throws<PunaException>(() => new ScalingRecipe().Run(new RecipeRequest(config, output), SilentReport.Instance, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        byte[] first = File.ReadAllBytes(Path.Combine(output, "runs", "model-1-steps-8", "log.jsonl"));
        var watch = new Watch { Folder = output };
        string summary = new ScalingRecipe().Run(new RecipeRequest(config, output, Resume: true, Threads: 2), watch, TestContext.Current.CancellationToken);
        Assert.Equal(first, File.ReadAllBytes(Path.Combine(output, "runs", "model-1-steps-8", "log.jsonl")));

        // The prediction was on the disk when the target's first step was done.
        Assert.True(watch.PredictionCameFirst);
        JsonElement result = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(output, "scaling.json"))).RootElement;
        JsonElement prediction = result.GetProperty("prediction");
        Assert.Equal(6, prediction.GetProperty("runs").GetArrayLength());
        Assert.Equal(prediction.GetRawText().ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal), File.ReadAllText(Path.Combine(output, "prediction.json")).ReplaceLineEndings("").Replace(" ", "", StringComparison.Ordinal));

        // N by hand: two blocks of (2 x 32 x 32 + 2 x 32 x 16 + 3 x 32 x 48) and the output layer of 320 x 32; D: steps x rows x tokens.
        JsonElement last = prediction.GetProperty("runs")[5];
        Assert.Equal((2 * ((2 * 32 * 32) + (2 * 32 * 16) + (3 * 32 * 48))) + (320 * 32), last.GetProperty("n").GetDouble());
        Assert.InRange(last.GetProperty("d").GetDouble(), 0.95 * 24 * 4 * 32, 1.05 * 24 * 4 * 32);

        // The measured loss is that of the target's log, and the error follows from it. How good a law of such runs is says nothing: it is only not absurd.
        double measured = result.GetProperty("target").GetProperty("loss").GetDouble(), predicted = prediction.GetProperty("loss").GetDouble();
        Assert.Equal(measured, JsonDocument.Parse(File.ReadLines(Path.Combine(output, "target", "log.jsonl")).Last()).RootElement.GetProperty("validation_loss").GetDouble());
        Assert.Equal((predicted / measured) - 1, result.GetProperty("error").GetDouble(), 1e-12);
        Assert.InRange(predicted / measured, 0.8, 1.25);

        string card = File.ReadAllText(Path.Combine(output, "README.md"));
        Assert.Contains("| target |", card, StringComparison.Ordinal);
        Assert.Contains("| model-2-steps-24 |", card, StringComparison.Ordinal);
        Assert.DoesNotContain("E+0", card, StringComparison.Ordinal);
        Assert.Contains("predicted", summary, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(output, "scaling.svg")) && File.Exists(Path.Combine(output, "scaling.png")));
    }

    [Theory]
    [InlineData("\"steps\": [8, 14, 24]", "\"steps\": [8, 8]", "steps: expected at least two different numbers")]
    [InlineData("\"steps\": [8, 14, 24]", "\"steps\": [8, 14]", "models x steps: expected more than the law's 5 constants, got 4 runs")]
    [InlineData("\"validation_rows\": 8", "\"validation_rows\": 0", "target: expected validation_rows of at least 1")]
    [InlineData("\"hidden\": 16", "\"hidden\": 0", "hidden size: expected 1 to")]
    [InlineData("\"models\"", "\"modells\"", "config ")]
    [InlineData("\"models\": [", "\"models\": [null,", "models: expected models, got null")]
    [InlineData("\"hidden\": 16", "\"hidden\": null", "config ")]
    public void AWrongConfigIsSaidBeforeAnyRun(string right, string wrong, string message)
    {
        string path = Config();
        File.WriteAllText(path, File.ReadAllText(path).Replace(right, wrong, StringComparison.Ordinal));
        string output = Path.Combine(_folder, "out");
        PunaException e = Assert.Throws<PunaException>(() => new ScalingRecipe().Run(new RecipeRequest(path, output, Threads: 1), SilentReport.Instance, TestContext.Current.CancellationToken));
        Assert.StartsWith(message, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
        Assert.False(Directory.Exists(Path.Combine(output, "runs")));
    }

    private string Config()
    {
        string path = Path.Combine(_folder, "scaling.json");
        File.WriteAllText(path, """
            {
              "target": {
                "model": { "hidden": 48, "ffn": 64, "layers": 2, "heads": 2, "kv_heads": 1, "context": 32 },
                "train_tokenizer": { "vocab_size": 320, "documents": 30 },
                "data": [ { "altiplano": "stories" } ],
                "steps": 40, "row_tokens": 32, "batch_rows": 4, "validation_rows": 8,
                "rate": { "peak": 0.005, "warmup": 5 }, "seed": 3
              },
              "models": [
                { "model": { "hidden": 16, "ffn": 32, "layers": 1, "heads": 2, "context": 32 }, "peak_rate": 0.01 },
                { "model": { "hidden": 32, "ffn": 48, "layers": 2, "heads": 2, "kv_heads": 1, "context": 32 } }
              ],
              "steps": [8, 14, 24],
              "resamples": 20
            }
            """);
        return path;
    }

    private sealed class Watch : IRecipeReport
    {
        private int _lines;

        public CancellationTokenSource? Stop { get; init; }

        public int StopAtLine { get; init; }

        public string? Folder { get; init; }

        public bool PredictionCameFirst { get; private set; }

        public void Progress(string stage, long done, long? total)
        {
            if (_lines == StopAtLine)
            {
                Stop?.Cancel();
            }

            if (Folder is not null && total == 40 && done == 1)
            {
                PredictionCameFirst = File.Exists(Path.Combine(Folder, "prediction.json"));
            }
        }

        public void Line(string text) => _lines += text.StartsWith("run ", StringComparison.Ordinal) ? 1 : 0;
    }
}
