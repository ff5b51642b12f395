using Puna.Models.Adapters;
using Puna.Tensors;

namespace Puna.Models;

/// <summary>A linear layer y = x W^T. What is added around the product (a bias, adapters of some rows; later sharding, fake quantisation) wraps it here, outside the ops.</summary>
public class Linear
{
    /// <summary>Creates a layer without bias.</summary>
    /// <param name="weight"><c>[out, in]</c>.</param>
    /// <param name="name">Canonical name of the weight, by which adapters know the layer; empty where there can be none.</param>
    public Linear(Weight weight, string name = "") => (Weight, Name) = (weight, name);

    /// <summary>Canonical name of the weight, or empty.</summary>
    public string Name { get; }

    /// <summary>The weight <c>[out, in]</c>.</summary>
    public Weight Weight { get; }

    /// <summary>What is done to the product; nothing here.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="y"><c>[tokens, out]</c>.</param>
    public virtual Tensor After(IOps ops, Tensor y) => y;

    /// <summary>The same layer with its weight as a device wants it.</summary>
    /// <param name="weight">Gives the device's form of a weight.</param>
    public virtual Linear With(Func<Weight, Weight> weight) => new(weight(Weight), Name);

    /// <summary>What is done to the product where some rows have adapters.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="y">The product <c>[tokens, out]</c>.</param>
    /// <param name="x">What the layer read <c>[tokens, in]</c>; not looked at without adapters.</param>
    /// <param name="adapters">Adapters of the rows, or null.</param>
    public Tensor After(IOps ops, Tensor y, Tensor x, AdapterRows? adapters) => After(ops, adapters is null ? y : adapters.Add(ops, Name, x, y));

    /// <summary>Applies one layer.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x"><c>[tokens, in]</c>.</param>
    /// <param name="adapters">Adapters of the rows, or null.</param>
    /// <returns><c>[tokens, out]</c>.</returns>
    public Tensor Forward(IOps ops, Tensor x, AdapterRows? adapters = null)
    {
        Tensor y = default;
        ops.MatMul(x, [Weight], new Span<Tensor>(ref y));
        return After(ops, y, x, adapters);
    }
}
