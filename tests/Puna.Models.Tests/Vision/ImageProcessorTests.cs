using System.Text.Json;
using Puna.Formats.Images;
using Puna.Formats.Safetensors;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Vision;

/// <summary>Against what the published processors make of the same pictures.</summary>
public class ImageProcessorTests
{
    private static readonly string[] _pictures = ["landscape", "wide", "tall", "square", "tiny", "panorama", "rgba", "grey", "palette"];

    public static TheoryData<string, string> Pictures
    {
        get
        {
            var data = new TheoryData<string, string>();
            foreach (string picture in _pictures)
            {
                data.Add(picture, "mllama");
                data.Add(picture, "llama4");
                data.Add(picture, "llama4-max-canvas");
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Pictures))]
    public void TilesAreThoseOfTheReference(string picture, string processor)
    {
        ImageProcessor steps = ImageProcessorConfig.Read(TestFiles.Golden("images", processor + ".preprocessor_config.json"));
        TiledImage tiled = steps.Process(ImageReader.Read(TestFiles.Golden("images", picture + ".png")));
        using SafetensorsFile golden = SafetensorsFile.Open(TestFiles.Golden("images", "io.safetensors"));
        float[] expected = golden.Floats($"{picture}.{processor}.pixel_values");
        int used = 3 * 28 * 28 * tiled.Tiles;
        if (processor == "mllama")
        {
            // The reference pads to four slots, whose rest is zero; float32 and float64 arithmetic differ by less than 1e-6 for values up to 2.2.
            Assert.All(expected[used..], v => Assert.Equal(0, v));
            Assert.InRange(GoldenIo.MaxDifference(expected.AsSpan(0, used), tiled.Pixels), 0, 1e-6);
        }
        else
        {
            Assert.Equal(expected, tiled.Pixels);
        }

        using JsonDocument meta = JsonDocument.Parse(File.ReadAllText(TestFiles.Golden("images", "meta.json")));
        JsonElement facts = meta.RootElement.GetProperty(picture).GetProperty(processor);
        if (processor == "mllama")
        {
            Assert.Equal(facts.GetProperty("aspect_ratio_id").GetInt32(), tiled.Grid.AspectRatioId(4));
            Assert.Equal(facts.GetProperty("num_tiles").GetInt32(), tiled.Tiles);
        }
        else
        {
            Assert.Equal([tiled.Grid.Rows, tiled.Grid.Columns], facts.GetProperty("aspect_ratio").EnumerateArray().Select(e => e.GetInt32()));
            Assert.Equal([tiled.Tiles, 3, 28, 28], facts.GetProperty("tiles").EnumerateArray().Select(e => e.GetInt32()));
        }
    }

    [Theory]
    [InlineData("dog.jpg")]
    [InlineData("pasta.jpeg")]
    public void PhotographsAreThoseOfTheReference(string name)
    {
        Assert.SkipUnless(ImageReader.ReadsJpeg, "needs libturbojpeg");
        RgbImage image = ImageReader.Read(TestFiles.Asset("images", name));
        using SafetensorsFile golden = SafetensorsFile.Open(TestFiles.Golden("images", "io.safetensors"));

        // Decoders of other builds differ by one of 255 here and there, so that is the tolerance: divided by the deviation, and in bfloat16 one 8-bit step.
        Compare(golden.Floats(name + ".mllama-560.every_37th_row_and_column"), ImageProcessor.Llama32().Process(image), 560, 1 / 255.0 / 0.26);
        Compare(golden.Floats(name + ".llama4-336.every_37th_row_and_column"), ImageProcessor.Llama4().Process(image), 336, 0.0118);
    }

    private static void Compare(float[] expected, TiledImage tiled, int side, double tolerance)
    {
        int at = 0;
        for (int t = 0; t < tiled.Tiles * 3; t++)
        {
            for (int y = 0; y < side; y += 37)
            {
                for (int x = 0; x < side; x += 37, at++)
                {
                    Assert.InRange(tiled.Pixels[(((t * side) + y) * side) + x], expected[at] - tolerance, expected[at] + tolerance);
                }
            }
        }

        Assert.All(expected[at..], v => Assert.Equal(0, v)); // slots that are not used
    }

    [Fact]
    public void WhatThePictureDoesNotReachIsBlackBeforeNormalising()
    {
        var white = new byte[2 * 8 * 3];
        white.AsSpan().Fill(255);
        TiledImage tiled = ImageProcessor.Llama32(4).Process(new RgbImage(8, 2, white));
        Assert.Equal((1, 2, 2), (tiled.Grid.Rows, tiled.Grid.Columns, tiled.Tiles));
        for (int c = 0; c < 3; c++)
        {
            // Spec llama1-3.md 4.1: the values of padding.
            Assert.Equal((float)new[] { -1.79226253, -1.75209713, -1.48021977 }[c], tiled.Pixels[(c * 16) + 12], 1e-6);
            Assert.NotEqual(tiled.Pixels[(c * 16) + 12], tiled.Pixels[c * 16]);
        }
    }
}
