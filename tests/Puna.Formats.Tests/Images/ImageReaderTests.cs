using System.Buffers.Binary;
using System.IO.Compression;
using Puna.Formats.Images;
using Puna.Formats.Meta;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Images;

public class ImageReaderTests
{
    [Theory]
    [InlineData("jpg-420")]
    [InlineData("jpg-progressive")]
    [InlineData("jpg-grey")]
    [InlineData("jpg-cmyk")]
    [InlineData("webp-lossy-alpha")]
    [InlineData("webp-lossless")]
    [InlineData("webp-animated")]
    [InlineData("png-6-8-3x3")]
    [InlineData("png-3-4-alphas")]
    [InlineData("gif-clear")]
    public void EveryPrefixOfAFileIsRefused(string name)
    {
        byte[] whole = Picture(name);
        int length = name.StartsWith("gif", StringComparison.Ordinal) ? whole.Length - 1 : whole.Length; // what ends a GIF says nothing
        for (int cut = 0; cut < length; cut++)
        {
            Assert.Throws<FileFormatException>(() => ImageReader.Decode(whole[..cut], name));
        }
    }

    /// <summary>As in Pillow, whose decoder passes over libjpeg's warnings: a file that is cut short is refused, coded values that are missing between whole markers are not.</summary>
    [Fact]
    public void OfAJpegOnlyCodedValuesMayBeDamaged()
    {
        Assert.SkipUnless(ImageReader.ReadsJpeg, "needs libturbojpeg");
        byte[] whole = Picture("jpg-420");
        RgbImage expected = ImageReader.Decode(whole, "whole.jpg");
        int scan = whole.AsSpan().IndexOf([(byte)0xFF, (byte)0xDA]);
        int middle = (scan + whole.Length) / 2;
        byte[] cut = whole[..middle];
        Assert.Contains("expected the marker that ends the picture", Assert.Throws<FileFormatException>(() => ImageReader.Decode(cut, "cut.jpg")).Message, StringComparison.Ordinal);
        RgbImage part = ImageReader.Decode([.. cut, 0xFF, 0xD9], "part.jpg");
        Assert.Equal((expected.Width, expected.Height), (part.Width, part.Height));
        Assert.NotEqual(expected.Pixels, part.Pixels);
    }

    [Theory]
    [InlineData("jpg-420")]
    [InlineData("jpg-progressive")]
    [InlineData("webp-lossy-alpha")]
    [InlineData("webp-lossless")]
    [InlineData("webp-animated")]
    [InlineData("png-6-8-3x3")]
    [InlineData("gif-clear")]
    public void TheSizeOfTheHeadersIsThatOfThePicture(string name)
    {
        Assert.SkipUnless(!name.StartsWith("jpg", StringComparison.Ordinal) || ImageReader.ReadsJpeg, "needs libturbojpeg");
        Assert.SkipUnless(!name.StartsWith("webp", StringComparison.Ordinal) || ImageReader.ReadsWebp, "needs libwebp");
        byte[] whole = Picture(name);
        RgbImage image = ImageReader.Decode(whole, name);
        Assert.Equal((image.Width, image.Height), ImageReader.Size(whole, name));
        Assert.Contains("pixels", Assert.Throws<FileFormatException>(() => ImageReader.Size(whole, name, new ImageLimits(1 << 20, 1))).Message, StringComparison.Ordinal);
        Assert.Contains("at most 5 bytes", Assert.Throws<FileFormatException>(() => ImageReader.Size(whole, name, new ImageLimits(5))).Message, StringComparison.Ordinal);
        for (int cut = 0; cut < Math.Min(whole.Length, 200); cut++)
        {
            // Cut anywhere, it is a size or an error.
            try
            {
                Assert.Equal((image.Width, image.Height), ImageReader.Size(whole[..cut], name));
            }
            catch (FileFormatException)
            {
            }
        }
    }

