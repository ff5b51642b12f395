namespace Puna.Training.Plots;

/// <summary>What a chart is drawn on. Lengths are CSS pixels from the upper left corner.</summary>
internal interface IChartCanvas
{
    /// <summary>A filled rectangle.</summary>
    void Rectangle(double x, double y, double width, double height, ChartColor color);

    /// <summary>A line through points.</summary>
    void Polyline(ReadOnlySpan<ChartPoint> points, ChartColor color, double width, bool dashed);

    /// <summary>A filled shape with a white rim, so that it is seen on a line.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="center">Its middle.</param>
    /// <param name="radius">Half its size.</param>
    /// <param name="color">Its colour.</param>
    void Shape(ChartShape shape, ChartPoint center, double radius, ChartColor color);

    /// <summary>A line of text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="place">Where its base line begins, or its middle or end.</param>
    /// <param name="size">Font size.</param>
    /// <param name="anchor">What <paramref name="place"/> is.</param>
    /// <param name="bold">Whether it is a heading.</param>
    /// <param name="upwards">Whether it is turned to be read from below.</param>
    void Text(string text, ChartPoint place, double size, ChartAnchor anchor, bool bold = false, bool upwards = false);
}
