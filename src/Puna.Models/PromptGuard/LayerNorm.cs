using Puna.Tensors;

namespace Puna.Models.PromptGuard;

/// <summary>A norm with a mean, a weight and a bias.</summary>
/// <param name="Weight">Weight <c>[hidden]</c> float32.</param>
/// <param name="Bias">Bias <c>[hidden]</c> float32.</param>
/// <param name="Epsilon">Added to the variance.</param>
public sealed record LayerNorm(Weight Weight, Weight Bias, float Epsilon)
{
    /// <summary>Norms every row.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x"><c>[tokens, hidden]</c>.</param>
    public Tensor Forward(IOps ops, Tensor x) => ops.LayerNorm(x, Weight, Bias, Epsilon);
}
