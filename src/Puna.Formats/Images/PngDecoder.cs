using System.Buffers.Binary;
using System.IO.Compression;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>Decodes PNG: every colour type, depth and interlacing, checksums verified (W3C PNG specification, third edition).</summary>
internal static class PngDecoder
{
    // Deflate cannot do better than 258 bytes out of two bits.
    private const long MostPerByte = 1032;

    private static readonly (int X, int Y, int StepX, int StepY)[] Passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)];

    public static ReadOnlySpan<byte> Magic => [0x89, (byte)'P', (byte)'N', (byte)'G', 13, 10, 26, 10];

    /// <summary>The header, which is the first chunk.</summary>
    public static PngHeader Header(ReadOnlySpan<byte> bytes, string path, ImageLimits limits)
    {
        const int Length = 13;
        ReadOnlySpan<byte> chunk = bytes[Magic.Length..];
        return chunk.Length >= 8 + Length && BinaryPrimitives.ReadUInt32BigEndian(chunk) == Length && chunk.Slice(4, 4).SequenceEqual("IHDR"u8)
            ? PngHeader.Read(chunk.Slice(8, Length), path, limits, Magic.Length + 8)
            : throw new FileFormatException(path, "png: expected IHDR as the first chunk", Magic.Length);
    }

    public static RgbImage Decode(byte[] bytes, string path, ImageLimits limits)
    {
        PngHeader? header = null;
        byte[]? palette = null;
        byte[]? transparency = null;
        var data = new MemoryStream();
        bool isDataOver = false;
        for (int at = Magic.Length; ;)
        {
            if (bytes.Length - at < 12)
            {
                throw new FileFormatException(path, $"png: expected another chunk up to IEND, got {bytes.Length - at} bytes", at);
            }

            uint length = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));
            if (length > bytes.Length - at - 12)
            {
                throw new FileFormatException(path, $"png chunk length: expected at most {bytes.Length - at - 12}, got {length}", at);
            }

            ReadOnlySpan<byte> type = bytes.AsSpan(at + 4, 4);
            ReadOnlySpan<byte> chunk = bytes.AsSpan(at + 8, (int)length);
            bool isCritical = (type[0] & 0x20) == 0;
            bool isTransparency = type.SequenceEqual("tRNS"u8);
            uint sum = BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at + 8 + (int)length));
            if ((isCritical || isTransparency) && Crc32.Append(0, bytes.AsSpan(at + 4, (int)length + 4)) is uint real && real != sum)
            {
                throw new FileFormatException(path, $"png chunk checksum: expected {real:x8}, got {sum:x8}", at + 8 + length);
            }

            bool isHeader = type.SequenceEqual("IHDR"u8);
            if (isHeader != header is null)
            {
                throw new FileFormatException(path, header is null ? "png: expected IHDR as the first chunk" : "png: expected one IHDR, got two", at);
            }

            bool isData = type.SequenceEqual("IDAT"u8);
            isDataOver |= data.Length > 0 && !isData;
            if (isHeader)
            {
                header = PngHeader.Read(chunk, path, limits, at + 8);
            }
            else if (isData)
            {
                if (isDataOver)
                {
                    throw new FileFormatException(path, "png: expected IDAT chunks one after the other", at);
                }

                data.Write(chunk);
            }
            else if (type.SequenceEqual("PLTE"u8))
            {
                if (length == 0 || length % 3 != 0 || length > 768 || palette is not null || data.Length > 0)
                {
                    throw new FileFormatException(path, $"png palette: expected one of 1 to 256 colours before the data, got {length} bytes", at);
                }

                palette = chunk.ToArray();
            }
            else if (isTransparency)
            {
                transparency = chunk.ToArray();
            }
            else if (type.SequenceEqual("IEND"u8))
            {
                break;
            }
            else if (isCritical)
            {
                throw new FileFormatException(path, "png chunk: expected IHDR, PLTE, IDAT or IEND, got a critical one that is not known", at + 4);
            }

            at += 12 + (int)length;
        }

        PngHeader h = header!.Value;
        PngColors colors = PngColors.Create(h, palette, transparency, path);
        long raw = RawBytes(h);
        if (raw > MostPerByte * (data.Length + 1))
        {
            throw new FileFormatException(path, $"png data: expected enough for {raw} bytes, got {data.Length} compressed ones");
        }

        data.Position = 0;
        return new RgbImage(h.Width, h.Height, Inflate(data, h, colors, path));
    }

    private static long RawBytes(PngHeader h)
    {
        long sum = 0;
        foreach ((int x, int y, int stepX, int stepY) in PassesOf(h))
        {
            int width = Size(h.Width, x, stepX);
            sum += width == 0 ? 0 : Size(h.Height, y, stepY) * (1L + h.RowBytes(width));
        }

        return sum;
    }

    private static (int X, int Y, int StepX, int StepY)[] PassesOf(PngHeader h) => h.IsInterlaced ? Passes : [(0, 0, 1, 1)];

    private static int Size(int whole, int first, int step) => (int)(((long)whole - first + step - 1) / step);

    private static byte[] Inflate(Stream data, PngHeader h, PngColors colors, string path)
    {
        var pixels = new byte[(long)h.Width * h.Height * 3];
        var row = new byte[h.RowBytes(h.Width)];
        var above = new byte[row.Length];
        int step = Math.Max(1, h.BitsPerPixel / 8);
        using var zlib = new ZLibStream(data, CompressionMode.Decompress);
        // Rows are small, and a call into the decompressor is not.
        using var stream = new BufferedStream(zlib, 1 << 15);
        try
        {
            foreach ((int x, int firstY, int stepX, int stepY) in PassesOf(h))
            {
                int width = Size(h.Width, x, stepX);
                int length = h.RowBytes(width);
                Array.Clear(above);
                for (int y = firstY; y < h.Height && width > 0; y += stepY)
                {
                    int filter = stream.ReadByte();
                    stream.ReadExactly(row, 0, length);
                    if (!Unfilter(filter, row.AsSpan(0, length), above, step))
                    {
                        throw new FileFormatException(path, $"png filter of row {y}: expected 0 to 4, got {filter}");
                    }

                    colors.Expand(row, width, pixels, ((y * (nint)h.Width) + x) * 3, stepX * 3);
                    (row, above) = (above, row);
                }
            }

            // Meets the checksum behind the data; more of it is of no interest.
            _ = stream.ReadByte();
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            throw new FileFormatException(path, "png data: expected a whole zlib stream of the picture's size, got a damaged or shorter one", inner: e);
        }

        return pixels;
    }

    private static bool Unfilter(int filter, Span<byte> row, ReadOnlySpan<byte> above, int step)
    {
        above = above[..row.Length];
        switch (filter)
        {
            case 0:
                return true;
            case 1:
                for (int i = step; i < row.Length; i++)
                {
                    row[i] += row[i - step];
                }

                return true;
            case 2:
                for (int i = 0; i < row.Length; i++)
                {
                    row[i] += above[i];
                }

                return true;
            case 3:
                for (int i = 0; i < row.Length; i++)
                {
                    row[i] += (byte)(((i < step ? 0 : row[i - step]) + above[i]) >> 1);
                }

                return true;
            case 4:
                for (int i = 0; i < row.Length; i++)
                {
                    row[i] += i < step ? above[i] : Paeth(row[i - step], above[i], above[i - step]);
                }

                return true;
            default:
                return false;
        }
    }

    private static byte Paeth(byte left, byte up, byte corner)
    {
        int a = Math.Abs(up - corner);
        int b = Math.Abs(left - corner);
        int c = Math.Abs(left + up - (2 * corner));
        return a <= b && a <= c ? left : b <= c ? up : corner;
    }
}
