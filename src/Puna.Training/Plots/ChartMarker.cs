namespace Puna.Training.Plots;

/// <summary>A single point that stands out: a prediction, a result.</summary>
/// <param name="Name">What the legend says; an empty name is left out of it.</param>
/// <param name="Point">The place.</param>
public sealed record ChartMarker(string Name, ChartPoint Point);
