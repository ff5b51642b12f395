using Puna.Tensors;

namespace Puna.Models;

/// <summary>A linear layer with a bias.</summary>
public sealed class BiasedLinear : Linear
{
    /// <summary>Creates a layer.</summary>
    /// <param name="weight"><c>[out, in]</c>.</param>
    /// <param name="bias"><c>[out]</c> float32.</param>
    /// <param name="name">As for <see cref="Linear"/>.</param>
    public BiasedLinear(Weight weight, Weight bias, string name = "")
        : base(weight, name) => Bias = bias;

    /// <summary>The bias <c>[out]</c>.</summary>
    public Weight Bias { get; }

    /// <inheritdoc/>
    public override Linear With(Func<Weight, Weight> weight) => new BiasedLinear(weight(Weight), weight(Bias), Name);

    /// <inheritdoc/>
    public override Tensor After(IOps ops, Tensor y) => ops.AddBias(y, Bias);
}
