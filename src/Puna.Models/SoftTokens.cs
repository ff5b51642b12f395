using Puna.Tensors;

namespace Puna.Models;

/// <summary>Embeddings that are computed, not looked up: the patches of pictures (early fusion, spec llama4.md 4.8).</summary>
/// <param name="Rows">Rows of the batch, ascending.</param>
/// <param name="Values">An embedding per row <c>[rows, hidden]</c> float32.</param>
public sealed record SoftTokens(int[] Rows, Tensor Values);
