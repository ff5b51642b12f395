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
    public void TheProposalIsAThirdOfTheBestRate() => Assert.Equal(0.1, Propose(3, 0.03, 5, 0.3, 4, 3, 9).Rate!.Value, 1e-12);

    /// <summary>Where the loss is lowest at an end of what was tried nothing was found, and no rate is proposed that was not tried.</summary>
    [Theory]
    [InlineData("the lowest rate tried: rate_finder.from has to be lower", 3, 1e-3, 4.0, 1e-2, 5.0, 1e-1, 6.0)]
    [InlineData("below the lowest rate tried: rate_finder.from has to be lower", 3, 1e-3, 5.0, 2e-3, 4.0, 4e-3, 9.0)]
    [InlineData("the highest rate tried: rate_finder.to has to be higher", 3, 1e-5, 6.0, 1e-4, 5.0, 1e-3, 4.0)]
    public void AtAnEndOfTheRangeNothingIsProposed(string why, int steps, params double[] ratesAndLosses)
    {
        (double? rate, string said) = Propose(steps, ratesAndLosses);
        Assert.Null(rate);
        Assert.EndsWith(why, said, StringComparison.Ordinal);
    }

    /// <summary>The last rate before everything was lost is inside of the range: what came behind it was seen.</summary>
    [Fact]
    public void ASearchThatBrokeOffHasSeenTheEnd() => Assert.Equal(1e-3 / 3, Propose(10, 1e-5, 6, 1e-4, 5, 1e-3, 4).Rate!.Value, 1e-12);

    [Fact]
    public void ResultsAreNotOverwrittenAndThereIsNothingToGoOnFrom()
    {
        string output = Path.Combine(_folder, "rates"), config = Config("""{ "from": 1e-7, "to": 8e-7, "steps": 3 }""");
        Assert.StartsWith("find-rate: expected no --resume", Refused(resume: true), StringComparison.Ordinal);
        Assert.False(Directory.Exists(output));
        string said = new FindRateRecipe().Run(new RecipeRequest(config, output), SilentReport.Instance, TestContext.Current.CancellationToken);
        byte[] before = File.ReadAllBytes(Path.Combine(output, "rates.jsonl"));

        // With rates that change nothing the loss goes up and down with the texts: wherever it is lowest of three, a third of that is below what was tried, or it is an end.
        Assert.StartsWith("no rate to propose (the smoothed loss is lowest at ", said, StringComparison.Ordinal);
        Assert.Equal($"folder {output}: expected one without results, got one with rates.jsonl", Refused(resume: false));
        Assert.Equal(before, File.ReadAllBytes(Path.Combine(output, "rates.jsonl")));

        string Refused(bool resume) =>
            Assert.Throws<PunaException>(() => new FindRateRecipe().Run(new RecipeRequest(config, output, resume), SilentReport.Instance, TestContext.Current.CancellationToken)).Message;
    }

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

    private static (double? Rate, string Why) Propose(int steps, params double[] ratesAndLosses) => FindRateRecipe.Propose(
        [.. Enumerable.Range(0, ratesAndLosses.Length / 2).Select(i => new RateEntry(i + 1, ratesAndLosses[2 * i], ratesAndLosses[(2 * i) + 1], ratesAndLosses[(2 * i) + 1]))],
        new RateFinderSection(ratesAndLosses[0], ratesAndLosses[^2], steps));

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
