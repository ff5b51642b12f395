namespace Puna.Training.Plots;

/// <summary>Corners of the shapes that have some.</summary>
internal static class ChartShapes
{
    /// <summary>The corners, clockwise from the top.</summary>
    public static ChartPoint[] Corners(ChartShape shape, ChartPoint c, double r) => shape switch
    {
        ChartShape.Diamond => [new(c.X, c.Y - r), new(c.X + r, c.Y), new(c.X, c.Y + r), new(c.X - r, c.Y)],
        ChartShape.Triangle => [new(c.X, c.Y - r), new(c.X + r, c.Y + (0.8 * r)), new(c.X - r, c.Y + (0.8 * r))],
        _ => [new(c.X - (0.8 * r), c.Y - (0.8 * r)), new(c.X + (0.8 * r), c.Y - (0.8 * r)), new(c.X + (0.8 * r), c.Y + (0.8 * r)), new(c.X - (0.8 * r), c.Y + (0.8 * r))],
    };
}
