using Puna.Formats.Npy;
using Puna.Hub.Tests;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public class PreprocessCommandTests
{
    private static readonly byte[] _pixel = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC");

    [Theory]
    [InlineData("mllama", 4, 1e-6f)]
    [InlineData("llama4", 13, 0)]
    [InlineData("llama4-max-canvas", 16, 0)]
    public void AgreesWithTheReference(string processor, int tiles, float tolerance)
    {
        using var folder = new TempFolder();
        string output = folder.File("tiles.npy");
        string config = TestFiles.Golden("images", processor + ".preprocessor_config.json");
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("preprocess", "--model", config, "--image", TestFiles.Golden("images", "landscape.png"), "--out", output));
        float[] expected = TestModels.ReadFloats(TestFiles.Golden("images", "io.safetensors"), $"landscape.{processor}.pixel_values");
        using NpyFile file = NpyFile.Open(output);
        Assert.Equal(new Shape(tiles, 3, 28, 28), file.Values.Shape);
        float[] actual = file.ToFloats();
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }

    [Theory]
    [InlineData("preprocessor_config.json", """{"image_processor_type": "Llama4ImageProcessorFast", "size": {"height": 8, "width": 8}}""")]
    [InlineData("params.json", """{"vision_args": {"image_size": {"height": 8, "width": 8}}}""")]
    public void AModelsFolderIsEnough(string name, string json)
    {
        using var folder = new TempFolder();
        File.WriteAllText(folder.File(name), json);
        string image = folder.File("a.png"), output = folder.File("tiles.npy");
        File.WriteAllBytes(image, _pixel);
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("preprocess", "--model", folder.Path, "--image", image, "--out", output));
        using NpyFile file = NpyFile.Open(output);
        Assert.Equal(new Shape(1, 3, 8, 8), file.Values.Shape);
        float[] values = file.ToFloats();
        Assert.All(values[..64], v => Assert.Equal(1, v)); // the pixel is pure red
        Assert.All(values[64..], v => Assert.Equal(-1, v));
    }

    [Fact]
    public void RefusesWhatItCannotDo()
    {
        using var folder = new TempFolder();
        string config = folder.File("preprocessor_config.json"), image = folder.File("a.png"), output = folder.File("t.npy");
        CliRun.Of("preprocess", "--image", image, "--out", output).AssertRefused("option --model is missing");
        CliRun.Of("preprocess", "--model", config, "--out", output).AssertRefused("option --image is missing");
        CliRun.Of("preprocess", "--model", config, "--image", image).AssertRefused("option --out is missing");
        CliRun.Of("preprocess", "--model", config, "--image", image, "--out", output).AssertRefused($"model {config}: not found");
        CliRun.Of("preprocess", "--model", "puna-tiny", "--image", image, "--out", output).AssertRefused("model puna-tiny: expected one that sees pictures, got a text model");
        CliRun.Of("preprocess", "--model", folder.Path, "--image", image, "--out", output)
            .AssertRefused($"model {folder.Path}: expected a preprocessor_config.json with it, or a params.json of a vision model, got none");
        File.WriteAllText(config, """{"image_processor_type": "Llama4ImageProcessorFast", "size": {"height": 8, "width": 8}}""");
        CliRun.Of("preprocess", "--model", config, "--image", image, "--out", output).AssertRefused($"file {image}: not found");
        File.WriteAllBytes(image, _pixel[..50]);
        CliRun.Of("preprocess", "--model", config, "--image", image, "--out", output).AssertRefused($"png chunk length: expected at most 5, got 12 ({image} at byte 33)");
        File.WriteAllBytes(image, _pixel);
        string missing = folder.File("none", "t.npy");
        CliRun.Of("preprocess", "--model", config, "--image", image, "--out", missing).AssertRefused($"file {missing}: cannot be written: its folder does not exist");
        File.WriteAllText(config, "{}");
        Assert.Equal(2, CliRun.Of("preprocess", "--model", config, "--image", image, "--out", output).Code);
        Assert.False(File.Exists(output));
    }
}
