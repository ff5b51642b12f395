using System.Globalization;
using System.Xml.Linq;
using Puna.Training.Plots;

namespace Puna.Training.Tests.Plots;

/// <summary>Charts hold their data: read back from the XML, and from the pixels by a decoder of the test's own.</summary>
public sealed class LineChartTests
{
    private static readonly (byte, byte, byte) s_blue = (0, 114, 178);
    private static readonly (byte, byte, byte) s_orange = (213, 94, 0);

    [Fact]
    public void TheSvgHoldsEveryPointInItsPlace()
    {
        ChartPoint[] points = [new(0, 1), new(5, 4), new(10, 2)];
        XElement svg = Parse(new LineChart("Loss", "step", "nats").Add(new ChartSeries("run", points)));
        (double X, double Y)[] places = Line(svg, "#0072b2");
        Assert.Equal(3, places.Length);

        // Places are an affine picture of the data, so differences keep their ratios; numbers have two decimals.
        Assert.Equal(places[1].X - places[0].X, places[2].X - places[1].X, 0.03);
        Assert.Equal((places[1].Y - places[0].Y) / 3, (places[2].Y - places[0].Y) / 1, 0.03);
        Assert.True(places[1].Y < places[2].Y && places[2].Y < places[0].Y);

        // And they lie where the labels say: the tick "4" has the height of the point with y = 4.
        Assert.Equal(Tick(svg, "4.0").Y, places[1].Y + (12.5 * 0.36), 0.6);
        Assert.Equal(Tick(svg, "10").X, places[2].X, 0.6);
    }

    [Fact]
    public void LogarithmicAxesPlaceLogarithms()
    {
        ChartPoint[] points = [new(1e3, 8), new(1e4, 4), new(1e6, 2), new(0, 3), new(10, -1)];
        XElement svg = Parse(new LineChart("", "tokens", "loss") { LogX = true, LogY = true }.Add(new ChartSeries("run", points)));
        (double X, double Y)[] places = Line(svg, "#0072b2");
        Assert.Equal(3, places.Length);
        Assert.Equal(2 * (places[1].X - places[0].X), places[2].X - places[1].X, 0.05);
        Assert.Equal(places[1].Y - places[0].Y, places[2].Y - places[1].Y, 0.05);
        Assert.Equal(Tick(svg, "1e4").X, places[1].X, 0.6);
    }

    [Fact]
    public void ThePngHasTheSeriesColoursWhereTheSvgHasItsPoints()
    {
        LineChart chart = new LineChart("Two runs", "step", "loss")
            .Add(new ChartSeries("low", [new(0, 1), new(10, 1)]))
            .Add(new ChartSeries("high", [new(0, 3), new(10, 3)], ChartStyle.Dots));
        XElement svg = Parse(chart);
        var png = new PngReader(chart.ToPng());
        Assert.Equal(["IHDR", "IDAT", "IEND"], png.Chunks);
        Assert.Equal((1760, 1080), (png.Width, png.Height));
        Assert.Equal(((byte)255, (byte)255, (byte)255), png[0, 0]);
        Assert.Equal(((byte)255, (byte)255, (byte)255), png[1759, 1079]);

        (double X, double Y)[] line = Line(svg, "#0072b2");
        for (int i = 0; i <= 10; i++)
        {
            double x = line[0].X + ((line[1].X - line[0].X) * i / 10);
            Assert.Equal(s_blue, png[(int)(2 * x), (int)(2 * line[0].Y)]);
        }

        Assert.Equal(3, Elements(svg, "circle").Count());
        foreach (XElement circle in Elements(svg, "circle"))
        {
            // Two of the data and one of the legend: each has its colour in the middle, and is round, so not in the corner of its square.
            (double x, double y) = (Value(circle, "cx"), Value(circle, "cy"));
            Assert.Equal(s_orange, png[(int)(2 * x), (int)(2 * y)]);
            Assert.NotEqual(s_orange, png[(int)(2 * (x + 3.4)), (int)(2 * (y + 3.4))]);
        }
    }

