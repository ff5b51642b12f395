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
