using Puna.Tensors;

namespace Puna.Models.PromptGuard;

/// <summary>What the layers of one pass share.</summary>
/// <param name="Batch">The texts.</param>
/// <param name="Distances">The table of distances, normed <c>[rows, hidden]</c>.</param>
/// <param name="DistanceRows">Row of the table for each distance.</param>
public sealed record DebertaContext(Batch Batch, Tensor Distances, int[] DistanceRows);
