using Puna.Tensors;

namespace Puna.Training.Core;

/// <summary>A parameter that training changes.</summary>
/// <param name="Name">Canonical name (Meta's), for example <c>layers.0.attention.wq.weight</c>.</param>
/// <param name="Weight">The weight that the model reads.</param>
/// <param name="Gradient">Its gradient, of the same shape.</param>
public sealed record TrainableParameter(string Name, Weight Weight, Tensor Gradient)
{
    /// <summary>The float32 values.</summary>
    public Tensor Values => Weight.Master;

    /// <summary>Whether weight decay applies: to matrices, embeddings included, not to norms and biases (spec training.md 1.4).</summary>
    public bool Decays => Weight.Shape.Rank >= 2;
}
