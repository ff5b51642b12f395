namespace Puna.Training.Data.Altiplano;

/// <summary>A picture being drawn: filled shapes of one colour, with the count of their pixels.</summary>
internal sealed class Canvas(int width, int height)
{
    public byte[] Rgb { get; } = new byte[width * height * 3];

    /// <summary>A filled rectangle; returns its pixels.</summary>
    public int Rectangle(int left, int top, int w, int h, int rgb) => Fill(left, top, w, h, rgb, static (_, _, _, _) => true);

    /// <summary>The largest disc in a box.</summary>
    public int Disc(int left, int top, int size, int rgb) =>
        Fill(left, top, size, size, rgb, static (x, y, w, _) => Square((2 * x) + 1 - w) + Square((2 * y) + 1 - w) <= w * w);

    /// <summary>A triangle that stands on the lower side of its box.</summary>
    public int Triangle(int left, int top, int w, int h, int rgb) => Fill(left, top, w, h, rgb, static (x, y, w, h) => Math.Abs((2 * x) + 1 - w) * h <= (y + 1) * w);

    /// <summary>What a drawing of letters marks with <c>#</c>.</summary>
    public int Stamp(int left, int top, ReadOnlySpan<string> rows, bool mirrored, int rgb)
    {
        int count = 0;
        for (int y = 0; y < rows.Length; y++)
        {
            string row = rows[y];
            for (int x = 0; x < row.Length; x++)
            {
                if (row[mirrored ? row.Length - 1 - x : x] == '#')
                {
                    Set(left + x, top + y, rgb);
                    count++;
                }
            }
        }

        return count;
    }

    private static int Square(int value) => value * value;

    private int Fill(int left, int top, int w, int h, int rgb, Func<int, int, int, int, bool> inside)
    {
        int count = 0;
        for (int y = 0; y < h; y++)
        {
            for (int x = 0; x < w; x++)
            {
                if (inside(x, y, w, h))
                {
                    Set(left + x, top + y, rgb);
                    count++;
                }
            }
        }

        return count;
    }

    private void Set(int x, int y, int rgb)
    {
        int at = ((y * width) + x) * 3;
        Rgb[at] = (byte)(rgb >> 16);
        Rgb[at + 1] = (byte)(rgb >> 8);
        Rgb[at + 2] = (byte)rgb;
    }
}
