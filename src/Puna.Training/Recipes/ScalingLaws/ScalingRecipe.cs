using System.Globalization;
using System.Text.Json;
using Puna.Formats;
using Puna.Models;
using Puna.Tensors;
using Puna.Text;
using Puna.Training.Core;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Recipes.ScalingLaws;

/// <summary>
/// <c>puna train scaling</c>: trains a grid of small models, fits a law to their held-out losses, predicts the loss of a larger run, writes the prediction down, does the run, and reports
/// (spec training.md 3.2).
/// </summary>
public sealed class ScalingRecipe : IRecipe
{
    /// <inheritdoc/>
    public string Name => "scaling";

    /// <inheritdoc/>
    public string Summary => "fit a scaling law to small runs and predict a larger one before it is trained";

    /// <inheritdoc/>
    public string Run(RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        using RunClaim claim = RunClaim.Take(request.Output);
        ScalingConfig config = RecipeConfig.Read(request.Config, ScalingConfigJson.Default.ScalingConfig).Validate(request.Config);
        if (Directory.Exists(Path.Combine(request.Output, "runs")) && !request.Resume)
        {
            throw new PunaException($"folder {request.Output}: expected none, or one without runs, got one with runs: --resume goes on with them");
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(request.Config))!;
        using PretrainSetup setup = Prepare(request, config, folder, report, stop);

        // All configs before the first step: what is wrong with the last one should not be found out after hours.
        var plans = new List<(string Name, int Model, PretrainConfig Config)>();
        for (int m = 0; m < config.Models.Count; m++)
        {
            foreach (long steps in config.Steps)
            {
                string name = string.Create(CultureInfo.InvariantCulture, $"model-{m + 1}-steps-{steps}");
                plans.Add((name, m, Derive(request, config, folder, name, config.Models[m], steps).Validate(request.Config)));
                PretrainChecks.Require(setup, plans[^1].Config, Shape(plans[^1].Config, setup.Tokenizer));
            }
        }

        PretrainChecks.Require(setup, setup.Config, Shape(setup.Config, setup.Tokenizer));
        PretrainChecks.RequireHeldOut(setup);
        double targetN = Size(Shape(config.Target, setup.Tokenizer));
        var runs = new List<ScalingRun>();
        foreach ((string name, int model, PretrainConfig run) in plans)
        {
            report.Line(string.Create(CultureInfo.InvariantCulture, $"run {runs.Count + 1} of {plans.Count + 1}: {name}"));
            (double d, double loss) = Train(request, Path.Combine("runs", name), run, report, stop);
            runs.Add(new ScalingRun(name, model, Size(Shape(run, setup.Tokenizer)), d, loss));
        }

        // The tokens of a step are the same in all runs.
        double tokens = runs[0].D / plans[0].Config.Steps * config.Target.Steps;
        ScalingPrediction prediction = ScalingPrediction.Make(runs, targetN, tokens, config.Resamples);
        StagedFiles.Write(Path.Combine(request.Output, "prediction.json"), JsonSerializer.SerializeToUtf8Bytes(prediction, ScalingJson.Default.ScalingPrediction));
        report.Line(string.Create(CultureInfo.InvariantCulture, $"predicted for {targetN:N0} parameters and {tokens:N0} tokens: held-out loss {prediction.Loss:F4}"));

        var target = new ScalingModelSection(config.Target.Model!, config.Target.Rate.Peak);
        (double targetD, double measured) = Train(request, "target", Derive(request, config, folder, "target", target, config.Target.Steps), report, stop);
        var result = new ScalingResult(prediction, new ScalingRun("target", null, targetN, targetD, measured), (prediction.Loss / measured) - 1);
        return ScalingReport.Write(request.Output, result);
    }

    /// <summary>Parameters that every token meets. A tied embedding is the output layer and counts; an embedding that is only looked up does not.</summary>
    private static double Size(LlamaConfig model) => FlopCount.BlockParameters(model) + ((double)model.Vocab * model.Hidden);

    private static LlamaConfig Shape(PretrainConfig config, Tokenizer tokenizer) => config.Model!.Create(config.Name, tokenizer).Validate(config.Name);

    /// <summary>Reads or trains the tokenizer, once for all runs.</summary>
    private static PretrainSetup Prepare(RecipeRequest request, ScalingConfig config, string folder, IRecipeReport report, CancellationToken stop)
    {
        string path = Path.Combine(request.Output, "target.json");
        MakeFolder(request.Output);
        PretrainConfig target = Rebase(config.Target, folder, request.Output);
        StagedFiles.Write(path, JsonSerializer.SerializeToUtf8Bytes(target, ScalingConfigJson.Default.PretrainConfig));
        return PretrainSetup.Create(request with { Config = path }, report, stop);
    }

    /// <summary>The target's config for another model and other steps, with its paths seen from the run's folder.</summary>
    private static PretrainConfig Derive(RecipeRequest request, ScalingConfig config, string folder, string name, ScalingModelSection model, long steps)
    {
        PretrainConfig target = config.Target;
        string runFolder = name == "target" ? Path.Combine(request.Output, name) : Path.Combine(request.Output, "runs", name);
        double peak = model.PeakRate ?? target.Rate.Peak;
        PretrainConfig derived = Rebase(target, folder, runFolder);
        return derived with
        {
            Name = name == "target" ? target.Name : name,
            Model = model.Model,
            Steps = steps,
            Tokenizer = derived.Tokenizer ?? Path.GetRelativePath(runFolder, Path.Combine(request.Output, "tokenizer")),
            TrainTokenizer = null,
            Rate = target.Rate with
            {
                Peak = peak,
                Floor = target.Rate.Floor * peak / target.Rate.Peak,

                // A short run has to be past its warm-up, and its fall is the same share of it.
                Warmup = Math.Min(target.Rate.Warmup, steps / 4),
                Decay = target.Rate.Decay * steps / target.Steps,
            },
        };
    }

    private static PretrainConfig Rebase(PretrainConfig config, string from, string to) => config with
    {
        Tokenizer = config.Tokenizer is null ? null : Path.GetRelativePath(to, Path.Combine(from, config.Tokenizer)),
        Data = [.. config.Data.Select(d => d.Shards is null ? d : d with { Shards = Path.GetRelativePath(to, Path.Combine(from, d.Shards)) })],
    };

    /// <summary>Does a run, or the rest of it, or nothing where it is done.</summary>
    /// <returns>Tokens and held-out loss at its end.</returns>
    private static (double Tokens, double Loss) Train(RecipeRequest request, string name, PretrainConfig config, IRecipeReport report, CancellationToken stop)
    {
        string output = Path.Combine(request.Output, name), path = Path.Combine(output, "config.json"), log = Path.Combine(output, "log.jsonl");
        MakeFolder(output);
        StagedFiles.Write(path, JsonSerializer.SerializeToUtf8Bytes(config, ScalingConfigJson.Default.PretrainConfig));
        stop.ThrowIfCancellationRequested();
        new PretrainRecipe().Run(request with { Config = path, Output = output, Resume = true }, report, stop);
        LogEntry? last = JsonSerializer.Deserialize(File.ReadLines(log).Last(), LogJson.Default.LogEntry);
        return last?.ValidationLoss is double loss ? (last.Tokens, loss) : throw new PunaException($"log {log}: expected a held-out loss in its last line, got none");
    }

    private static void MakeFolder(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"folder {path}: cannot be made: {e.Message}", e);
        }
    }
}
