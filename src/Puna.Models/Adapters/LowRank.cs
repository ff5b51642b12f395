using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>What an adapter adds to the product of one weight: x A^T B^T, and where there are factors (DoRA) the sum times them.</summary>
/// <param name="A"><c>[rank, in]</c>, float32.</param>
/// <param name="B"><c>[out, rank]</c>, float32, scaled, in the order of the model's rows.</param>
/// <param name="Factors"><c>[out]</c>, or null.</param>
/// <param name="Table">Of an embedding, B as a table <c>[vocab, rank]</c>; else null.</param>
/// <param name="Columns">Of an embedding, A the other way up <c>[hidden, rank]</c>; else null.</param>
internal sealed record LowRank(Weight A, Weight B, Weight? Factors, Weight? Table, Weight? Columns);
