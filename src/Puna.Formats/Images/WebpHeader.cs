using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>What a WebP says of itself: its chunks are walked and sizes checked before a decoder sees them (RFC 9649).</summary>
/// <param name="Width">Columns of the canvas.</param>
/// <param name="Height">Rows of the canvas.</param>
/// <param name="HasAlpha">Whether transparency counts.</param>
/// <param name="IsAnimated">Whether the canvas shows frames; their chunks follow from <see cref="Frames"/>.</param>
/// <param name="Frames">The frames, of a still picture the one that covers the canvas.</param>
internal sealed record WebpHeader(int Width, int Height, bool HasAlpha, bool IsAnimated, IReadOnlyList<WebpFrame> Frames)
{
    private const int FrameHeaderBytes = 16;
    private const int AnimationFlag = 2;
    private const int AlphaFlag = 16;

    /// <summary>Reads the chunks.</summary>
    /// <param name="bytes">The file.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <param name="limits">What it may ask for.</param>
    /// <param name="mostFrames">Frames to look for.</param>
    public static WebpHeader Read(ReadOnlySpan<byte> bytes, string path, ImageLimits limits, int mostFrames = 1)
    {
        uint riff = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        if (riff < 12 || riff > bytes.Length - 8)
        {
            throw new FileFormatException(path, $"webp length: expected 12 to {bytes.Length - 8}, got {riff}", 4);
        }

        bytes = bytes[..(int)(riff + 8)];
        (int Width, int Height)? canvas = null;
        int flags = 0;
        var frames = new List<WebpFrame>();
        for (int at = 12; at <= bytes.Length - 8 && frames.Count < mostFrames;)
        {
            ReadOnlySpan<byte> type = bytes.Slice(at, 4);
            int length = Length(bytes, at, path);
            ReadOnlySpan<byte> chunk = bytes.Slice(at + 8, length);
            bool isAnimated = (flags & AnimationFlag) != 0;
            if (type.SequenceEqual("VP8X"u8) && chunk.Length >= 10 && canvas is null)
            {
                flags = chunk[0];
                canvas = Checked(1 + Three(chunk[4..]), 1 + Three(chunk[7..]), at + 12, path, limits);
            }
            else if (!isAnimated && (type.SequenceEqual("VP8 "u8) || type.SequenceEqual("VP8L"u8)))
            {
                WebpFrame frame = Still(bytes, at, type[3] == (byte)'L', (flags & AlphaFlag) != 0, path, limits);
                if (canvas is { } size && size != (frame.Width, frame.Height))
                {
                    throw new FileFormatException(path, $"webp size: expected that of the canvas, {size.Width} x {size.Height}, got {frame.Width} x {frame.Height}", at + 8);
                }

                return new WebpHeader(frame.Width, frame.Height, frame.HasAlpha, false, [frame]);
            }
            else if (isAnimated && type.SequenceEqual("ANMF"u8))
            {
                frames.Add(Frame(bytes[..(at + 8 + length)], at + 8, canvas!.Value, path, limits));
                ImageLimits.CheckFrames(path, frames.Count);
            }

            at += 8 + length + (length & 1);
        }

        return frames.Count > 0
            ? new WebpHeader(canvas!.Value.Width, canvas.Value.Height, (flags & AlphaFlag) != 0, true, frames)
            : throw new FileFormatException(path, "webp: expected a chunk VP8, VP8L or ANMF, got none", 12);
    }

    /// <summary>One frame of an animation: where it lies, how it is put there, and the chunks of its picture.</summary>
    private static WebpFrame Frame(ReadOnlySpan<byte> bytes, int start, (int Width, int Height) canvas, string path, ImageLimits limits)
    {
        if (bytes.Length - start < FrameHeaderBytes)
        {
            throw new FileFormatException(path, $"webp frame: expected {FrameHeaderBytes} bytes, got {bytes.Length - start}", start);
        }

        ReadOnlySpan<byte> header = bytes[start..];
        (int left, int top) = (2 * Three(header), 2 * Three(header[3..]));
        (int width, int height) = Checked(1 + Three(header[6..]), 1 + Three(header[9..]), start + 6, path, limits);
        if ((long)left + width > canvas.Width || (long)top + height > canvas.Height)
        {
            throw new FileFormatException(path, $"webp frame: expected one inside the canvas of {canvas.Width} x {canvas.Height}, got {width} x {height} at {left}, {top}", start);
        }

        bool hasAlpha = false;
        for (int at = start + FrameHeaderBytes; at <= bytes.Length - 8;)
        {
            int length = Length(bytes, at, path);
            ReadOnlySpan<byte> type = bytes.Slice(at, 4);
            hasAlpha |= type.SequenceEqual("ALPH"u8);
            if (type.SequenceEqual("VP8 "u8) || type.SequenceEqual("VP8L"u8))
            {
                WebpFrame frame = Still(bytes, at, type[3] == (byte)'L', hasAlpha, path, limits);
                if ((frame.Width, frame.Height) != (width, height))
                {
                    throw new FileFormatException(path, $"webp frame: expected a picture of {width} x {height}, got {frame.Width} x {frame.Height}", at + 8);
                }

                return frame with
                {
                    Left = left, Top = top, Milliseconds = Three(header[12..]), IsBlended = (header[15] & 2) == 0, IsCleared = (header[15] & 1) != 0,
                    Chunks = (start + FrameHeaderBytes)..(at + 8 + length),
                };
            }

            at += 8 + length + (length & 1);
        }

        throw new FileFormatException(path, "webp frame: expected a chunk VP8 or VP8L, got none", start);
    }

    private static WebpFrame Still(ReadOnlySpan<byte> bytes, int at, bool isLossless, bool hasAlpha, string path, ImageLimits limits)
    {
        ReadOnlySpan<byte> chunk = bytes.Slice(at + 8, Length(bytes, at, path));
        int offset = at + 8;
        if (isLossless)
        {
            if (chunk.Length < 5 || chunk[0] != 0x2F)
            {
                throw new FileFormatException(path, "webp lossless header: expected 2f and a size", offset);
            }

            uint sizes = BinaryPrimitives.ReadUInt32LittleEndian(chunk[1..]);
            (int wide, int high) = Checked(1 + (int)(sizes & 0x3FFF), 1 + (int)((sizes >> 14) & 0x3FFF), offset + 1, path, limits);
            return new WebpFrame(wide, high, ((sizes >> 28) & 1) != 0);
        }

        if (chunk.Length < 10 || chunk[3] != 0x9D || chunk[4] != 0x01 || chunk[5] != 0x2A)
        {
            throw new FileFormatException(path, "webp key frame: expected its start code 9d 01 2a and a size", offset);
        }

        (int width, int height) = Checked(
            BinaryPrimitives.ReadUInt16LittleEndian(chunk[6..]) & 0x3FFF, BinaryPrimitives.ReadUInt16LittleEndian(chunk[8..]) & 0x3FFF, offset + 6, path, limits);
        return new WebpFrame(width, height, hasAlpha);
    }

    private static int Length(ReadOnlySpan<byte> bytes, int at, string path)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(at + 4)..]);
        return length <= bytes.Length - at - 8 ? (int)length : throw new FileFormatException(path, $"webp chunk length: expected at most {bytes.Length - at - 8}, got {length}", at + 4);
    }

    private static int Three(ReadOnlySpan<byte> bytes) => bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);

    private static (int Width, int Height) Checked(int width, int height, int offset, string path, ImageLimits limits)
    {
        limits.Check(path, "webp", width, height, offset);
        return (width, height);
    }
}
