namespace Puna.Training.Plots;

/// <summary>
/// Draws into pixels. The coverage of a pixel by a line is taken from its distance to the line; a whole line or text is gathered in a mask first, the largest coverage of each pixel counting, so that
/// joints are not darker than the rest.
/// </summary>
internal sealed class RasterCanvas : IChartCanvas
{
    private const double DashOn = 7;
    private const double DashOff = 5;

    private readonly int _scale;
    private readonly float[] _mask;
    private int _maskLeft;
    private int _maskTop;
    private int _maskRight;
    private int _maskBottom;

    public RasterCanvas(int width, int height, int scale)
    {
        _scale = scale;
        PixelWidth = width * scale;
        PixelHeight = height * scale;
        Pixels = new byte[PixelWidth * PixelHeight * 3];
        _mask = new float[PixelWidth * PixelHeight];
        ResetBounds();
    }

    /// <summary>Red, green, blue of each pixel, row after row.</summary>
    public byte[] Pixels { get; }

    public int PixelWidth { get; }

    public int PixelHeight { get; }

    public void Rectangle(double x, double y, double width, double height, ChartColor color)
    {
        int left = Math.Max(0, (int)Math.Round(x * _scale)), right = Math.Min(PixelWidth, (int)Math.Round((x + width) * _scale));
        int top = Math.Max(0, (int)Math.Round(y * _scale)), bottom = Math.Min(PixelHeight, (int)Math.Round((y + height) * _scale));
        for (int row = top; row < bottom; row++)
        {
            for (int column = left; column < right; column++)
            {
                Blend(((row * PixelWidth) + column) * 3, color, 1);
            }
        }
    }

    public void Polyline(ReadOnlySpan<ChartPoint> points, ChartColor color, double width, bool dashed)
    {
        double walked = 0;
        for (int i = 0; i + 1 < points.Length; i++)
        {
            if (dashed)
            {
                Dashes(points[i], points[i + 1], width, ref walked);
            }
            else
            {
                Segment(points[i], points[i + 1], width);
            }
        }

        Paint(color);
    }

    public void Shape(ChartShape shape, ChartPoint center, double radius, ChartColor color)
    {
        Fill(shape, center, radius + 1.2);
        Paint(ChartColor.White);
        Fill(shape, center, radius);
        Paint(color);
    }

    public void Text(string text, ChartPoint place, double size, ChartAnchor anchor, bool bold = false, bool upwards = false)
    {
        double at = anchor switch { ChartAnchor.Start => 0, ChartAnchor.Middle => -ChartFont.Measure(text, size) / 2, _ => -ChartFont.Measure(text, size) };
        foreach ((ChartPoint from, ChartPoint to) in ChartFont.Strokes(text, size))
        {
            Segment(Turn(from), Turn(to), size * (bold ? 0.125 : 0.088));
        }

        Paint(ChartColor.Text);

        ChartPoint Turn(ChartPoint p) => upwards ? new(place.X + p.Y, place.Y - at - p.X) : new(place.X + at + p.X, place.Y + p.Y);
    }

    private void Dashes(ChartPoint from, ChartPoint to, double width, ref double walked)
    {
        double length = Math.Sqrt(((to.X - from.X) * (to.X - from.X)) + ((to.Y - from.Y) * (to.Y - from.Y)));
        double at = 0;
        while (at < length)
        {
            double phase = walked % (DashOn + DashOff);
            bool on = phase < DashOn;
            double next = Math.Min(length, at + Math.Max(1e-3, (on ? DashOn : DashOn + DashOff) - phase));
            if (on)
            {
                Segment(On(at), On(next), width);
            }

            walked += next - at;
            at = next;
        }

        ChartPoint On(double t) => new(from.X + ((to.X - from.X) * t / length), from.Y + ((to.Y - from.Y) * t / length));
    }

