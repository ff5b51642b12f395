using System.Globalization;
using System.Text;
using System.Text.Json;
using Puna.Formats;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Data;
using Puna.Training.Plots;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>
/// <c>puna train find-rate</c>: raises the learning rate step by step until the loss explodes, and proposes a peak (L. Smith, Cyclical Learning Rates for Training Neural Networks, 2017,
/// section 3.3). Takes the config of <c>pretrain</c>.
/// </summary>
public sealed class FindRateRecipe : IRecipe
{
    private const double Smoothing = 0.9;

    // A loss so far above the best one has left the valley.
    private const double Explosion = 1.5;

    // The best loss is reached with a rate at which training for long is not stable; a third of it usually is.
    private const double Margin = 3;

    private const string Lines = "rates.jsonl";
    private const string Drawing = "rates.svg";
    private const string Picture = "rates.png";

    /// <inheritdoc/>
    public string Name => "find-rate";

    /// <inheritdoc/>
    public string Summary => "find a learning rate for a config of pretrain";

    /// <inheritdoc/>
    public string Run(RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        if (request.Resume)
        {
            throw new PunaException("find-rate: expected no --resume, got it: a search keeps no checkpoints to go on from");
        }

        using RunClaim claim = RunClaim.Take(request.Output);
        foreach (string name in (ReadOnlySpan<string>)[Lines, Drawing, Picture])
        {
            if (File.Exists(Path.Combine(request.Output, name)))
            {
                throw new PunaException($"folder {request.Output}: expected one without results, got one with {name}");
            }
        }

        using PretrainSetup setup = PretrainSetup.Create(request, report, stop);
        RateFinderSection range = setup.Config.RateFinder;
        if (!(range.From > 0 && range.To > range.From && double.IsFinite(range.To) && range.Steps >= 2))
        {
            throw new PunaException(FormattableString.Invariant($"rate_finder: expected 0 < from < to and at least 2 steps, got {range.From}, {range.To}, {range.Steps} ({request.Config})"));
        }

        using var ops = new CpuOps(request.Threads);
        List<RateEntry> entries = Try(setup, range, ops, report, stop);
        (double? rate, string why) = Propose(entries, range);
        Write(request.Output, setup.Config.Name, entries, rate);
        string found = rate is double peak ? string.Create(CultureInfo.InvariantCulture, $"peak rate to try: {peak:0.0E0}") : "no rate to propose";
        return $"{found} ({why}; {Path.Combine(request.Output, Drawing)} shows all)";
    }

    /// <summary>A third of the rate at which the smoothed loss was lowest; none where the range has no lowest place inside, or where that would be a rate that was not tried.</summary>
    /// <returns>The rate or null, and what was seen.</returns>
    internal static (double? Rate, string Why) Propose(IReadOnlyList<RateEntry> entries, RateFinderSection range)
    {
        RateEntry best = entries.MinBy(static e => e.Smoothed)!;
        double rate = best.Rate / Margin;
        string seen = string.Create(CultureInfo.InvariantCulture, $"the smoothed loss is lowest at {best.Rate:0.0E0}");

        // A search that broke off has seen where learning ends; one that went through the range has not.
        return best == entries[^1] && entries.Count == range.Steps ? (null, seen + ", the highest rate tried: rate_finder.to has to be higher")
            : best == entries[0] ? (null, seen + ", the lowest rate tried: rate_finder.from has to be lower")
            : rate < entries[0].Rate ? (null, seen + ", and a third of it is below the lowest rate tried: rate_finder.from has to be lower")
            : (rate, seen);
    }

    private static List<RateEntry> Try(PretrainSetup setup, RateFinderSection range, CpuOps ops, IRecipeReport report, CancellationToken stop)
    {
        PretrainConfig config = setup.Config;
        using var trainer = new Trainer(ops, setup.CreateModel(), config.Optimizer, config.Clip, config.ActivationCheckpoints, experts: config.Experts);
        var data = new TrainingData(config, setup.Sources, setup.Tokenizer);
        List<TrainingBatch> batches = [.. Enumerable.Range(0, config.BatchRows / config.MicroBatch).Select(static _ => new TrainingBatch())];
        return Try(range, Step, report, stop);

        StepResult Step(double rate)
        {
            data.Fill(batches);
            return trainer.Step(batches, rate);
        }
    }

    /// <summary>Does steps with rising rates until the loss explodes.</summary>
    /// <param name="range">The rates.</param>
    /// <param name="train">Does a step with a rate.</param>
    /// <param name="report">Told how far it is.</param>
    /// <param name="stop">Ends it.</param>
    internal static List<RateEntry> Try(RateFinderSection range, Func<double, StepResult> train, IRecipeReport report, CancellationToken stop)
    {
        var entries = new List<RateEntry>();
        double mean = 0;
        for (int step = 0; step < range.Steps; step++)
        {
            stop.ThrowIfCancellationRequested();
            double rate = range.From * Math.Pow(range.To / range.From, (double)step / (range.Steps - 1));
            StepResult result = train(rate);
            if (!double.IsFinite(result.Loss))
            {
                break;
            }

            // The mean of a series that has just begun is divided by the weight it has so far.
            mean = (Smoothing * mean) + ((1 - Smoothing) * result.Loss);
            entries.Add(new RateEntry(step + 1, rate, result.Loss, mean / (1 - Math.Pow(Smoothing, step + 1))));
            report.Progress(string.Create(CultureInfo.InvariantCulture, $"rate {rate:0.0E0}, loss {result.Loss:F3}"), step + 1, range.Steps);

            // Without a gradient there is no next step to measure.
            if (!double.IsFinite(result.GradientNorm) || entries[^1].Smoothed > Explosion * entries.Min(static e => e.Smoothed))
            {
                break;
            }
        }

        return entries.Count > 0 ? entries : throw new PunaException("find-rate: expected a finite loss with the lowest rate, got none");
    }

    private static void Write(string output, string name, List<RateEntry> entries, double? rate)
    {
        LineChart chart = new LineChart(name, "learning rate", "loss (nats per token)") { LogX = true }
            .Add(new ChartSeries("loss", [.. entries.Select(static e => new ChartPoint(e.Rate, e.Loss))]))
            .Add(new ChartSeries("smoothed", [.. entries.Select(static e => new ChartPoint(e.Rate, e.Smoothed))]));
        if (rate is double peak)
        {
            chart.Add(new ChartMarker("peak to try", new ChartPoint(peak, entries.MinBy(e => Math.Abs(Math.Log(e.Rate / peak)))!.Smoothed)));
        }

        using var files = new StagedFiles();
        files.MakeFolder(output);
        Stream lines = files.Create(Path.Combine(output, Lines));
        foreach (RateEntry entry in entries)
        {
            using (var writer = new Utf8JsonWriter(lines))
            {
                JsonSerializer.Serialize(writer, entry, LogJson.Default.RateEntry);
            }

            lines.Write(Encoding.UTF8.GetBytes("\n"));
        }

        files.Create(Path.Combine(output, Drawing)).Write(chart.ToSvg());
        files.Create(Path.Combine(output, Picture)).Write(chart.ToPng());
        files.Commit();
    }
}
