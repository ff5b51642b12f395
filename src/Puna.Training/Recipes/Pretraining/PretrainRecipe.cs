using Puna.Tensors;
using Puna.Training.Checkpoints;

namespace Puna.Training.Recipes.Pretraining;

/// <summary><c>puna train pretrain</c>: a model that learns to continue text (spec training.md 3).</summary>
public sealed class PretrainRecipe : IRecipe
{
    /// <inheritdoc/>
    public string Name => "pretrain";

    /// <inheritdoc/>
    public string Summary => "train a model to continue text, from nothing or from a checkpoint";

    /// <inheritdoc/>
    public string Run(RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        using RunClaim claim = RunClaim.Take(request.Output);
        var checkpoints = new TrainingCheckpoints(Path.Combine(request.Output, "checkpoints"));
        string? latest = checkpoints.Begin(request, report);
        using PretrainSetup setup = PretrainSetup.Create(request, report, stop, latest);
        using var ops = new CpuOps(request.Threads);
        using var run = new PretrainRun(setup, ops, request.Output, checkpoints, latest, report);
        run.Train(stop);
        return run.Finish(stop);
    }
}
