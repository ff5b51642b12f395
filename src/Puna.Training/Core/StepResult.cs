namespace Puna.Training.Core;

/// <summary>What one step of training gave.</summary>
/// <param name="Loss">Mean negative log likelihood, nats per weighted token.</param>
/// <param name="GradientNorm">Norm of the gradients before clipping.</param>
/// <param name="Weight">Sum of the weights of all targets: the normaliser.</param>
/// <param name="Tokens">Tokens that went through the model.</param>
/// <param name="Updated">Whether the weights were changed; not where nothing had a target or the gradient was not finite.</param>
public readonly record struct StepResult(double Loss, double GradientNorm, double Weight, long Tokens, bool Updated)
{
    /// <summary>The losses of routers' scores, weighted as they were added; 0 without.</summary>
    public double ExpertLoss { get; init; }

    /// <summary>Rows that found no room at their expert, in all layers.</summary>
    public long DroppedRows { get; init; }
}
