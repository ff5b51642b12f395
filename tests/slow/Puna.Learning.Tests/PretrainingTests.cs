using System.Text.Json;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Learning.Tests;

/// <summary>Tests that learn: a minute or more each, apart from the main test command.</summary>
public sealed class PretrainingTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-learning-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A model of a million parameters that has seen 800 KB of stories knows their words and how they go on: below half of the loss that knowing the frequencies of tokens alone gives (5.2).</summary>
    [Fact]
    public void AMillionParametersLearnStories()
    {
        string config = Path.Combine(_folder, "config.json");
        File.WriteAllText(config, """
            {
              "model": { "hidden": 128, "ffn": 352, "layers": 4, "heads": 4, "kv_heads": 2, "context": 256 },
              "train_tokenizer": { "vocab_size": 1024, "documents": 2000 },
              "data": [ { "altiplano": "stories" } ],
              "steps": 500, "row_tokens": 256, "batch_rows": 8, "rate": { "peak": 5e-3, "warmup": 20 }, "checkpoint_every": 500, "validation_rows": 16
            }
            """);
        string output = Path.Combine(_folder, "run");
        new PretrainRecipe().Run(new RecipeRequest(config, output), SilentReport.Instance, TestContext.Current.CancellationToken);
        double loss = JsonDocument.Parse(File.ReadLines(Path.Combine(output, "log.jsonl")).Last()).RootElement.GetProperty("validation_loss").GetDouble();
        Assert.InRange(loss, 0.5, 2.6);
    }
}
