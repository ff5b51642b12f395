namespace Puna.Training.Plots;

/// <summary>Where the parts of a chart are; draws them on any canvas.</summary>
internal sealed class ChartLayout
{
    private const double TitleSize = 18;
    private const double LabelSize = 14;
    private const double TickSize = 12.5;
    private const double LegendRow = 21;
    private const double LegendLine = 24;
    private const double LineWidth = 1.8;
    private const double DotRadius = 3.6;
    private const double MarkerRadius = 6.5;

    private readonly LineChart _chart;
    private readonly ChartAxis _x;
    private readonly ChartAxis _y;
    private readonly double _left;
    private readonly double _top;
    private readonly double _right;
    private readonly double _bottom;
    private readonly List<(double X, double Row, int Entry)> _legend = [];

    public ChartLayout(LineChart chart)
    {
        _chart = chart;
        Width = Math.Clamp(chart.Width, 320, 4000);
        Height = Math.Clamp(chart.Height, 240, 4000);
        _right = Width - 24;
        double titleEnd = chart.Title.Length == 0 ? 14 : 44;
        int rows = PlaceLegend();
        _top = titleEnd + (rows * LegendRow) + (rows > 0 ? 8 : 0);
        _bottom = Math.Max(_top + 60, Height - (chart.XLabel.Length == 0 ? 40 : 64));
        _y = ChartAxis.Create(Values().Select(static p => p.Y), chart.LogY, 0.05, (int)((_bottom - _top) / 45));
        double labels = _y.Ticks.Count == 0 ? 0 : _y.Ticks.Max(static t => ChartFont.Measure(t.Label, TickSize));
        _left = (chart.YLabel.Length == 0 ? 22 : 50) + labels;
        _x = ChartAxis.Create(Values().Select(static p => p.X), chart.LogX, 0.02, (int)((_right - _left) / 85));
    }

    public int Width { get; }

    public int Height { get; }

    public void Draw(IChartCanvas canvas)
    {
        canvas.Rectangle(0, 0, Width, Height, ChartColor.White);
        if (_chart.Title.Length > 0)
        {
            canvas.Text(ChartFont.Shorten(_chart.Title, TitleSize, Width - 32), new(Width / 2.0, 31), TitleSize, ChartAnchor.Middle, bold: true);
        }

        DrawAxes(canvas);
        // Measurements lie over the lines that were fitted to them.
        foreach (int i in Enumerable.Range(0, _chart.Series.Count).OrderBy(i => _chart.Series[i].Style == ChartStyle.Dots))
        {
            DrawSeries(canvas, i);
        }

        for (int i = 0; i < _chart.Markers.Count; i++)
        {
            if (CanShow(_chart.Markers[i].Point))
            {
                canvas.Shape(MarkerShape(i), Place(_chart.Markers[i].Point), MarkerRadius, MarkerColor(i));
            }
        }

        DrawLegend(canvas);
    }

    /// <summary>The place of a point of the data.</summary>
    public ChartPoint Place(ChartPoint p) => new(_left + (_x.Place(p.X) * (_right - _left)), _bottom - (_y.Place(p.Y) * (_bottom - _top)));

    private static ChartShape MarkerShape(int marker) => (ChartShape)(1 + (marker % 3));

    private ChartColor MarkerColor(int marker) => ChartColor.OfSeries(_chart.Series.Count + marker);

    /// <summary>Colours come round again after seven series, dashed then.</summary>
    private bool IsDashed(int series) => (_chart.Series[series].Style == ChartStyle.Dashed) != ((series / 7) % 2 == 1);

    private bool CanShow(ChartPoint p) => ChartAxis.CanShow(p.X, _chart.LogX) && ChartAxis.CanShow(p.Y, _chart.LogY);

    private IEnumerable<ChartPoint> Values() => _chart.Series.SelectMany(static s => s.Points).Concat(_chart.Markers.Select(static m => m.Point)).Where(CanShow);

