namespace Puna.Training.Plots;

/// <summary>Which end of a text its place is.</summary>
internal enum ChartAnchor
{
    Start,
    Middle,
    End,
}
