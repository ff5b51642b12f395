using Puna.Formats.Images;
using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Images;

/// <summary>Small pictures of every kind against what Pillow makes of them (tests/fixtures/images/make_pillow.py).</summary>
public class PillowTests
{
    public static TheoryData<string> Names
    {
        get
        {
            using SafetensorsFile file = Open();
            return [.. file.Tensors.Select(t => t.Name).Where(n => n.EndsWith(".rgb", StringComparison.Ordinal)).Select(n => n[..^4])];
        }
    }

    public static TheoryData<string> Videos
    {
        get
        {
            using SafetensorsFile file = Open();
            return [.. file.Tensors.Select(t => t.Name).Where(n => n.EndsWith(".frames", StringComparison.Ordinal)).Select(n => n[..^7])];
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void APictureIsWhatPillowMakesOfIt(string name)
    {
        Assert.SkipUnless(!name.StartsWith("jpg", StringComparison.Ordinal) || ImageReader.ReadsJpeg, "needs libturbojpeg");
        Assert.SkipUnless(!name.StartsWith("webp", StringComparison.Ordinal) || ImageReader.ReadsWebp, "needs libwebp");
        using SafetensorsFile file = Open();
        RgbImage image = ImageReader.Decode(Bytes(file, name + ".file"), name);
        Shape shape = file.GetTensor(name + ".rgb").Shape;
        Assert.Equal((shape[0], shape[1]), (image.Height, image.Width));
        byte[] expected = Bytes(file, name + ".rgb");
        // Lossless formats are exact. Other builds of the JPEG and WebP libraries may round a step differently; with the build that Pillow used the result is exact.
        int tolerance = name.StartsWith("jpg", StringComparison.Ordinal) || (name.StartsWith("webp", StringComparison.Ordinal) && !name.Contains("lossless", StringComparison.Ordinal)) ? 1 : 0;
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.True(Math.Abs(expected[i] - image.Pixels[i]) <= tolerance, $"byte {i} (pixel {i / 3 % image.Width}, {i / 3 / image.Width}): expected {expected[i]}, got {image.Pixels[i]}");
        }
    }

    [Theory]
    [MemberData(nameof(Videos))]
    public void FramesAreWhatPillowShows(string name)
    {
        Assert.SkipUnless(!name.StartsWith("webp", StringComparison.Ordinal) || ImageReader.ReadsWebp, "needs libwebp");
        using SafetensorsFile file = Open();
        byte[] bytes = Bytes(file, name + ".file"), expected = Bytes(file, name + ".frames");
        int count = (int)file.GetTensor(name + ".frames").Shape[0], length = expected.Length / count;
        IReadOnlyList<RgbImage> frames = ImageReader.DecodeFrames(bytes, name, 100);
        Assert.Equal(count, frames.Count);
        int tolerance = name.StartsWith("webp", StringComparison.Ordinal) && !name.Contains("lossless", StringComparison.Ordinal) ? 1 : 0; // as above
        for (int n = 0; n < count; n++)
        {
            for (int i = 0; i < length; i++)
            {
                int want = expected[(n * length) + i], got = frames[n].Pixels[i];
                Assert.True(Math.Abs(want - got) <= tolerance, $"frame {n}, pixel {i / 3 % frames[n].Width}, {i / 3 / frames[n].Width}: expected {want}, got {got}");
            }
        }

        Assert.Equal(frames[0].Pixels, Assert.Single(ImageReader.DecodeFrames(bytes, name, 1)).Pixels);
        Assert.Equal([frames[0].Pixels, frames[^1].Pixels], ImageReader.DecodeFrames(bytes, name, 2).Select(f => f.Pixels));
        if (count == 6)
        {
            Assert.Equal([frames[0].Pixels, frames[2].Pixels, frames[3].Pixels, frames[5].Pixels], ImageReader.DecodeFrames(bytes, name, 4).Select(f => f.Pixels));
        }

        var limits = new ImageLimits(MaxPixels: (frames[0].Width * frames[0].Height * 2) - 1);
        Assert.Contains("image frames: expected at most", Assert.Throws<FileFormatException>(() => ImageReader.DecodeFrames(bytes, name, 2, limits)).Message);
    }

    [Fact]
    public void AStillPictureHasOneFrame()
    {
        using SafetensorsFile file = Open();
        foreach (string name in (string[])["png-2-8-plain", "gif-plain"])
        {
            byte[] bytes = Bytes(file, name + ".file");
            Assert.Equal(ImageReader.Decode(bytes, name).Pixels, Assert.Single(ImageReader.DecodeFrames(bytes, name, 8)).Pixels);
        }
    }

    [Fact]
    public void EveryKindIsThere()
    {
        string[] names = [.. Names.Select(row => row.Data)];
        Assert.Equal(30, names.Count(n => n.StartsWith("png", StringComparison.Ordinal) && (n.EndsWith("plain", StringComparison.Ordinal) || n.EndsWith("adam7", StringComparison.Ordinal))));
        Assert.Contains("gif-interlaced", names);
        Assert.Contains("jpg-cmyk-unmarked", names);
        Assert.Contains("webp-animated-inside-alpha", names);
    }

    private static SafetensorsFile Open() => SafetensorsFile.Open(TestFiles.Fixture("images", "pillow.safetensors"));

    private static byte[] Bytes(SafetensorsFile file, string name)
    {
        Tensor tensor = file.GetTensor(name);
        return tensor.Storage.Span<byte>(tensor.Offset, (int)tensor.Shape.Count).ToArray();
    }
}