    [Theory]
    [InlineData("jpg-420", 0xC0, 5)]
    [InlineData("jpg-progressive", 0xC2, 5)]
    public void AJpegThatClaimsMoreThanItsDataCanHoldIsRefusedBeforeItsPixelsAreAllocated(string name, int marker, int sizeAt)
    {
        byte[] jpeg = Picture(name);
        int frame = jpeg.AsSpan().IndexOf([(byte)0xFF, (byte)marker]);
        BinaryPrimitives.WriteUInt32BigEndian(jpeg.AsSpan(frame + sizeAt), (8000u << 16) | 8000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("jpeg data", Assert.Throws<FileFormatException>(() => ImageReader.Decode(jpeg, "bomb.jpg")).Message);
        BinaryPrimitives.WriteUInt32BigEndian(jpeg.AsSpan(frame + sizeAt), 0xFFFFFFFF);
        Assert.Contains("jpeg size", Assert.Throws<FileFormatException>(() => ImageReader.Decode(jpeg, "huge.jpg")).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
    }

    [Theory]
    [InlineData("png-2-8-plain")]
    [InlineData("gif-plain")]
    [InlineData("jpg-420")]
    [InlineData("webp-lossy")]
    [InlineData("webp-lossless")]
    [InlineData("webp-animated")]
    public void LimitsHoldForEveryFormat(string name)
    {
        byte[] file = Picture(name);
        Assert.Contains("size: expected 1 to 99 pixels", Assert.Throws<FileFormatException>(() => ImageReader.Decode(file, name, new ImageLimits(MaxPixels: 99))).Message);
        Assert.Contains("expected at most 40 bytes", Assert.Throws<FileFormatException>(() => ImageReader.Decode(file, name, new ImageLimits(MaxBytes: 40))).Message);
    }

    [Fact]
    public void FramesWithoutEndAreRefused()
    {
        // A frame of one pixel: its descriptor, codes of one bit (clear, 0, end), the end of its blocks.
        byte[] frame = [0x2C, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 0b00_11_00_10, 0];
        byte[] head = [.. "GIF89a"u8, 1, 0, 1, 0, 0x80, 0, 0, 9, 8, 7, 6, 5, 4];
        byte[] Video(int frames) => [.. head, .. Enumerable.Repeat(frame, frames).SelectMany(f => f)];
        Assert.Equal(10_000, ImageReader.DecodeFrames(Video(10_000), "a.gif", int.MaxValue).Count);
        Assert.Contains("image frames: expected at most 10000", Assert.Throws<FileFormatException>(() => ImageReader.DecodeFrames(Video(10_001), "a.gif", 8)).Message);
        Assert.Equal([9, 8, 7], ImageReader.Decode(Video(10_001), "a.gif").Pixels.Select(v => (int)v));
    }

    [Fact]
    public void AFileIsReadAndWhatIsNoneIsAnErrorThatNamesIt()
    {
        string path = Path.Combine(Path.GetTempPath(), $"puna-{Guid.NewGuid():N}.png");
        Assert.Contains("not found", Assert.Throws<PunaException>(() => ImageReader.Read(path)).Message);
        Assert.Contains("got a folder", Assert.Throws<PunaException>(() => ImageReader.Read(Path.GetTempPath())).Message);
        try
        {
            File.WriteAllBytes(path, Picture("png-6-8-3x3"));
            Assert.Equal(3, ImageReader.Read(path).Width);
            Assert.Contains("at most 10 bytes", Assert.Throws<FileFormatException>(() => ImageReader.Read(path, new ImageLimits(MaxBytes: 10))).Message);
            File.WriteAllText(path, "hello");
            Assert.Contains("expected PNG, GIF, JPEG or WebP", Assert.Throws<FileFormatException>(() => ImageReader.Read(path)).Message);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void AClearShadeOfAPictureOfOneBitIsFollowed()
    {
        // Pillow 13 compares the shade, 0 or 255; older ones compared with 0 or 1.
        byte[] png = Png(3, 1, 1, 0, [1, 0, 1]);
        byte[] clear = [.. png.AsSpan(0, 33), .. Chunk("tRNS"u8, [0, 0]), .. png.AsSpan(33)];
        Assert.Equal([255, 0, 255], ImageReader.Decode(png, "a.png").Pixels.Where((_, i) => i % 3 == 0).Select(v => (int)v));
        Assert.All(ImageReader.Decode(clear, "a.png").Pixels, v => Assert.Equal(255, v));
    }

    [Theory]
    [InlineData("782000000001")] // asks for a dictionary
    [InlineData("780102")] // wrong header
    [InlineData("7801")]
    [InlineData("")]
    public void DataThatIsNoZlibStreamIsRefused(string hex)
    {
        byte[] png = [.. Png(1, 1, 8, 0, [1]).AsSpan(0, 33), .. Chunk("IDAT"u8, Convert.FromHexString(hex)), .. Chunk("IEND"u8, [])];
        Assert.Contains("png data: expected a whole zlib stream", Assert.Throws<FileFormatException>(() => ImageReader.Decode(png, "a.png")).Message);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(1)]
    public void AnIndexBeyondThePaletteIsBlack(int colors)
    {
        byte[] png = Png(4, 1, 2, 3, [0, 1, 2, 3]);
        byte[] palette = [.. Enumerable.Range(1, colors * 3).Select(v => (byte)v)];
        byte[] pixels = ImageReader.Decode([.. png.AsSpan(0, 33), .. Chunk("PLTE"u8, palette), .. png.AsSpan(33)], "a.png").Pixels;
        Assert.Equal([.. palette, .. new byte[12 - palette.Length]], pixels);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 2)]
    [InlineData(0, 4)]
    [InlineData(0, 8)]
    [InlineData(0, 16)]
    [InlineData(2, 8)]
    [InlineData(2, 16)]
    [InlineData(4, 8)]
    [InlineData(4, 16)]
    [InlineData(6, 8)]
    [InlineData(6, 16)]
    public void PngSamplesBecomeColoursOnWhite(int color, int depth)
    {
        (int width, int height) = (5, 3);
        int channels = color switch { 0 => 1, 2 => 3, 4 => 2, _ => 4 };
        int most = (1 << depth) - 1;
        int[] samples = [.. Enumerable.Range(0, width * height * channels).Select(i => (i * 7919 + 13) % (most + 1))];
        RgbImage image = ImageReader.Decode(Png(width, height, depth, color, samples), "a.png");
        for (int p = 0; p < width * height; p++)
        {
            // A grey of 16 bits is clipped instead, as Pillow does.
            int Eight(int channel) => depth == 16 && color == 0 ? Math.Min(samples[p], 255) : depth == 16 ? samples[(p * channels) + channel] >> 8 : samples[(p * channels) + channel] * 255 / most;
            int alpha = color is 4 or 6 ? Eight(channels - 1) : 255;
            for (int c = 0; c < 3; c++)
            {
                int value = Eight(channels < 3 ? 0 : c);
                Assert.Equal((byte)Math.Round(((value * alpha) + (255.0 * (255 - alpha))) / 255), image.Pixels[(3 * p) + c]);
            }
        }
    }

    [Fact]
    public void APngThatClaimsMoreThanItsDataCanHoldIsRefusedBeforeItsPixelsAreAllocated()
    {
        byte[] png = Png(1, 1, 8, 2, [1, 2, 3], (8000, 8000));
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("png data", Assert.Throws<FileFormatException>(() => ImageReader.Decode(png, "bomb.png")).Message);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);
        Assert.Contains("png size", Assert.Throws<FileFormatException>(() => ImageReader.Decode(Png(1, 1, 8, 2, [1, 2, 3], (1 << 30, 1 << 30)), "huge.png")).Message);
    }

    [Fact]
    public void DecodedPhotographsAreThoseOfTheReference()
    {
        Assert.SkipUnless(ImageReader.ReadsJpeg, "needs libturbojpeg");
        using var golden = Puna.Formats.Safetensors.SafetensorsFile.Open(TestFiles.Golden("images", "io.safetensors"));
        foreach (string name in (string[])["dog.jpg", "pasta.jpeg"])
        {
            RgbImage image = ImageReader.Read(TestFiles.Asset("images", name));
            Tensor rows = golden.GetTensor(name + ".decoded_rgb_rows_0_50_last");
            ReadOnlySpan<byte> expected = rows.Storage.Span<byte>(rows.Offset, (int)rows.Shape.Count);
            int stride = image.Width * 3;
            int[] at = [0, 50, image.Height - 1];
            for (int i = 0; i < 3; i++)
            {
                for (int k = 0; k < stride; k++)
                {
                    // Two builds of the same transform may round differently by one.
                    Assert.InRange(image.Pixels[(at[i] * stride) + k], expected[(i * stride) + k] - 1, expected[(i * stride) + k] + 1);
                }
            }
        }
    }

    private static byte[] Picture(string name)
    {
        using var file = Puna.Formats.Safetensors.SafetensorsFile.Open(TestFiles.Fixture("images", "pillow.safetensors"));
        Tensor tensor = file.GetTensor(name + ".file");
        return tensor.Storage.Span<byte>(tensor.Offset, (int)tensor.Shape.Count).ToArray();
    }

    private static byte[] Png(int width, int height, int depth, int color, int[] samples, (int Width, int Height)? claimed = null)
    {
        var raw = new MemoryStream();
        int perRow = samples.Length / height;
        for (int y = 0; y < height; y++)
        {
            raw.WriteByte(0);
            int bits = 0, held = 0;
            for (int i = 0; i < perRow; i++)
            {
                (bits, held) = ((bits << depth) | samples[(y * perRow) + i], held + depth);
                for (; held >= 8; held -= 8)
                {
                    raw.WriteByte((byte)(bits >> (held - 8)));
                }
            }

            if (held > 0)
            {
                raw.WriteByte((byte)(bits << (8 - held)));
            }
        }

        var data = new MemoryStream();
        using (var zlib = new ZLibStream(data, CompressionLevel.Optimal, leaveOpen: true))
        {
            zlib.Write(raw.ToArray());
        }

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, claimed?.Width ?? width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), claimed?.Height ?? height);
        (header[8], header[9]) = ((byte)depth, (byte)color);
        return [0x89, .. "PNG"u8, 13, 10, 26, 10, .. Chunk("IHDR"u8, header), .. Chunk("IDAT"u8, data.ToArray()), .. Chunk("IEND"u8, [])];
    }

    private static byte[] Chunk(ReadOnlySpan<byte> type, byte[] data)
    {
        byte[] body = [.. type, .. data];
        var ends = new byte[8];
        BinaryPrimitives.WriteInt32BigEndian(ends, data.Length);
        BinaryPrimitives.WriteUInt32BigEndian(ends.AsSpan(4), Crc32.Append(0, body));
        return [.. ends.AsSpan(0, 4), .. body, .. ends.AsSpan(4)];
    }
}
