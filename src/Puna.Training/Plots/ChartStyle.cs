namespace Puna.Training.Plots;

/// <summary>How a series is drawn.</summary>
public enum ChartStyle
{
    /// <summary>A line from point to point.</summary>
    Line,

    /// <summary>A dashed line: a fit, a prediction, a baseline.</summary>
    Dashed,

    /// <summary>Dots without a line: measurements.</summary>
    Dots,
}
