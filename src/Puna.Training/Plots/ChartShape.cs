namespace Puna.Training.Plots;

/// <summary>Shapes of single points.</summary>
internal enum ChartShape
{
    Dot,
    Diamond,
    Square,
    Triangle,
}
