namespace Puna.Tensors;

/// <summary>A part of a model that turns rows into rows of the same shape. Has no side effects when it is run again on the same input.</summary>
/// <typeparam name="TContext">What the model carries along: batch, positions, cache.</typeparam>
public interface IBlock<in TContext>
{
    /// <summary>Computes the block.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x">Input <c>[tokens, hidden]</c>.</param>
    /// <param name="context">The batch and what belongs to it.</param>
    Tensor Forward(IOps ops, Tensor x, TContext context);
}
