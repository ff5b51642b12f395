using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>
/// Decodes the first frame of a GIF (CompuServe's GIF89a specification). As Pillow has it: what the frame leaves free is transparent, hence white, where the frame has a transparent colour,
/// and colour 0 of its table otherwise; a frame that reaches beyond the screen widens it; an index beyond the table is black; bytes between blocks that begin none are skipped.
/// </summary>
internal static class GifDecoder
{
    // The longest string a code of 12 bits can stand for, generously, per byte of data.
    private const long MostPerByte = 4096;

    private static readonly (int First, int Step)[] Plain = [(0, 1)];
    private static readonly (int First, int Step)[] Interlaced = [(0, 8), (4, 8), (2, 4), (1, 2)];

    public static RgbImage Decode(byte[] bytes, string path, ImageLimits limits)
    {
        var cursor = new Cursor(bytes, path) { At = 6 };
        int screenWidth = cursor.Short();
        int screenHeight = cursor.Short();
        int flags = cursor.Byte();
        cursor.At += 2;
        ReadOnlySpan<byte> table = (flags & 0x80) != 0 ? cursor.Take(3 << ((flags & 7) + 1)) : [];
        int transparent = -1;
        while (true)
        {
            int at = cursor.At;
            switch (cursor.Byte())
            {
                case 0x21:
                    int label = cursor.Byte();
                    byte[] extension = cursor.Blocks();
                    if (label == 0xF9 && extension.Length >= 4 && (extension[0] & 1) != 0)
                    {
                        transparent = extension[3];
                    }

                    break;
                case 0x2C:
                    return Frame(ref cursor, screenWidth, screenHeight, table, transparent, path, limits);
                case 0x3B:
                    throw new FileFormatException(path, "gif: expected a picture before the end, got none", at);
            }
        }
    }

    private static RgbImage Frame(ref Cursor cursor, int screenWidth, int screenHeight, ReadOnlySpan<byte> table, int transparent, string path, ImageLimits limits)
    {
        int start = cursor.At;
        (int left, int top, int width, int height) = (cursor.Short(), cursor.Short(), cursor.Short(), cursor.Short());
        int flags = cursor.Byte();
        if ((flags & 0x80) != 0)
        {
            table = cursor.Take(3 << ((flags & 7) + 1));
        }

        int fullWidth = Math.Max(screenWidth, left + width);
        int fullHeight = Math.Max(screenHeight, top + height);
        limits.Check(path, "gif", fullWidth, fullHeight, 6);
        limits.Check(path, "gif frame", width, height, start);
        int codeBits = cursor.Byte();
        if (codeBits is < 1 or > 8)
        {
            throw new FileFormatException(path, $"gif code size: expected 1 to 8, got {codeBits}", cursor.At - 1);
        }

        byte[] data = cursor.Blocks();
        long count = (long)width * height;
        if (count > MostPerByte * (data.Length + 1L))
        {
            throw new FileFormatException(path, $"gif data: expected enough for {count} pixels, got {data.Length} bytes", start);
        }

        var indices = new byte[count];
        long decoded = GifLzw.Decode(data, codeBits, indices);
        if (decoded < count)
        {
            throw new FileFormatException(path, $"gif data: expected {count} pixels, got {decoded} and then a wrong code or the end", start);
        }

        var pixels = new byte[(long)fullWidth * fullHeight * 3];
        if (transparent >= 0)
        {
            pixels.AsSpan().Fill(255);
        }
        else if (!table.IsEmpty && (width < fullWidth || height < fullHeight))
        {
            for (int i = 0; i < pixels.Length; i++)
            {
                pixels[i] = table[i % 3];
            }
        }

        int row = 0;
        foreach ((int first, int step) in (flags & 0x40) != 0 ? Interlaced : Plain)
        {
            for (int y = first; y < height; y += step, row++)
            {
                Paint(indices.AsSpan(row * width, width), table, transparent, pixels.AsSpan((int)((((long)(top + y) * fullWidth) + left) * 3), width * 3));
            }
        }

        return new RgbImage(fullWidth, fullHeight, pixels);
    }

    private static void Paint(ReadOnlySpan<byte> indices, ReadOnlySpan<byte> table, int transparent, Span<byte> row)
    {
        for (int x = 0; x < indices.Length; x++)
        {
            int index = indices[x];
            Span<byte> pixel = row.Slice(3 * x, 3);
            if (index == transparent)
            {
                pixel.Fill(255);
            }
            else if (table.IsEmpty)
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
        }
    }

    private ref struct Cursor(byte[] bytes, string path)
    {
        private readonly byte[] _bytes = bytes;
        private readonly string _path = path;

        public int At;

        public int Byte() => Take(1)[0];

        public int Short() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

        public ReadOnlySpan<byte> Take(int count)
        {
            if (count > _bytes.Length - At)
            {
                throw new FileFormatException(_path, $"gif: expected {count} more bytes, got {Math.Max(0, _bytes.Length - At)}", At);
            }

            ReadOnlySpan<byte> taken = _bytes.AsSpan(At, count);
            At += count;
            return taken;
        }

        /// <summary>Blocks of up to 255 bytes, each behind its length, up to one of length 0.</summary>
        public byte[] Blocks()
        {
            var all = new MemoryStream();
            for (int length = Byte(); length > 0; length = Byte())
            {
                all.Write(Take(length));
            }

            return all.ToArray();
        }
    }
}
