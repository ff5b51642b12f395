namespace Puna.Training.Core;

/// <summary>Shapes of a learning-rate schedule behind its warm-up.</summary>
public enum LearningRateKind
{
    /// <summary>Half a cosine from the peak to the floor.</summary>
    Cosine,

    /// <summary>A straight line from the peak to the floor: annealing.</summary>
    Linear,

    /// <summary>The peak.</summary>
    Constant,

    /// <summary>The peak, and a straight line to the floor at the end.</summary>
    WarmupStableDecay,
}
