namespace Puna.Models;

/// <summary>What an attention layer does beside the ordinary: all of it, or all but the rotation, is Llama 4's (spec llama4.md 3.3).</summary>
/// <param name="IsRotary">Whether queries and keys are rotated.</param>
/// <param name="IsLocal">Whether a token sees its own chunk only.</param>
/// <param name="QkNormEpsilon">Epsilon of a weightless norm of each rotated query and key head, or null where there is none.</param>
/// <param name="HasTemperature">Whether queries are multiplied by the factor of their position.</param>
public readonly record struct AttentionOptions(bool IsRotary, bool IsLocal = false, float? QkNormEpsilon = null, bool HasTemperature = false)
{
    /// <summary>Rotary causal attention: every Llama before the fourth.</summary>
    public static AttentionOptions Dense { get; } = new(IsRotary: true);

    /// <summary>The options of a layer.</summary>
    public static AttentionOptions Of(LlamaConfig config, int layer) => config.Llama4 is not Llama4Config four ? Dense : new(
        four.IsRotary[layer],
        four.IsLocal[layer],
        four.QkNorm && four.IsRotary[layer] ? config.NormEpsilon : null,
        four.Temperature && !four.IsRotary[layer]);
}
