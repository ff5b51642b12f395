namespace Puna.Training.Plots;

/// <summary>One series of a chart.</summary>
/// <param name="Name">What the legend says; an empty name is left out of it.</param>
/// <param name="Points">The points, in the order in which a line goes through them.</param>
/// <param name="Style">How they are drawn.</param>
public sealed record ChartSeries(string Name, IReadOnlyList<ChartPoint> Points, ChartStyle Style = ChartStyle.Line);
