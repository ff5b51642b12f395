using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>
/// Turns rows of PNG samples into 8-bit RGB on white, as the reference processors do, which is as Pillow does:
/// <list type="bullet">
/// <item>of 16-bit colours the upper 8 bits are taken, but a 16-bit grey above 255 is white;</item>
/// <item>a transparent grey (tRNS) is compared with the 8-bit shade, not with the sample as it is stored;</item>
/// <item>a transparent colour of a truecolour picture (tRNS) is not followed: the processors see plain RGB;</item>
/// <item>an index beyond the palette is black.</item>
/// </list>
/// </summary>
internal sealed class PngColors
{
    private const int Shades = 256;

    private readonly PngHeader _header;
    private readonly byte[] _table; // [256, 3]: what a shade or an index becomes

    private PngColors(PngHeader header, byte[] table) => (_header, _table) = (header, table);

    public static PngColors Create(PngHeader header, byte[]? palette, byte[]? transparency, string path)
    {
        var table = new byte[Shades * 3];
        if (header.Color == PngHeader.Palette)
        {
            byte[] colors = palette ?? throw new FileFormatException(path, "png palette: expected one, got none");
            colors.CopyTo(table, 0);
            if (transparency?.Length > Shades)
            {
                throw new FileFormatException(path, $"png transparency: expected at most {Shades} entries, got {transparency.Length}");
            }

            for (int i = 0; transparency is not null && i < transparency.Length * 3; i++)
            {
                table[i] = OnWhite.Blend(table[i], transparency[i / 3]);
            }
        }
        else if (header.Color == PngHeader.Grey)
        {
            int clear = Clear(header, transparency, path);
            int most = header.Depth < 8 ? (1 << header.Depth) - 1 : Shades - 1;
            for (int i = 0; i <= most; i++)
            {
                int shade = i * 255 / most;
                table.AsSpan(3 * i, 3).Fill((byte)(shade == clear ? 255 : shade));
            }
        }

        return new PngColors(header, table);
    }

    /// <summary>The 8-bit shade that is transparent, or -1.</summary>
    private static int Clear(PngHeader header, byte[]? transparency, string path)
    {
        if (transparency is null)
        {
            return -1;
        }

        if (transparency.Length != 2)
        {
            throw new FileFormatException(path, $"png transparency: expected 2 bytes, got {transparency.Length}");
        }

        return header.Depth == 1 ? (BinaryPrimitives.ReadUInt16BigEndian(transparency) != 0 ? 255 : 0) : transparency[1];
    }

    /// <summary>Writes the pixels of a row.</summary>
    /// <param name="row">Samples, unfiltered.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="pixels">The picture.</param>
    /// <param name="at">Where the first pixel goes.</param>
    /// <param name="step">Bytes from there to the next one.</param>
    public void Expand(ReadOnlySpan<byte> row, int width, byte[] pixels, nint at, int step)
    {
        int bytes = _header.Depth / 8; // 0: several samples a byte
        int pixelBytes = bytes * _header.Channels;
        for (int i = 0; i < width; i++, at += step)
        {
            ReadOnlySpan<byte> pixel = row[(i * pixelBytes)..];
            switch (_header.Color)
            {
                case PngHeader.Truecolor:
                    Put(pixels, at, pixel[0], pixel[bytes], pixel[2 * bytes]);
                    break;
                case PngHeader.TruecolorAlpha:
                    byte alpha = pixel[3 * bytes];
                    Put(pixels, at, OnWhite.Blend(pixel[0], alpha), OnWhite.Blend(pixel[bytes], alpha), OnWhite.Blend(pixel[2 * bytes], alpha));
                    break;
                case PngHeader.GreyAlpha:
                    byte shade = OnWhite.Blend(pixel[0], pixel[bytes]);
                    Put(pixels, at, shade, shade, shade);
                    break;
                default:
                    int sample = bytes switch
                    {
                        0 => Bits(row, i),
                        1 => pixel[0],
                        _ => pixel[0] != 0 ? 255 : pixel[1],
                    };
                    Put(pixels, at, _table[3 * sample], _table[(3 * sample) + 1], _table[(3 * sample) + 2]);
                    break;
            }
        }
    }

    /// <summary>Sample <paramref name="i"/> of a row whose samples share bytes, the first one in the upper bits.</summary>
    private int Bits(ReadOnlySpan<byte> row, int i)
    {
        int depth = _header.Depth;
        long bit = (long)i * depth;
        return (row[(int)(bit / 8)] >> (8 - depth - (int)(bit % 8))) & ((1 << depth) - 1);
    }

    private static void Put(byte[] pixels, nint at, byte r, byte g, byte b)
    {
        pixels[at] = r;
        pixels[at + 1] = g;
        pixels[at + 2] = b;
    }
}
