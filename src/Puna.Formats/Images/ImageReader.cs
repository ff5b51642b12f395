using Puna.Tensors;

namespace Puna.Formats.Images;

/// <summary>
/// Reads a picture as the reference processors see it: the stored rows (a note that a camera was turned is not followed), 8 bits per channel, of an animation the first frame,
/// transparency composited on white (spec llama1-3.md 4.1, llama4.md 4.1). The format is recognised by content. PNG and GIF are decoded here; JPEG and WebP by libturbojpeg and libwebp, after
/// their structure and size were checked here.
/// </summary>
public static class ImageReader
{
    /// <summary>Whether libturbojpeg is there, without which a JPEG is an error.</summary>
    public static bool ReadsJpeg => TurboJpeg.IsFound;

    /// <summary>Whether libwebp is there, without which a WebP is an error.</summary>
    public static bool ReadsWebp => LibWebp.IsFound;

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="limits">What it may ask for; null means <see cref="ImageLimits.Default"/>.</param>
    /// <exception cref="PunaException">The file cannot be read, is no picture, is damaged or beyond the limits, or needs a library that is not installed.</exception>
    public static RgbImage Read(string path, ImageLimits? limits = null)
    {
        limits ??= ImageLimits.Default;
        byte[] bytes;
        try
        {
            using FileStream stream = File.OpenRead(path);
            if (stream.Length > limits.MaxBytes)
            {
                throw new FileFormatException(path, $"image: expected at most {limits.MaxBytes} bytes, got {stream.Length}");
            }

            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PunaException($"file {path}: not found", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new PunaException($"file {path}: cannot be read: {e.Message}", e);
        }

        return Decode(bytes, path, limits);
    }

    /// <summary>Decodes a picture that is in memory.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <param name="limits">What it may ask for; null means <see cref="ImageLimits.Default"/>.</param>
    /// <exception cref="PunaException">It is no picture, is damaged or beyond the limits, or needs a library that is not installed.</exception>
    public static RgbImage Decode(byte[] bytes, string path, ImageLimits? limits = null)
    {
        limits ??= ImageLimits.Default;
        if (bytes.Length > limits.MaxBytes)
        {
            throw new FileFormatException(path, $"image: expected at most {limits.MaxBytes} bytes, got {bytes.Length}");
        }

        ReadOnlySpan<byte> start = bytes;
        if (start.StartsWith(PngDecoder.Magic))
        {
            return PngDecoder.Decode(bytes, path, limits);
        }

        if (start.StartsWith("GIF87a"u8) || start.StartsWith("GIF89a"u8))
        {
            return GifDecoder.Decode(bytes, path, limits);
        }

        if (start.StartsWith(JpegHeader.Magic))
        {
            return TurboJpeg.Decode(bytes, path, JpegHeader.Read(bytes, path, limits));
        }

        if (start.StartsWith("RIFF"u8) && start.Length >= 12 && start[8..].StartsWith("WEBP"u8))
        {
            return LibWebp.Decode(bytes, path, WebpHeader.Read(bytes, path, limits));
        }

        throw new FileFormatException(path, "image: expected PNG, GIF, JPEG or WebP", 0);
    }
}