    [Fact]
    public void LinesAreSmooth()
    {
        var png = new PngReader(new LineChart("", "", "").Add(new ChartSeries("", [new(0, 0), new(10, 1)])).ToPng());
        int full = png.Count(s_blue), between = 0;
        for (int y = 0; y < png.Height; y++)
        {
            for (int x = 0; x < png.Width; x++)
            {
                // A mixture of white and the blue one, whose red is 0: red falls from 255 with the coverage, and blue from 255 to 178.
                (byte r, byte g, byte b) = png[x, y];
                between += r is > 0 and < 255 && g > r && b > g ? 1 : 0;
            }
        }

        Assert.True(full > 1000, $"{full} pixels of the line");
        Assert.True(between > 1000, $"{between} pixels partly covered");
    }

    [Fact]
    public void MarkersStandOutAndAreInTheLegend()
    {
        LineChart chart = new LineChart("", "x", "y").Add(new ChartSeries("fit", [new(0, 0), new(4, 4)], ChartStyle.Dashed)).Add(new ChartMarker("predicted", new(2, 3)));
        XElement svg = Parse(chart);
        Assert.Equal(2, Elements(svg, "polygon").Count());
        Assert.Contains(Elements(svg, "text"), static t => t.Value == "predicted");
        Assert.Contains(Elements(svg, "polyline"), static l => l.Attribute("stroke-dasharray") is not null);
        (double x, double y) = Center(Elements(svg, "polygon").First());
        Assert.Equal(s_orange, new PngReader(chart.ToPng())[(int)(2 * x), (int)(2 * y)]);

        // y = 3 lies at three quarters of the line from 0 to 4.
        (double X, double Y)[] line = Line(svg, "#0072b2");
        Assert.Equal(line[0].Y + (0.75 * (line[1].Y - line[0].Y)), y, 0.1);
    }

    [Fact]
    public void DashesLeaveGaps()
    {
        ChartPoint[] points = [new(0, 0), new(1, 0)];
        int line = new PngReader(new LineChart("", "", "").Add(new ChartSeries("", points)).ToPng()).Count(s_blue);
        int dashed = new PngReader(new LineChart("", "", "").Add(new ChartSeries("", points, ChartStyle.Dashed)).ToPng()).Count(s_blue);

        // Seven of twelve pixels, and the round ends of the dashes.
        Assert.InRange((double)dashed / line, 0.5, 0.85);
    }

    [Fact]
    public void TextsAreEscaped()
    {
        const string Name = "a < b & \"c\" > 'd' \u0001 \ud800 \u00e4 \U0001F999";
        XElement svg = Parse(new LineChart(Name, Name, Name).Add(new ChartSeries(Name, [new(0, 0)])));
        const string Kept = "a < b & \"c\" > 'd' \ufffd \ufffd \u00e4 \U0001F999";
        Assert.Equal(5, svg.DescendantNodes().OfType<XText>().Count(static t => t.Value == Kept));
        Assert.NotEmpty(new LineChart(Name, Name, Name).Add(new ChartSeries(Name, [new(0, 0)])).ToPng());
    }

    [Fact]
    public void LongTextsAreCutToTheirRoom()
    {
        string text = new('m', 500);
        XElement svg = Parse(new LineChart(text, text, text).Add(new ChartSeries(text, [new(0, 0)])));
        Assert.All(Elements(svg, "text").Where(static t => t.Value.StartsWith('m')), static t => Assert.EndsWith("...", t.Value, StringComparison.Ordinal));
        Assert.Equal(4, Elements(svg, "text").Count(static t => t.Value.EndsWith("...", StringComparison.Ordinal)));
    }

