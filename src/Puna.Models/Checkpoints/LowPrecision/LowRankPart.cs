using Puna.Formats;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>What is added to a matrix: scale B A.</summary>
/// <param name="A"><c>[rank, in]</c>.</param>
/// <param name="B"><c>[out, rank]</c>.</param>
/// <param name="Scale">The factor.</param>
internal sealed record LowRankPart(TensorInfo A, TensorInfo B, double Scale);
