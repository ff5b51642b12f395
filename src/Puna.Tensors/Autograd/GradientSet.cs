namespace Puna.Tensors.Autograd;

/// <summary>Gradients of the weights that are trained; a weight without an entry is frozen and costs nothing on the way back.</summary>
public sealed class GradientSet
{
    private readonly Dictionary<Weight, Tensor> _gradients = [];

    /// <summary>The weights, in the order of <see cref="Add"/>.</summary>
    public IReadOnlyCollection<Weight> Weights => _gradients.Keys;

    /// <summary>Gives a weight a gradient: zeros of its shape. A weight that is used several times (tied embeddings) has one, to which all uses add.</summary>
    /// <param name="weight">A float32 weight that is not packed.</param>
    /// <exception cref="PunaException">Another type.</exception>
    public Tensor Add(Weight weight)
    {
        if (weight.DType != DType.F32 || weight.Packed is not null)
        {
            throw new PunaException($"gradient of {weight.Name}: expected float32 in row order, got {weight.DType.Name()}{(weight.Packed is null ? "" : ", packed")}");
        }

        Tensor gradient = Tensor.Create(weight.Shape);
        _gradients.Add(weight, gradient);
        return gradient;
    }

    /// <summary>The gradient of a weight, or null where it is frozen.</summary>
    public Tensor? Find(Weight weight) => _gradients.TryGetValue(weight, out Tensor gradient) ? gradient : null;

    /// <summary>Sets all gradients to zero.</summary>
    public void Clear(IGradientOps ops)
    {
        foreach (Tensor gradient in _gradients.Values)
        {
            ops.Clear(gradient);
        }
    }
}