    [Fact]
    public void WhatIsNotFiniteIsSkipped()
    {
        ChartPoint[] points = [new(0, 1), new(1, double.NaN), new(double.PositiveInfinity, 1), new(2, double.NegativeInfinity), new(3, double.MaxValue), new(4, 2)];
        LineChart chart = new LineChart("", "", "").Add(new ChartSeries("s", points)).Add(new ChartMarker("", new(double.NaN, 1)));
        XElement svg = Parse(chart);
        Assert.Equal(2, Line(svg, "#0072b2").Length);
        Assert.Empty(Elements(svg, "polygon"));
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("nfinity", svg.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(2.5)]
    [InlineData(-1e12)]
    [InlineData(1e-300)]
    [InlineData(-1e300)]
    public void AConstantLiesInTheMiddle(double value)
    {
        XElement svg = Parse(new LineChart("", "", "").Add(new ChartSeries("", [new(1, value), new(2, value)])));
        (double X, double Y)[] line = Line(svg, "#0072b2");
        Assert.Equal(line[0].Y, line[1].Y);
        Assert.InRange(line[0].Y, 200, 320);
        Assert.True(Elements(svg, "text").Count() >= 4);
    }

    [Fact]
    public void NothingAtAllIsAnEmptyFrame()
    {
        foreach (LineChart chart in (LineChart[])[new("", "", ""), new LineChart("t", "x", "y") { LogX = true, LogY = true }.Add(new ChartSeries("empty", []))])
        {
            Assert.NotEmpty(Elements(Parse(chart), "polyline"));
            var png = new PngReader(chart.ToPng());
            for (int y = 200; y < 900; y++)
            {
                Assert.NotEqual(s_blue, png[png.Width / 2, y]);
            }
        }
    }

    [Fact]
    public void ManyPointsAreThinnedAndKeepTheirExtremes()
    {
        var points = new ChartPoint[100_000];
        for (int i = 0; i < points.Length; i++)
        {
            points[i] = new(i, Math.Sin(i * 0.37));
        }

        points[12_345] = new(12_345, 7);
        points[67_890] = new(67_890, -5);
        (double X, double Y)[] line = Line(Parse(new LineChart("", "", "").Add(new ChartSeries("", points))), "#0072b2");
        Assert.InRange(line.Length, 500, 8000);
        (double X, double Y) highest = line.MinBy(static p => p.Y), lowest = line.MaxBy(static p => p.Y);
        double span = line[^1].X - line[0].X;
        Assert.Equal(12_345.0 / 99_999, (highest.X - line[0].X) / span, 0.0002);
        Assert.Equal(67_890.0 / 99_999, (lowest.X - line[0].X) / span, 0.0002);
    }

    [Fact]
    public void TheSameChartGivesTheSameBytes()
    {
        LineChart chart = new LineChart("t", "x", "y").Add(new ChartSeries("s", [new(0, 1), new(1, 2)]));
        Assert.Equal(chart.ToSvg(), chart.ToSvg());
        Assert.Equal(chart.ToPng(), chart.ToPng());
    }

    private static XElement Parse(LineChart chart)
    {
        using var stream = new MemoryStream(chart.ToSvg());
        return XDocument.Load(stream).Root!;
    }

    private static IEnumerable<XElement> Elements(XElement svg, string name) => svg.Elements().Where(e => e.Name.LocalName == name);

    /// <summary>The first line of a colour: series come before the legend.</summary>
    private static (double X, double Y)[] Line(XElement svg, string color) => Points(Elements(svg, "polyline").First(l => l.Attribute("stroke")!.Value == color));

    private static (double X, double Y)[] Points(XElement e) =>
        [.. e.Attribute("points")!.Value.Split(' ').Select(static p => p.Split(',')).Select(static p => (double.Parse(p[0], CultureInfo.InvariantCulture), double.Parse(p[1], CultureInfo.InvariantCulture)))];

    private static (double X, double Y) Center(XElement polygon) => (Points(polygon).Average(static p => p.X), Points(polygon).Average(static p => p.Y));

    private static double Value(XElement e, string name) => double.Parse(e.Attribute(name)!.Value, CultureInfo.InvariantCulture);

    private static (double X, double Y) Tick(XElement svg, string label)
    {
        XElement text = Elements(svg, "text").Single(t => t.Value == label);
        return (Value(text, "x"), Value(text, "y"));
    }
}
