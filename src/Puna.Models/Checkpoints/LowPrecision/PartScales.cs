using Puna.Formats;

namespace Puna.Models.Checkpoints.LowPrecision;

/// <summary>The scales of the rows that one part has of a matrix.</summary>
/// <param name="File">The file that holds them.</param>
/// <param name="Info">The tensor there.</param>
/// <param name="First">The first of them in it, counted in row order.</param>
internal sealed record PartScales(TensorFile File, TensorInfo Info, long First);
