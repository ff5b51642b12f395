using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Puna.Training.Tests.Plots;

/// <summary>A PNG reader of its own for 8 bits of red, green and blue: chunks, checksums bit by bit, all five filters.</summary>
internal sealed class PngReader
{
    private readonly byte[] _pixels;

    public PngReader(byte[] file)
    {
        Assert.Equal([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A], file[..8]);
        using var data = new MemoryStream();
        int at = 8;
        while (true)
        {
            int length = BinaryPrimitives.ReadInt32BigEndian(file.AsSpan(at));
            string type = Encoding.ASCII.GetString(file, at + 4, 4);
            Assert.Equal(Crc(file.AsSpan(at + 4, length + 4)), BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at + 8 + length)));
            Chunks.Add(type);
            ReadOnlySpan<byte> content = file.AsSpan(at + 8, length);
            if (type == "IHDR")
            {
                (Width, Height) = (BinaryPrimitives.ReadInt32BigEndian(content), BinaryPrimitives.ReadInt32BigEndian(content[4..]));
                Assert.Equal([8, 2, 0, 0, 0], content[8..].ToArray());
            }
            else if (type == "IDAT")
            {
                data.Write(content);
            }

            at += 12 + length;
            if (type == "IEND")
            {
                break;
            }
        }

        Assert.Equal(file.Length, at);
        data.Position = 0;
        using var zlib = new ZLibStream(data, CompressionMode.Decompress);
        using var lines = new MemoryStream();
        zlib.CopyTo(lines);
        _pixels = Unfilter(lines.ToArray(), Width * 3, Height);
    }

    public List<string> Chunks { get; } = [];

    public int Width { get; }

    public int Height { get; }

    public (byte R, byte G, byte B) this[int x, int y]
    {
        get
        {
            int i = ((y * Width) + x) * 3;
            return (_pixels[i], _pixels[i + 1], _pixels[i + 2]);
        }
    }

    public int Count((byte R, byte G, byte B) color)
    {
        int count = 0;
        for (int i = 0; i < _pixels.Length; i += 3)
        {
            count += (_pixels[i], _pixels[i + 1], _pixels[i + 2]) == color ? 1 : 0;
        }

        return count;
    }

    private static byte[] Unfilter(byte[] lines, int stride, int height)
    {
        Assert.Equal((stride + 1) * height, lines.Length);
        byte[] pixels = new byte[stride * height];
        for (int y = 0; y < height; y++)
        {
            int filter = lines[y * (stride + 1)];
            for (int i = 0; i < stride; i++)
            {
                int left = i < 3 ? 0 : pixels[(y * stride) + i - 3], up = y == 0 ? 0 : pixels[((y - 1) * stride) + i];
                int corner = i < 3 || y == 0 ? 0 : pixels[((y - 1) * stride) + i - 3];
                int guess = left + up - corner;
                int nearest = Math.Abs(guess - left) <= Math.Abs(guess - up) && Math.Abs(guess - left) <= Math.Abs(guess - corner) ? left
                    : Math.Abs(guess - up) <= Math.Abs(guess - corner) ? up : corner;
                int predicted = filter switch { 0 => 0, 1 => left, 2 => up, 3 => (left + up) / 2, 4 => nearest, _ => throw new InvalidDataException($"filter {filter}") };
                pixels[(y * stride) + i] = unchecked((byte)(lines[(y * (stride + 1)) + 1 + i] + predicted));
            }
        }

        return pixels;
    }

    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in bytes)
        {
            crc ^= b;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }
}
