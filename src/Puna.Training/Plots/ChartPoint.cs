namespace Puna.Training.Plots;

/// <summary>A point of a chart. One that is not finite, or beyond 1e300, or not positive on a logarithmic axis, is not drawn.</summary>
/// <param name="X">Across.</param>
/// <param name="Y">Up.</param>
public readonly record struct ChartPoint(double X, double Y);
