using System.Globalization;
using System.Text;

namespace Puna.Training.Plots;

/// <summary>Writes a drawing as SVG 1.1.</summary>
internal sealed class SvgCanvas : IChartCanvas
{
    private readonly StringBuilder _out = new();

    public SvgCanvas(int width, int height, string title)
    {
        _out.Append(CultureInfo.InvariantCulture, $"""<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="Helvetica, Arial, sans-serif">""").Append('\n');
        _out.Append("<title>").Append(Escape(title)).Append("</title>\n");
    }

    public byte[] ToBytes() => Encoding.UTF8.GetBytes(_out.ToString() + "</svg>\n");

    public void Rectangle(double x, double y, double width, double height, ChartColor color) =>
        _out.Append(CultureInfo.InvariantCulture, $"""<rect x="{Number(x)}" y="{Number(y)}" width="{Number(width)}" height="{Number(height)}" fill="{color.Hex}"/>""").Append('\n');

    public void Polyline(ReadOnlySpan<ChartPoint> points, ChartColor color, double width, bool dashed)
    {
        _out.Append(CultureInfo.InvariantCulture, $"""<polyline fill="none" stroke="{color.Hex}" stroke-width="{Number(width)}" stroke-linejoin="round" """);
        if (dashed)
        {
            _out.Append("stroke-dasharray=\"7 5\" ");
        }

        _out.Append("points=\"");
        for (int i = 0; i < points.Length; i++)
        {
            _out.Append(i == 0 ? "" : " ").Append(Number(points[i].X)).Append(',').Append(Number(points[i].Y));
        }

        _out.Append("\"/>\n");
    }

    public void Shape(ChartShape shape, ChartPoint center, double radius, ChartColor color)
    {
        string paint = $"""fill="{color.Hex}" stroke="#ffffff" stroke-width="1" """;
        if (shape == ChartShape.Dot)
        {
            _out.Append($"""<circle cx="{Number(center.X)}" cy="{Number(center.Y)}" r="{Number(radius)}" {paint}/>""").Append('\n');
            return;
        }

        _out.Append("<polygon points=\"").AppendJoin(' ', ChartShapes.Corners(shape, center, radius).Select(static p => $"{Number(p.X)},{Number(p.Y)}")).Append("\" ").Append(paint).Append("/>\n");
    }

    public void Text(string text, ChartPoint place, double size, ChartAnchor anchor, bool bold = false, bool upwards = false)
    {
        string at = anchor switch { ChartAnchor.Start => "start", ChartAnchor.Middle => "middle", _ => "end" };
        _out.Append($"""<text x="{Number(place.X)}" y="{Number(place.Y)}" font-size="{Number(size)}" text-anchor="{at}" fill="{ChartColor.Text.Hex}" """);
        if (bold)
        {
            _out.Append("font-weight=\"bold\" ");
        }

        if (upwards)
        {
            _out.Append($"""transform="rotate(-90 {Number(place.X)} {Number(place.Y)})" """);
        }

        _out.Append('>').Append(Escape(text)).Append("</text>\n");
    }

    /// <summary>Text as XML has it; what XML 1.0 cannot hold (control characters, halves of surrogate pairs) becomes U+FFFD.</summary>
    internal static string Escape(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
        {
            _ = rune.Value switch
            {
                '&' => result.Append("&amp;"),
                '<' => result.Append("&lt;"),
                '>' => result.Append("&gt;"),
                '"' => result.Append("&quot;"),
                < 0x20 and not '\t' and not '\n' and not '\r' or 0xFFFE or 0xFFFF => result.Append('\uFFFD'),
                _ => result.Append(rune.ToString()),
            };
        }

        return result.ToString();
    }

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);
}
