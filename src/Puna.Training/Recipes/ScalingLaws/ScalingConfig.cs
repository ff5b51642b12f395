using Puna.Tensors;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Recipes.ScalingLaws;

/// <summary>The config of <c>puna train scaling</c>. In the file names are in <c>snake_case</c>.</summary>
public sealed record ScalingConfig
{
    /// <summary>The larger run that is to be predicted, and then done: a config of <c>puna train pretrain</c>. The small runs are the same with another model and fewer steps.</summary>
    public required PretrainConfig Target { get; init; }

    /// <summary>Models of the small runs.</summary>
    public required IReadOnlyList<ScalingModelSection> Models { get; init; }

    /// <summary>Steps of the small runs; each model is trained anew for each, so that its schedule ends with it.</summary>
    public required IReadOnlyList<long> Steps { get; init; }

    /// <summary>Resamples of the runs, for intervals.</summary>
    public int Resamples { get; set; } = 200;

    /// <summary>Checks that a law can be fitted to the runs.</summary>
    /// <exception cref="PunaException">Names what does not fit.</exception>
    public ScalingConfig Validate(string path)
    {
        Target.Validate(path);
        Require(Target.Model is not null, "target: expected a new model, got init_from");
        Require(Target.Stages.Count == 0, "target: expected a run without stages, since its loss is compared with those of runs without");
        Require(Target.ValidationRows > 0, "target: expected validation_rows of at least 1, since losses are measured on held-out rows");
        Require(!Models.Contains(null!), "models: expected models, got null among them");
        Require(Models.Count >= 2, $"models: expected at least 2, got {Models.Count}");
        Require(Steps.Count >= 2 && Steps.Distinct().Count() == Steps.Count && Steps.All(static s => s >= 1), "steps: expected at least two different numbers, each at least 1");
        Require(Models.Count * Steps.Count > 5, $"models x steps: expected more than the law's 5 constants, got {Models.Count * Steps.Count} runs");
        Require(Resamples is >= 0 and <= 10_000, $"resamples: expected 0 to 10000, got {Resamples}");
        return this;

        void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new PunaException($"{message} ({path})");
            }
        }
    }
}
