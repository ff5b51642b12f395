using Puna.Tensors;
using Puna.Training.Checkpoints;

namespace Puna.Training.Recipes.Vision;

/// <summary><c>puna train vision</c>: a model that says what it sees in pictures of the simulated world (spec training.md 3.7 and 3.8).</summary>
public sealed class VisionRecipe : IRecipe
{
    /// <inheritdoc/>
    public string Name => "vision";

    /// <inheritdoc/>
    public string Summary => "train a model to caption pictures, with cross-attention or early fusion";

    /// <inheritdoc/>
    public string Run(RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        using RunClaim claim = RunClaim.Take(request.Output);
        var checkpoints = new TrainingCheckpoints(Path.Combine(request.Output, "checkpoints"));
        string? latest = checkpoints.Begin(request, report);
        VisionSetup setup = VisionSetup.Create(request, report, stop, latest);
        using var ops = new CpuOps(request.Threads);
        using var run = new VisionRun(setup, ops, request.Output, checkpoints, latest, report);
        run.Train(stop);
        return run.Finish(stop);
    }
}
