namespace Puna.Tensors;

/// <summary>What one step of AdamW is told.</summary>
/// <param name="Step">Number of the step, from 1: for the correction of the bias.</param>
/// <param name="Rate">Learning rate.</param>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="Decay">Weight decay, decoupled: multiplied by the rate.</param>
/// <param name="Scale">What the gradient is multiplied by first: clipping.</param>
public readonly record struct AdamWConstants(long Step, float Rate, float Beta1, float Beta2, float Epsilon, float Decay, float Scale);
