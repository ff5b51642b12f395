namespace Puna.Training.Core;

/// <summary>Constants of AdamW, with the defaults of Llama 2 (spec training.md 1.4).</summary>
/// <param name="Beta1">Decay of the first moment.</param>
/// <param name="Beta2">Decay of the second moment.</param>
/// <param name="Epsilon">Added to the root of the second moment.</param>
/// <param name="Decay">Decoupled weight decay of matrices.</param>
public sealed record AdamWOptions(float Beta1 = 0.9f, float Beta2 = 0.95f, float Epsilon = 1e-5f, float Decay = 0.1f);
