using System.Text.Json;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Recipes;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Tests.Recipes;

/// <summary>The finder tries rates at equal ratios, ends where the loss explodes, and proposes a rate below the best one.</summary>
public sealed class FindRateRecipeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-rate-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void RatesRiseUntilTheLossExplodes()
    {
        string output = Path.Combine(_folder, "rates");
        string text = new FindRateRecipe().Run(new RecipeRequest(Config("""{ "from": 1e-4, "to": 100, "steps": 60 }"""), output), SilentReport.Instance, TestContext.Current.CancellationToken);
        Assert.StartsWith("peak rate to try: ", text, StringComparison.Ordinal);
        JsonElement[] lines = [.. File.ReadLines(Path.Combine(output, "rates.jsonl")).Select(static l => JsonDocument.Parse(l).RootElement)];
        double[] rates = [.. lines.Select(static l => l.GetProperty("rate").GetDouble())];
        double[] losses = [.. lines.Select(static l => l.GetProperty("loss").GetDouble())];
        double ratio = Math.Pow(1e6, 1.0 / 59);
        Assert.All(rates.Zip(rates.Skip(1)), pair => Assert.Equal(ratio, pair.Second / pair.First, 1e-9));

        // No model learns with a rate of 100: it ended before, after the loss had fallen.
        Assert.InRange(rates.Length, 10, 59);
        Assert.True(losses.Min() < losses[0] - 0.2);
        Assert.NotEmpty(File.ReadAllBytes(Path.Combine(output, "rates.svg")));
        Assert.NotEmpty(File.ReadAllBytes(Path.Combine(output, "rates.png")));
    }

    [Fact]
    public void TheProposalIsAThirdOfTheBestRate() =>
        Assert.Equal(0.1, FindRateRecipe.Propose([new RateEntry(1, 0.03, 5, 5), new RateEntry(2, 0.3, 4, 4), new RateEntry(3, 3, 9, 9)]), 1e-12);

    /// <summary>A gradient that is not finite ends the search; what was measured before stays, and the loss of that step with it.</summary>
    [Fact]
    public void AGradientThatIsNotFiniteEndsTheSearch()
    {
        int steps = 0;
        List<RateEntry> entries = FindRateRecipe.Try(
            new RateFinderSection(1e-3, 1, 10), rate => new StepResult(5 - rate, ++steps < 4 ? 1 : double.PositiveInfinity, 1, 1, steps < 4), SilentReport.Instance, TestContext.Current.CancellationToken);
        Assert.Equal([1, 2, 3, 4], entries.Select(static e => e.Step));
    }

    [Theory]
    [InlineData("""{ "from": 0, "to": 1, "steps": 10 }""")]
    [InlineData("""{ "from": 1, "to": 0.5, "steps": 10 }""")]
    [InlineData("""{ "from": 0.1, "to": 1, "steps": 1 }""")]
    public void ARangeThatIsNoneIsRefused(string range) =>
        Assert.StartsWith("rate_finder: ", Assert.Throws<PunaException>(() => new FindRateRecipe().Run(new RecipeRequest(Config(range), Path.Combine(_folder, "bad")), SilentReport.Instance, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);

    private string Config(string range)
    {
        string path = Path.Combine(_folder, "config.json");
        File.WriteAllText(path, $$"""
            {
              "model": { "hidden": 32, "ffn": 48, "layers": 2, "heads": 2, "kv_heads": 1, "context": 64 },
              "train_tokenizer": { "vocab_size": 320, "documents": 20 }, "data": [ { "altiplano": "stories" } ],
              "steps": 8, "row_tokens": 48, "batch_rows": 2, "rate_finder": {{range}}
            }
            """);
        return path;
    }
}
