using Puna.Tensors;

namespace Puna.Models;

/// <summary>A linear layer y = x W^T. What is added around the product (a bias; later adapters, sharding, fake quantisation) wraps it here, outside the ops.</summary>
public class Linear
{
    /// <summary>Creates a layer without bias.</summary>
    /// <param name="weight"><c>[out, in]</c>.</param>
    public Linear(Weight weight) => Weight = weight;

    /// <summary>The weight <c>[out, in]</c>.</summary>
    public Weight Weight { get; }

    /// <summary>What is done to the product; nothing here.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="y"><c>[tokens, out]</c>.</param>
    public virtual Tensor After(IOps ops, Tensor y) => y;

    /// <summary>The same layer with its weight as a device wants it.</summary>
    /// <param name="weight">Gives the device's form of a weight.</param>
    public virtual Linear With(Func<Weight, Weight> weight) => new(weight(Weight));

    /// <summary>Applies one layer.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x"><c>[tokens, in]</c>.</param>
    /// <returns><c>[tokens, out]</c>.</returns>
    public Tensor Forward(IOps ops, Tensor x)
    {
        Tensor y = default;
        ops.MatMul(x, [Weight], new Span<Tensor>(ref y));
        return After(ops, y);
    }
}
