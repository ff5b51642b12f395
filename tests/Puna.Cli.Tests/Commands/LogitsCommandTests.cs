using Puna.Formats.Npy;
using Puna.Formats.Safetensors;
using Puna.Hub.Tests;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

public class LogitsCommandTests
{
    // The tolerance of the goldens: a float64 implementation is within 2e-6, common mistakes begin at 4e-5.
    private const float Tolerance = 2e-5f;

    [Theory]
    [InlineData("llama2-gqa")]
    [InlineData("llama31-scaled")]
    [InlineData("llama32-tied")]
    public void AgreesWithTheReference(string model)
    {
        using var folder = new TempFolder();
        string path = TestFiles.Fixture("goldens", model);
        string golden = Path.Combine(path, "io.safetensors");
        string output = folder.File("logits.npy");
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("logits", "--model", path, "--inputs", golden, "--out", output));
        float[] expected = TestModels.ReadFloats(golden, "logits");
        float[] actual = Read(output, out long rows);
        int[] ids = TestModels.ReadIds(golden, "input_ids");
        Assert.Equal((ids.Length, expected.Length), (rows, actual.Length));
        Assert.All(expected.Zip(actual), static pair => Assert.True(Math.Abs(pair.First - pair.Second) <= Tolerance, $"{pair.First} {pair.Second}"));

        // The same ids on the command line give the same bits.
        string again = folder.File("again.npy");
        Assert.Equal(0, CliRun.Of("logits", "--model", path, "--tokens", string.Join(',', ids), "--out", again, "--threads", "1", "--no-mmap").Code);
        Assert.Equal(File.ReadAllBytes(output), File.ReadAllBytes(again));
    }

    [Fact]
    public void AgreesWithTheReferenceOnPictures()
    {
        using var folder = new TempFolder();
        string path = TestFiles.GoldenModel("llama4-vision"), golden = TestFiles.Golden("llama4-vision", "io.safetensors"), output = folder.File("logits.npy");
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("logits", "--model", path, "--inputs", golden, "--out", output));
        float[] expected = TestModels.ReadFloats(golden, "logits");
        Assert.All(expected.Zip(Read(output, out _)), static pair => Assert.True(Math.Abs(pair.First - pair.Second) <= Tolerance, $"{pair.First} {pair.Second}"));

        // Without pixels the patch tokens are tokens like others, and pixels for another number of them are refused.
        int[] ids = TestModels.ReadIds(golden, "input_ids");
        Assert.Equal(0, CliRun.Of("logits", "--model", path, "--tokens", string.Join(',', ids), "--out", folder.File("text.npy")).Code);
        Assert.NotEqual(File.ReadAllBytes(output), File.ReadAllBytes(folder.File("text.npy")));
        string fewer = folder.File("fewer.safetensors");
        using (SafetensorsFile io = SafetensorsFile.Open(golden))
        using (var writer = new SafetensorsWriter(fewer))
        {
            Tensor pixels = io.GetTensor("pixel_values");
            writer.Declare("input_ids", DType.I64, new Shape(ids.Length));
            writer.Declare("pixel_values", DType.F32, new Shape(1, 3, 56, 56));
            writer.Begin();
            writer.WriteTensor(io.GetTensor("input_ids"));
            writer.WriteTensor(pixels.Slice(0, 3 * 56));
            writer.Complete();
        }

        CliRun.Of("logits", "--model", path, "--inputs", fewer, "--out", folder.File("no.npy")).AssertRefused("tokens: expected 4 of the patch token 312 for 1 tiles, got 8");
        Assert.False(File.Exists(folder.File("no.npy")));
    }

    [Fact]
    public void GivesAClassifiersScore()
    {
        using var folder = new TempFolder();
        string path = TestFiles.Golden("reward-model");
        string golden = Path.Combine(path, "io.safetensors");
        Assert.Equal(0, CliRun.Of("logits", "--model", path, "--inputs", golden, "--out", folder.File("l.npy")).Code);
        float[] actual = Read(folder.File("l.npy"), out long rows);
        Assert.Equal(1, rows);
        Assert.Equal(TestModels.ReadFloats(golden, "score")[0], Assert.Single(actual), Tolerance);
    }

    [Theory]
    [InlineData("short")]
    [InlineData("long")]
    public void GivesPromptGuardsLogits(string text)
    {
        using var folder = new TempFolder();
        string path = TestFiles.Fixture("goldens", "prompt-guard");
        string golden = Path.Combine(path, "io.safetensors"), output = folder.File("l.npy");
        int[] ids = TestModels.ReadIds(golden, text + ".input_ids");
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("logits", "--model", path, "--tokens", string.Join(',', ids), "--out", output));
        float[] expected = TestModels.ReadFloats(golden, text + ".logits"), actual = Read(output, out long rows);
        Assert.Equal((1, 2), (rows, actual.Length));
        Assert.All(expected.Zip(actual), static pair => Assert.Equal(pair.First, pair.Second, Tolerance));
        CliRun.Of("logits", "--model", path, "--tokens", "1,2", "--adapter", path, "--out", output).AssertRefused("option --adapter has no meaning with a Prompt Guard");
        CliRun.Of("logits", "--model", path, "--tokens", "1,400,2", "--out", output).AssertRefused("token 2: expected an id from 0 to 399, got 400");
    }

    [Fact]
    public void RefusesWhatItCannotDo()
    {
        using var folder = new TempFolder();
        string output = folder.File("l.npy");
        CliRun.Of("logits", "--tokens", "1").AssertRefused("option --out is missing");
        CliRun.Of("logits", "--out", output).AssertRefused("logits: expected --tokens or --inputs, got neither");
        CliRun.Of("logits", "--out", output, "--tokens", "1", "--inputs", "f").AssertRefused("options --tokens and --inputs exclude each other");
        CliRun.Of("logits", "--out", output, "--tokens", "1,9999").AssertRefused("token 2: expected an id from 0 to 2559, got 9999");
        CliRun.Of("logits", "--out", output, "--tokens", string.Join(',', Enumerable.Repeat(1, 513))).AssertRefused("tokens: expected at most the context of 512, got 513");
        CliRun.Of("logits", "--out", output, "--inputs", folder.File("none")).AssertRefused($"file {folder.File("none")}: not found");
        string weights = Path.Combine(TestModels.Random, "model.safetensors");
        CliRun.Of("logits", "--out", output, "--inputs", weights).AssertRefused($"tensor input_ids: expected in the file, got none ({weights})");
        string missing = folder.File("none", "l.npy");
        CliRun.Of("logits", "--out", missing, "--tokens", "1").AssertRefused($"file {missing}: cannot be written: its folder does not exist");
        Assert.Empty(folder.Files());
    }

    private static float[] Read(string path, out long rows)
    {
        using NpyFile file = NpyFile.Open(path);
        rows = file.Values.Rows;
        return [.. Enumerable.Range(0, (int)rows).SelectMany(row => file.Values.Row<float>(row).ToArray())];
    }
}