    /// <summary>Adds a line with round ends to the mask.</summary>
    private void Segment(ChartPoint from, ChartPoint to, double width)
    {
        double x0 = from.X * _scale, y0 = from.Y * _scale, dx = (to.X * _scale) - x0, dy = (to.Y * _scale) - y0;
        double half = Math.Max(0.5, width * _scale / 2), square = (dx * dx) + (dy * dy);
        int left = (int)Math.Floor(Math.Min(x0, x0 + dx) - half - 1), right = (int)Math.Ceiling(Math.Max(x0, x0 + dx) + half + 1);
        int top = (int)Math.Floor(Math.Min(y0, y0 + dy) - half - 1), bottom = (int)Math.Ceiling(Math.Max(y0, y0 + dy) + half + 1);
        if (!Reserve(ref left, ref top, ref right, ref bottom))
        {
            return;
        }

        for (int row = top; row < bottom; row++)
        {
            double py = row + 0.5 - y0;
            for (int column = left; column < right; column++)
            {
                double px = column + 0.5 - x0;
                double t = square == 0 ? 0 : Math.Clamp(((px * dx) + (py * dy)) / square, 0, 1);
                double ex = px - (t * dx), ey = py - (t * dy);
                double distance = (ex * ex) + (ey * ey);
                if (distance < (half + 0.5) * (half + 0.5))
                {
                    Cover(row, column, half + 0.5 - Math.Sqrt(distance));
                }
            }
        }
    }

    /// <summary>Adds a filled shape to the mask: a pixel is covered by how far it is inside the nearest edge.</summary>
    private void Fill(ChartShape shape, ChartPoint center, double radius)
    {
        if (shape == ChartShape.Dot)
        {
            Segment(center, center, 2 * radius);
            return;
        }

        ChartPoint[] corners = ChartShapes.Corners(shape, new(center.X * _scale, center.Y * _scale), radius * _scale);
        int left = (int)Math.Floor(corners.Min(static c => c.X)) - 1, right = (int)Math.Ceiling(corners.Max(static c => c.X)) + 1;
        int top = (int)Math.Floor(corners.Min(static c => c.Y)) - 1, bottom = (int)Math.Ceiling(corners.Max(static c => c.Y)) + 1;
        if (!Reserve(ref left, ref top, ref right, ref bottom))
        {
            return;
        }

        for (int row = top; row < bottom; row++)
        {
            for (int column = left; column < right; column++)
            {
                double inside = double.MaxValue;
                for (int i = 0; i < corners.Length; i++)
                {
                    ChartPoint a = corners[i], b = corners[(i + 1) % corners.Length];
                    double ex = b.X - a.X, ey = b.Y - a.Y;
                    inside = Math.Min(inside, ((ex * (row + 0.5 - a.Y)) - (ey * (column + 0.5 - a.X))) / Math.Sqrt((ex * ex) + (ey * ey)));
                }

                Cover(row, column, inside + 0.5);
            }
        }
    }

    /// <summary>Clips a rectangle and widens the part of the mask that is in use.</summary>
    private bool Reserve(ref int left, ref int top, ref int right, ref int bottom)
    {
        (left, top, right, bottom) = (Math.Max(0, left), Math.Max(0, top), Math.Min(PixelWidth, right), Math.Min(PixelHeight, bottom));
        if (left >= right || top >= bottom)
        {
            return false;
        }

        (_maskLeft, _maskTop, _maskRight, _maskBottom) = (Math.Min(_maskLeft, left), Math.Min(_maskTop, top), Math.Max(_maskRight, right), Math.Max(_maskBottom, bottom));
        return true;
    }

    private void Cover(int row, int column, double coverage)
    {
        ref float mask = ref _mask[(row * PixelWidth) + column];
        mask = Math.Max(mask, (float)Math.Clamp(coverage, 0, 1));
    }

    /// <summary>Paints what the mask covers and empties it.</summary>
    private void Paint(ChartColor color)
    {
        for (int row = _maskTop; row < _maskBottom; row++)
        {
            for (int column = _maskLeft; column < _maskRight; column++)
            {
                int i = (row * PixelWidth) + column;
                if (_mask[i] > 0)
                {
                    Blend(i * 3, color, _mask[i]);
                    _mask[i] = 0;
                }
            }
        }

        ResetBounds();
    }

    private void ResetBounds() => (_maskLeft, _maskTop, _maskRight, _maskBottom) = (PixelWidth, PixelHeight, 0, 0);

    private void Blend(int at, ChartColor color, float coverage)
    {
        Pixels[at] = Mix(Pixels[at], color.R);
        Pixels[at + 1] = Mix(Pixels[at + 1], color.G);
        Pixels[at + 2] = Mix(Pixels[at + 2], color.B);

        byte Mix(byte under, byte over) => (byte)Math.Round(under + ((over - under) * coverage));
    }
}
