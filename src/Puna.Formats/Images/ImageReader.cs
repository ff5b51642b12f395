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
        return Decode(Bytes(path, limits), path, limits);
    }

    /// <summary>Reads frames of a short video: an animated GIF or WebP. Of a still picture there is one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="most">How many frames; where there are more, as many, evenly spaced from the first to the last.</param>
    /// <param name="limits">What it may ask for; null means <see cref="ImageLimits.Default"/>.</param>
    /// <returns>The frames in order, all of one size, each as it is seen.</returns>
    /// <exception cref="PunaException">As for <see cref="Read"/>, or there are too many pixels in all frames.</exception>
    public static IReadOnlyList<RgbImage> ReadFrames(string path, int most, ImageLimits? limits = null)
    {
        limits ??= ImageLimits.Default;
        return DecodeFrames(Bytes(path, limits), path, most, limits);
    }

    /// <summary>Decodes a picture that is in memory.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <param name="limits">What it may ask for; null means <see cref="ImageLimits.Default"/>.</param>
    /// <exception cref="PunaException">It is no picture, is damaged or beyond the limits, or needs a library that is not installed.</exception>
    public static RgbImage Decode(byte[] bytes, string path, ImageLimits? limits = null)
    {
        limits ??= ImageLimits.Default;
        limits.CheckBytes(path, bytes.Length);

        ReadOnlySpan<byte> start = bytes;
        if (start.StartsWith(PngDecoder.Magic))
        {
            return PngDecoder.Decode(bytes, path, limits);
        }

        if (IsGif(start))
        {
            return GifDecoder.Decode(bytes, path, limits);
        }

        if (start.StartsWith(JpegHeader.Magic))
        {
            return TurboJpeg.Decode(bytes, path, JpegHeader.Read(bytes, path, limits));
        }

        if (IsWebp(start))
        {
            WebpHeader header = WebpHeader.Read(bytes, path, limits);
            return header.IsAnimated ? WebpCanvas.Decode(bytes, header, [0], path)[0] : LibWebp.Decode(bytes, path, header);
        }

        throw Unknown(path);
    }

    /// <summary>The size that a picture's headers give, which is the size it is decoded to. Nothing is decoded.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <param name="limits">What it may ask for; null means <see cref="ImageLimits.Default"/>.</param>
    /// <exception cref="PunaException">It is no picture, its headers are damaged, or it is beyond the limits.</exception>
    public static (int Width, int Height) Size(byte[] bytes, string path, ImageLimits? limits = null)
    {
        limits ??= ImageLimits.Default;
        limits.CheckBytes(path, bytes.Length);
        ReadOnlySpan<byte> start = bytes;
        if (start.StartsWith(PngDecoder.Magic))
        {
            PngHeader png = PngDecoder.Header(bytes, path, limits);
            return (png.Width, png.Height);
        }

        if (IsGif(start))
        {
            GifFile gif = GifFile.Read(bytes, path, limits, 1);
            return (gif.Width, gif.Height);
        }

        if (start.StartsWith(JpegHeader.Magic))
        {
            JpegHeader jpeg = JpegHeader.Read(bytes, path, limits);
            return (jpeg.Width, jpeg.Height);
        }

        return IsWebp(start) && WebpHeader.Read(bytes, path, limits) is var webp ? (webp.Width, webp.Height) : throw Unknown(path);
    }

    /// <summary>Decodes frames of a short video that is in memory.</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <param name="most">How many frames; where there are more, as many, evenly spaced from the first to the last.</param>
    /// <param name="limits">What it may ask for; null means <see cref="ImageLimits.Default"/>.</param>
    /// <returns>The frames in order, all of one size, each as it is seen.</returns>
    /// <exception cref="PunaException">As for <see cref="Decode"/>, or there are too many pixels in all frames.</exception>
    public static IReadOnlyList<RgbImage> DecodeFrames(byte[] bytes, string path, int most, ImageLimits? limits = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        limits ??= ImageLimits.Default;
        limits.CheckBytes(path, bytes.Length);
        if (IsGif(bytes))
        {
            GifFile file = GifFile.Read(bytes, path, limits, most == 1 ? 1 : int.MaxValue);
            int[] wanted = Sample(file.Frames.Count, most);
            CheckFrames(path, limits, file.Width, file.Height, wanted, file.Frames.Take(wanted[^1] + 1).Sum(f => (long)f.Width * f.Height));
            return GifDecoder.Decode(file, wanted, path);
        }

        if (IsWebp(bytes))
        {
            WebpHeader header = WebpHeader.Read(bytes, path, limits, most == 1 ? 1 : int.MaxValue);
            if (header.IsAnimated)
            {
                int[] wanted = Sample(header.Frames.Count, most);
                CheckFrames(path, limits, header.Width, header.Height, wanted, header.Frames.Take(wanted[^1] + 1).Sum(f => (long)f.Width * f.Height));
                return WebpCanvas.Decode(bytes, header, wanted, path);
            }
        }

        return [Decode(bytes, path, limits)];
    }

    private static FileFormatException Unknown(string path) => new(path, "image: expected PNG, GIF, JPEG or WebP", 0);

    private static bool IsGif(ReadOnlySpan<byte> bytes) => bytes.StartsWith("GIF87a"u8) || bytes.StartsWith("GIF89a"u8);

    private static bool IsWebp(ReadOnlySpan<byte> bytes) => bytes.StartsWith("RIFF"u8) && bytes.Length >= 12 && bytes[8..].StartsWith("WEBP"u8);

    /// <summary>Numbers of frames, evenly spaced.</summary>
    private static int[] Sample(int count, int most)
    {
        var wanted = new int[Math.Min(count, most)];
        for (int i = 1; i < wanted.Length; i++)
        {
            wanted[i] = (int)((((long)i * (count - 1) * 2) + wanted.Length - 1) / (2 * (wanted.Length - 1)));
        }

        return wanted;
    }

    /// <summary>Frames are drawn one after the other, and those wanted are kept: both have their price.</summary>
    private static void CheckFrames(string path, ImageLimits limits, int width, int height, int[] wanted, long drawn)
    {
        long kept = (long)width * height * wanted.Length;
        if (kept > limits.MaxPixels || drawn > limits.MaxPixels * ImageLimits.Passes)
        {
            throw new FileFormatException(path, $"image frames: expected at most {limits.MaxPixels} pixels in the frames wanted and {limits.MaxPixels * ImageLimits.Passes} in those up to the last of them, got {kept} and {drawn}");
        }
    }

    private static byte[] Bytes(string path, ImageLimits limits)
    {
        byte[] bytes;
        try
        {
            using FileStream stream = File.OpenRead(path);
            limits.CheckBytes(path, stream.Length);

            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException && Directory.Exists(path))
        {
            throw new PunaException($"file {path}: expected a picture, got a folder", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PunaException($"file {path}: not found", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            throw new PunaException($"file {path}: cannot be read: {e.Message}", e);
        }

        return bytes;
    }
}
