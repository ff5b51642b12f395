using System.Buffers.Binary;
using System.IO.Compression;
using Puna.Formats.Meta;

namespace Puna.Training.Plots;

/// <summary>Writes PNG of 8 bits per red, green and blue (W3C Portable Network Graphics, second edition).</summary>
internal static class PngEncoder
{
    private const int Channels = 3;

    /// <summary>The file of an image.</summary>
    /// <param name="pixels">Red, green, blue of each pixel, row after row.</param>
    /// <param name="width">Pixels across.</param>
    /// <param name="height">Rows.</param>
    public static byte[] Encode(ReadOnlySpan<byte> pixels, int width, int height)
    {
        using var file = new MemoryStream();
        file.Write([0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], height);
        header[8] = 8; // bits per sample
        header[9] = 2; // colours without a palette
        header[10..].Clear(); // deflate, the five standard filters, no interlacing
        Chunk(file, "IHDR"u8, header);

        using var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
        {
            int stride = width * Channels;
            byte[] line = new byte[stride + 1];
            line[0] = 2; // the filter "up": rows of a chart are much like the row above
            for (int y = 0; y < height; y++)
            {
                ReadOnlySpan<byte> row = pixels.Slice(y * stride, stride);
                for (int i = 0; i < stride; i++)
                {
                    line[i + 1] = unchecked((byte)(row[i] - (y == 0 ? 0 : pixels[((y - 1) * stride) + i])));
                }

                zlib.Write(line);
            }
        }

        Chunk(file, "IDAT"u8, data.GetBuffer().AsSpan(0, (int)data.Length));
        Chunk(file, "IEND"u8, []);
        return file.ToArray();
    }

    private static void Chunk(MemoryStream file, ReadOnlySpan<byte> type, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        file.Write(number);
        file.Write(type);
        file.Write(data);
        BinaryPrimitives.WriteUInt32BigEndian(number, Crc32.Append(Crc32.Append(0, type), data));
        file.Write(number);
    }
}
