using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>WebP by libwebp. It is given one still picture at a time; animations are taken apart here.</summary>
internal static class LibWebp
{
    private const byte AlphaFlag = 16;
    private const int HeaderBytes = 30;

    private static readonly Lazy<NativeDecoder> Library = new(() => new NativeDecoder(
        "WebP", "libwebp (Debian: libwebp7, Fedora: libwebp, macOS: webp)", "libwebp.so.7", "libwebp.so.6", "libwebp.7.dylib", "/opt/homebrew/opt/webp/lib/libwebp.7.dylib", "webp"));

    private delegate nint DecodeInto(byte[] data, nuint size, byte[] output, nuint outputSize, int stride);

    /// <summary>Whether the library is there.</summary>
    public static bool IsFound => Library.Value.IsFound;

    /// <summary>Decodes a still picture.</summary>
    public static RgbImage Decode(byte[] bytes, string path, WebpHeader header)
    {
        byte[] rgba = DecodeStill(bytes, path, header.Width, header.Height);
        if (!header.HasAlpha)
        {
            for (int i = 3; i < rgba.Length; i += 4)
            {
                rgba[i] = 255; // a transparency that the header denies
            }
        }

        var rgb = new byte[rgba.Length / 4 * 3];
        OnWhite.Blend(rgba, rgb);
        return new RgbImage(header.Width, header.Height, rgb);
    }

    /// <summary>Decodes one frame of an animation, by making a still picture of its chunks.</summary>
    /// <returns><c>[height, width, 4]</c>: red, green, blue, alpha.</returns>
    public static byte[] DecodeFrame(byte[] bytes, string path, WebpFrame frame)
    {
        ReadOnlySpan<byte> chunks = bytes.AsSpan(frame.Chunks);
        var still = new byte[HeaderBytes + chunks.Length + (chunks.Length & 1)];
        "RIFF"u8.CopyTo(still);
        BinaryPrimitives.WriteInt32LittleEndian(still.AsSpan(4), still.Length - 8);
        "WEBPVP8X"u8.CopyTo(still.AsSpan(8));
        still[16] = 10;
        still[20] = frame.HasAlpha ? AlphaFlag : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(still.AsSpan(24), frame.Width - 1); // three bytes each, and what spills over is overwritten
        BinaryPrimitives.WriteInt16LittleEndian(still.AsSpan(27), (short)(frame.Height - 1));
        still[29] = 0;
        chunks.CopyTo(still.AsSpan(HeaderBytes));
        return DecodeStill(still, path, frame.Width, frame.Height);
    }

    private static byte[] DecodeStill(byte[] bytes, string path, int width, int height)
    {
        DecodeInto decode = Library.Value.Function<DecodeInto>("WebPDecodeRGBAInto", path);
        var rgba = new byte[(long)width * height * 4];
        return decode(bytes, (nuint)bytes.Length, rgba, (nuint)rgba.Length, width * 4) != 0
            ? rgba
            : throw new FileFormatException(path, "webp: expected a picture that libwebp can decode, got a damaged one");
    }
}
