namespace Puna.Training.Plots;

/// <summary>A line chart as SVG or PNG: curves of a run, fits, predictions. The same chart gives the same bytes everywhere.</summary>
/// <param name="title">Stands above; may be empty.</param>
/// <param name="xLabel">What goes across.</param>
/// <param name="yLabel">What goes up.</param>
public sealed class LineChart(string title, string xLabel, string yLabel)
{
    private readonly List<ChartSeries> _series = [];
    private readonly List<ChartMarker> _markers = [];

    /// <summary>Stands above.</summary>
    public string Title { get; } = title;

    /// <summary>What goes across.</summary>
    public string XLabel { get; } = xLabel;

    /// <summary>What goes up.</summary>
    public string YLabel { get; } = yLabel;

    /// <summary>Whether the axis across is logarithmic.</summary>
    public bool LogX { get; init; }

    /// <summary>Whether the axis up is logarithmic.</summary>
    public bool LogY { get; init; }

    /// <summary>Width in CSS pixels.</summary>
    public int Width { get; init; } = 880;

    /// <summary>Height in CSS pixels.</summary>
    public int Height { get; init; } = 540;

    /// <summary>The series, in the order of their colours.</summary>
    public IReadOnlyList<ChartSeries> Series => _series;

    /// <summary>Single points, drawn over the series.</summary>
    public IReadOnlyList<ChartMarker> Markers => _markers;

    /// <summary>Adds a series.</summary>
    public LineChart Add(ChartSeries series)
    {
        _series.Add(series);
        return this;
    }

    /// <summary>Adds a single point.</summary>
    public LineChart Add(ChartMarker marker)
    {
        _markers.Add(marker);
        return this;
    }

    /// <summary>The chart as SVG, UTF-8, with its texts as text.</summary>
    public byte[] ToSvg()
    {
        var layout = new ChartLayout(this);
        var canvas = new SvgCanvas(layout.Width, layout.Height, Title);
        layout.Draw(canvas);
        return canvas.ToBytes();
    }

    /// <summary>The chart as PNG of 8 bits per red, green and blue, two pixels per CSS pixel.</summary>
    public byte[] ToPng()
    {
        var layout = new ChartLayout(this);
        var canvas = new RasterCanvas(layout.Width, layout.Height, 2);
        layout.Draw(canvas);
        return PngEncoder.Encode(canvas.Pixels, canvas.PixelWidth, canvas.PixelHeight);
    }
}
