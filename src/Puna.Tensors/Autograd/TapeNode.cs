namespace Puna.Tensors.Autograd;

/// <summary>One operation of a tape: its result, and how to go back.</summary>
/// <param name="result">What the operation returned.</param>
internal abstract class TapeNode(Tensor result)
{
    /// <summary>What the operation returned; its gradient is what <see cref="Back"/> starts from.</summary>
    public Tensor Result { get; } = result;

    /// <summary>Adds to the gradients of the operation's inputs.</summary>
    /// <param name="tape">Gives the gradients.</param>
    /// <param name="gradient">Gradient of <see cref="Result"/>; complete, and not needed afterwards.</param>
    public abstract void Back(Tape tape, Tensor gradient);
}
