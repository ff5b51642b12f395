using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>
/// What a JPEG says of itself, read from its markers from the first to the last one (ITU-T T.81, annex B): a file that is cut short, is too large or has scans without end is
/// refused before a decoder sees it.
/// </summary>
internal readonly record struct JpegHeader(int Width, int Height, int Components)
{
    // Progressive files have about ten; each one costs a pass over the whole picture, so large pictures may have fewer.
    private const int MostScans = 100;

    // A block of 64 pixels has a bit at least, whatever the coding; twice that for files that are a little short.
    private const long MostPerByte = 1024;

    public static ReadOnlySpan<byte> Magic => [0xFF, 0xD8, 0xFF];

    public static JpegHeader Read(ReadOnlySpan<byte> bytes, string path, ImageLimits limits)
    {
        JpegHeader? header = null;
        int scans = 0;
        int at = 2;
        while (true)
        {
            // Between segments only fill bytes are expected; decoders skip anything else, and so does this.
            while (at + 1 < bytes.Length && (bytes[at] != 0xFF || bytes[at + 1] is 0x00 or 0xFF or (>= 0xD0 and <= 0xD7) or 0x01))
            {
                at++;
            }

            if (at + 1 >= bytes.Length)
            {
                throw new FileFormatException(path, "jpeg: expected the marker that ends the picture, got the end of the file", bytes.Length);
            }

            int marker = bytes[at + 1];
            int start = at;
            at += 2;
            if (marker == 0xD9)
            {
                return Complete(header, scans, bytes.Length, start, path, limits);
            }

            if (marker == 0xD8)
            {
                throw new FileFormatException(path, "jpeg: expected one start of a picture, got a second one", start);
            }

            int length = bytes.Length - at < 2 ? 0 : BinaryPrimitives.ReadUInt16BigEndian(bytes[at..]);
            if (length < 2 || length > bytes.Length - at)
            {
                throw new FileFormatException(path, $"jpeg segment {marker:x2}: expected its length and as many bytes, got {bytes.Length - at} bytes", at);
            }

            ReadOnlySpan<byte> segment = bytes.Slice(at + 2, length - 2);
            if (marker is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC))
            {
                if (header is not null || marker is not (<= 0xC2 or 0xC9 or 0xCA))
                {
                    throw new FileFormatException(path, $"jpeg frame: expected one sequential or progressive frame (c0 to c2, c9, ca), got {(header is null ? "" : "another one, ")}{marker:x2}", start);
                }

                header = Frame(segment, path, limits, at + 2);
            }
            else if (marker == 0xDA && ++scans > MostScans)
            {
                throw new FileFormatException(path, $"jpeg scans: expected at most {MostScans}, got more", start);
            }

            at += length;
        }
    }

    private static JpegHeader Complete(JpegHeader? header, int scans, int length, int offset, string path, ImageLimits limits)
    {
        if (header is not JpegHeader frame || scans == 0)
        {
            throw new FileFormatException(path, "jpeg: expected a frame and a scan before the end, got none", offset);
        }

        long pixels = (long)frame.Width * frame.Height;
        if (pixels > MostPerByte * length)
        {
            throw new FileFormatException(path, $"jpeg data: expected enough for {pixels} pixels, got {length} bytes");
        }

        return scans <= Math.Max(ImageLimits.Passes, ImageLimits.Passes * limits.MaxPixels / pixels)
            ? frame
            : throw new FileFormatException(path, $"jpeg scans: expected at most {ImageLimits.Passes * limits.MaxPixels} decoded pixels of all scans, got {scans} scans of {pixels}");
    }

    private static JpegHeader Frame(ReadOnlySpan<byte> frame, string path, ImageLimits limits, int offset)
    {
        if (frame.Length < 6 || frame[0] != 8 || frame[5] is not (1 or 3 or 4) || frame.Length < 6 + (3 * frame[5]))
        {
            throw new FileFormatException(path, "jpeg frame: expected 8 bits and 1, 3 or 4 components", offset);
        }

        int height = BinaryPrimitives.ReadUInt16BigEndian(frame[1..]);
        int width = BinaryPrimitives.ReadUInt16BigEndian(frame[3..]);
        limits.Check(path, "jpeg", width, height, offset + 1);
        return new JpegHeader(width, height, frame[5]);
    }
}
