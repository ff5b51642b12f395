using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>The header chunk of a PNG (W3C PNG specification, 11.2.1).</summary>
internal readonly record struct PngHeader(int Width, int Height, int Depth, int Color, bool IsInterlaced)
{
    public const int Grey = 0;
    public const int Truecolor = 2;
    public const int Palette = 3;
    public const int GreyAlpha = 4;
    public const int TruecolorAlpha = 6;

    public int Channels => Color switch
    {
        Truecolor => 3,
        GreyAlpha => 2,
        TruecolorAlpha => 4,
        _ => 1,
    };

    public int BitsPerPixel => Depth * Channels;

    /// <summary>Bytes of a row of this many pixels, without its filter.</summary>
    public int RowBytes(int width) => (int)((((long)width * BitsPerPixel) + 7) / 8);

    public static PngHeader Read(ReadOnlySpan<byte> chunk, string path, ImageLimits limits, int offset)
    {
        if (chunk.Length != 13)
        {
            throw new FileFormatException(path, $"png header: expected 13 bytes, got {chunk.Length}", offset);
        }

        uint width = BinaryPrimitives.ReadUInt32BigEndian(chunk);
        uint height = BinaryPrimitives.ReadUInt32BigEndian(chunk[4..]);
        limits.Check(path, "png", width, height, offset);
        int depth = chunk[8];
        bool isKnown = chunk[9] switch
        {
            Grey => depth is 1 or 2 or 4 or 8 or 16,
            Palette => depth is 1 or 2 or 4 or 8,
            Truecolor or GreyAlpha or TruecolorAlpha => depth is 8 or 16,
            _ => false,
        };
        if (!isKnown)
        {
            throw new FileFormatException(path, $"png colour type and depth: expected one of the specification's 15 pairs, got {chunk[9]} and {depth}", offset + 8);
        }

        if (chunk[10] != 0 || chunk[11] != 0 || chunk[12] > 1)
        {
            throw new FileFormatException(path, $"png methods: expected compression 0, filter 0, interlace 0 or 1, got {chunk[10]}, {chunk[11]}, {chunk[12]}", offset + 10);
        }

        // A row and the one before it are held, whatever the limits say.
        if ((long)width * depth * 4 / 8 > int.MaxValue / 2)
        {
            throw new FileFormatException(path, $"png width: expected rows of at most {int.MaxValue / 2} bytes, got {width} pixels", offset);
        }

        return new PngHeader((int)width, (int)height, depth, chunk[9], chunk[12] == 1);
    }
}