    private void DrawAxes(IChartCanvas canvas)
    {
        foreach ((double value, string label) in _y.Ticks)
        {
            double y = Snap(_bottom - (_y.Place(value) * (_bottom - _top)));
            canvas.Polyline([new(_left, y), new(_right, y)], ChartColor.Grid, 1, false);
            canvas.Text(label, new(_left - 9, y + (TickSize * 0.36)), TickSize, ChartAnchor.End);
        }

        foreach ((double value, string label) in _x.Ticks)
        {
            double x = Snap(_left + (_x.Place(value) * (_right - _left)));
            canvas.Polyline([new(x, _top), new(x, _bottom)], ChartColor.Grid, 1, false);
            canvas.Polyline([new(x, _bottom), new(x, _bottom + 4.5)], ChartColor.Frame, 1, false);
            canvas.Text(label, new(x, _bottom + 20), TickSize, ChartAnchor.Middle);
        }

        canvas.Polyline([new(Snap(_left), _top), new(Snap(_left), Snap(_bottom)), new(_right, Snap(_bottom))], ChartColor.Frame, 1, false);
        if (_chart.XLabel.Length > 0)
        {
            canvas.Text(ChartFont.Shorten(_chart.XLabel, LabelSize, _right - _left), new((_left + _right) / 2, _bottom + 47), LabelSize, ChartAnchor.Middle);
        }

        if (_chart.YLabel.Length > 0)
        {
            canvas.Text(ChartFont.Shorten(_chart.YLabel, LabelSize, _bottom - _top), new(26, (_top + _bottom) / 2), LabelSize, ChartAnchor.Middle, upwards: true);
        }

        // A thin line is sharp where it covers whole pixels.
        static double Snap(double v) => Math.Floor(v) + 0.5;
    }

    private void DrawSeries(IChartCanvas canvas, int index)
    {
        ChartSeries series = _chart.Series[index];
        ChartColor color = ChartColor.OfSeries(index);
        List<ChartPoint> places = [.. series.Points.Where(CanShow).Select(Place)];
        if (series.Style == ChartStyle.Dots || places.Count == 1)
        {
            // Dots in one place look like one dot.
            foreach (ChartPoint place in places.DistinctBy(static p => (Math.Round(p.X), Math.Round(p.Y))))
            {
                canvas.Shape(ChartShape.Dot, place, DotRadius, color);
            }
        }
        else if (places.Count > 1)
        {
            canvas.Polyline(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ChartThinning.Thin(places, 0.5)), color, LineWidth, IsDashed(index));
        }
    }

    /// <summary>Entries side by side, in as many rows as they need.</summary>
    /// <returns>Number of rows.</returns>
    private int PlaceLegend()
    {
        double x = 0, limit = Width - 60;
        int row = 0;
        for (int i = 0; i < _chart.Series.Count + _chart.Markers.Count; i++)
        {
            string name = EntryName(i);
            if (name.Length == 0)
            {
                continue;
            }

            double width = LegendLine + 8 + ChartFont.Measure(name, TickSize) + 22;
            if (x > 0 && x + width > limit)
            {
                (x, row) = (0, row + 1);
            }

            _legend.Add((x, row, i));
            x += width;
        }

        return _legend.Count == 0 ? 0 : row + 1;
    }

    private string EntryName(int entry)
    {
        string name = entry < _chart.Series.Count ? _chart.Series[entry].Name : _chart.Markers[entry - _chart.Series.Count].Name;
        return ChartFont.Shorten(name, TickSize, Width - 120);
    }

    private void DrawLegend(IChartCanvas canvas)
    {
        double top = (_chart.Title.Length == 0 ? 14 : 44) + (LegendRow / 2);
        foreach ((double at, double row, int entry) in _legend)
        {
            double x = _left + at, y = top + (row * LegendRow);
            int marker = entry - _chart.Series.Count;
            if (marker >= 0)
            {
                canvas.Shape(MarkerShape(marker), new(x + (LegendLine / 2), y), MarkerRadius, MarkerColor(marker));
            }
            else if (_chart.Series[entry].Style == ChartStyle.Dots)
            {
                canvas.Shape(ChartShape.Dot, new(x + (LegendLine / 2), y), DotRadius, ChartColor.OfSeries(entry));
            }
            else
            {
                canvas.Polyline([new(x, y), new(x + LegendLine, y)], ChartColor.OfSeries(entry), LineWidth + 0.6, IsDashed(entry));
            }

            canvas.Text(EntryName(entry), new(x + LegendLine + 8, y + (TickSize * 0.36)), TickSize, ChartAnchor.Start);
        }
    }
}
