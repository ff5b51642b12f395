using Puna.Tensors;

namespace Puna.Cli.Generation;

/// <summary>Values from a file, with their shape.</summary>
/// <param name="Values">In row order.</param>
/// <param name="Shape">Sizes, outermost first.</param>
internal sealed record InputArray<T>(T[] Values, Shape Shape);
