using Puna.Training.Core;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>The learning rate over a run.</summary>
public sealed record RateSection
{
    /// <summary>Shape behind the warm-up.</summary>
    public LearningRateKind Kind { get; set; }

    /// <summary>Highest rate.</summary>
    public double Peak { get; set; } = 1e-3;

    /// <summary>Rate at the end; a tenth of the peak where not said.</summary>
    public double? Floor { get; set; }

    /// <summary>Steps of the warm-up.</summary>
    public long Warmup { get; set; }

    /// <summary>Steps of the fall at the end, of <see cref="LearningRateKind.WarmupStableDecay"/>.</summary>
    public long Decay { get; set; }
}
