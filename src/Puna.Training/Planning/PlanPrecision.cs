namespace Puna.Training.Planning;

/// <summary>Types of weights and activations. Gradients and moments are float32 in any case.</summary>
public enum PlanPrecision
{
    /// <summary>bfloat16 weights and activations, a float32 master of each weight beside the moments: 18 bytes per parameter.</summary>
    BFloat16,

    /// <summary>float32 throughout, the weights are the masters: 16 bytes per parameter.</summary>
    Float32,
}
