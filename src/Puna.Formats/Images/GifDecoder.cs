using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>
/// Draws the frames of a GIF as Pillow does: what the first frame leaves free is transparent, hence white, where it has a transparent colour, and colour 0 of its table otherwise; a frame that
/// reaches beyond the screen widens it; an index beyond the table is black; a place that is cleared becomes transparent where there is a transparent colour, else what the background's index is in the frame's table.
/// </summary>
internal static class GifDecoder
{
    // The longest string a code of 12 bits can stand for, generously, per byte of data.
    private const long MostPerByte = 4096;
    private const int Clears = 2;
    private const int PutsBack = 3;

    private static readonly (int First, int Step)[] Plain = [(0, 1)];
    private static readonly (int First, int Step)[] Interlaced = [(0, 8), (4, 8), (2, 4), (1, 2)];

    /// <summary>Decodes the first frame.</summary>
    public static RgbImage Decode(byte[] bytes, string path, ImageLimits limits) => Decode(GifFile.Read(bytes, path, limits, 1), [0], path)[0];

    /// <summary>Decodes frames, each as it is seen on the screen.</summary>
    /// <param name="file">The file.</param>
    /// <param name="wanted">Their numbers, ascending.</param>
    /// <param name="path">What to call the file in messages.</param>
    public static RgbImage[] Decode(GifFile file, ReadOnlySpan<int> wanted, string path)
    {
        (int width, int height) = (file.Width, file.Height);
        var images = new RgbImage[wanted.Length];
        byte[]? canvas = null;
        bool hasTransparency = false;
        for (int i = 0, done = 0; done < wanted.Length; i++)
        {
            GifFrame frame = file.Frames[i];
            byte[] indices = Indices(file, frame, path);
            canvas ??= Background(frame, width, height);
            hasTransparency |= frame.Transparent >= 0;
            byte[]? before = frame.Disposal == PutsBack ? Save(frame, canvas, width) : null;
            Draw(frame, indices, canvas, width);
            for (; done < wanted.Length && wanted[done] == i; done++)
            {
                var rgb = new byte[(long)width * height * 3];
                OnWhite.Blend(canvas, rgb);
                images[done] = new RgbImage(width, height, rgb);
            }

            for (int y = 0; before is not null && y < frame.Height; y++)
            {
                before.AsSpan(y * frame.Width * 4, frame.Width * 4).CopyTo(Row(frame, canvas, width, y));
            }

            if (frame.Disposal == Clears)
            {
                Clear(frame, canvas, width, hasTransparency ? [0, 0, 0, 0] : Color(frame.Table, file.Background));
            }
        }

        return images;
    }

    private static byte[] Indices(GifFile file, GifFrame frame, string path)
    {
        byte[] codes = file.Codes(frame);
        long count = (long)frame.Width * frame.Height;
        if (count > MostPerByte * (codes.Length + 1L))
        {
            throw new FileFormatException(path, $"gif data: expected enough for {count} pixels, got {codes.Length} bytes", frame.DataAt);
        }

        var indices = new byte[count];
        long decoded = GifLzw.Decode(codes, frame.CodeBits, indices);
        return decoded == count ? indices : throw new FileFormatException(path, $"gif data: expected {count} pixels, got {decoded} and then a wrong code or the end", frame.DataAt);
    }

    /// <summary>What is there before the first frame.</summary>
    /// <returns><c>[height, width, 4]</c>: red, green, blue, alpha.</returns>
    private static byte[] Background(GifFrame first, int width, int height)
    {
        var canvas = new byte[(long)width * height * 4];
        if (first.Transparent < 0)
        {
            byte[] color = Color(first.Table, 0);
            for (int i = 0; i < canvas.Length; i += 4)
            {
                color.CopyTo(canvas, i);
            }
        }

        return canvas;
    }

    private static void Draw(GifFrame frame, byte[] indices, byte[] canvas, int canvasWidth)
    {
        int row = 0;
        foreach ((int first, int step) in frame.IsInterlaced ? Interlaced : Plain)
        {
            for (int y = first; y < frame.Height; y += step, row++)
            {
                Draw(frame, indices.AsSpan(row * frame.Width, frame.Width), Row(frame, canvas, canvasWidth, y));
            }
        }
    }

    private static void Draw(GifFrame frame, ReadOnlySpan<byte> indices, Span<byte> row)
    {
        ReadOnlySpan<byte> table = frame.Table;
        for (int x = 0; x < indices.Length; x++)
        {
            int index = indices[x];
            if (index == frame.Transparent)
            {
                continue;
            }

            Span<byte> pixel = row.Slice(4 * x, 4);
            if (table.IsEmpty)
            {
                pixel.Fill((byte)index); // without a table an index is a shade
            }
            else if (3 * index < table.Length)
            {
                table.Slice(3 * index, 3).CopyTo(pixel);
            }
            else
            {
                pixel.Clear();
            }

            pixel[3] = 255;
        }
    }

    /// <summary>An opaque colour; where the table has no such index, its first one.</summary>
    private static byte[] Color(byte[] table, int index)
    {
        if (table.Length == 0)
        {
            return [(byte)index, (byte)index, (byte)index, 255];
        }

        int at = (3 * index) + 3 <= table.Length ? 3 * index : 0;
        return [table[at], table[at + 1], table[at + 2], 255];
    }

    private static byte[] Save(GifFrame frame, byte[] canvas, int canvasWidth)
    {
        var saved = new byte[(long)frame.Width * frame.Height * 4];
        for (int y = 0; y < frame.Height; y++)
        {
            Row(frame, canvas, canvasWidth, y).CopyTo(saved.AsSpan(y * frame.Width * 4));
        }

        return saved;
    }

    private static void Clear(GifFrame frame, byte[] canvas, int canvasWidth, ReadOnlySpan<byte> color)
    {
        for (int y = 0; y < frame.Height; y++)
        {
            Span<byte> row = Row(frame, canvas, canvasWidth, y);
            for (int i = 0; i < row.Length; i += 4)
            {
                color.CopyTo(row[i..]);
            }
        }
    }

    private static Span<byte> Row(GifFrame frame, byte[] canvas, int canvasWidth, int y) =>
        canvas.AsSpan((int)((((long)(frame.Top + y) * canvasWidth) + frame.Left) * 4), frame.Width * 4);
}
