using Puna.Formats.Npy;
using Puna.Formats.Safetensors;
using Puna.Hub.Tests;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary>A Llama 3.2 Vision on the command line.</summary>
public class VisionCommandTests
{
    // The tolerance of the goldens: a float64 implementation is within 2e-6, common mistakes begin at 4e-5.
    private const float Tolerance = 2e-5f;

    private static string Model => TestFiles.GoldenModel("llama32-vision");

    private static string Golden => TestFiles.Golden("llama32-vision", "io.safetensors");

    [Fact]
    public void LogitsOfARecordedTestAreThoseOfTheReference()
    {
        using var folder = new TempFolder();
        string output = folder.File("l.npy"), text = folder.File("t.npy");
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("logits", "--model", Model, "--inputs", Golden, "--out", output));
        Near(TestModels.ReadFloats(Golden, "logits"), output);

        // Text alone.
        string ids = string.Join(',', TestModels.ReadIds(Golden, "text_only_ids"));
        Assert.Equal(0, CliRun.Of("logits", "--model", Model, "--tokens", ids, "--out", text).Code);
        Near(TestModels.ReadFloats(Golden, "text_only_logits"), text);

        // Masks may be left out where the text has image tokens, and the empty slot as well; a batch of one is the same.
        string one = folder.File("one.safetensors"), other = folder.File("other.safetensors");
        int[] tokens = TestModels.ReadIds(Golden, "input_ids");
        tokens[2] = 320;
        float[] pixels = TestModels.ReadFloats(Golden, "pixel_values");
        Write(one, ("input_ids", [1, 24], Longs(tokens)), ("pixel_values", [1, 1, 4, 3, 28, 28], pixels), ("aspect_ratio_ids", [1, 1], Longs(3)), ("aspect_ratio_mask", [1, 1, 4], Longs(1, 1, 1, 0)),
            ("cross_attention_mask", [1, 24, 1, 4], Longs([.. Enumerable.Range(0, 96).Select(static i => i >= 8 && i % 4 < 3 ? 1 : 0)])));
        Write(other, ("input_ids", [24], Longs(tokens)), ("pixel_values", [1, 3, 3, 28, 28], pixels[..^(3 * 28 * 28)]), ("aspect_ratio_ids", [1], Longs(3)));
        Assert.Equal(0, CliRun.Of("logits", "--model", Model, "--inputs", one, "--out", output).Code);
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("logits", "--model", Model, "--inputs", other, "--out", text));
        Assert.Equal(File.ReadAllBytes(output), File.ReadAllBytes(text));
    }

    [Fact]
    public void InputsThatDoNotFitAreRefused()
    {
        using var folder = new TempFolder();
        string file = folder.File("in.safetensors"), output = folder.File("l.npy");
        (string, long[], object) ids = ("input_ids", [2], Longs(1, 2)), pixels = ("pixel_values", [1, 4, 3, 28, 28], new float[4 * 3 * 28 * 28]), ratios = ("aspect_ratio_ids", [1], Longs(3));
        Refused("tensor aspect_ratio_ids: expected beside pixel_values, got none", ids, pixels);
        Refused("tensor aspect_ratio_ids: expected 0 to 8, got 9", ids, pixels, ("aspect_ratio_ids", [1], Longs(9)));
        Refused("tensor aspect_ratio_ids: expected [1], got [2]", ids, pixels, ("aspect_ratio_ids", [2], Longs(3, 3)));
        Refused("tensor pixel_values: expected [images, 1 to 4, 3, 28, 28], got [1, 4, 3, 28, 27]", ids, ("pixel_values", [1, 4, 3, 28, 27], new float[4 * 3 * 28 * 27]), ratios);
        Refused("images: expected one for each of the 0 image tokens of the prompt, got 1", ids, pixels, ratios);
        Refused("tensor cross_attention_mask: expected [2, 1, 4], got [3, 1, 4]", ids, pixels, ratios, ("cross_attention_mask", [3, 1, 4], new float[12]));
        Refused("cross-attention mask of token 0: expected 0 or 1, got 2", ids, pixels, ratios, ("cross_attention_mask", [2, 1, 4], new float[] { 2, 0, 0, 0, 0, 0, 0, 0 }));
        Refused($"tensor cross_attention_mask[1]: expected a whole number, got 0.5 ({file})", ids, pixels, ratios, ("cross_attention_mask", [2, 1, 4], new float[] { 1, 0.5f, 0, 0, 0, 0, 0, 0 }));
        Refused("image: expected a mask of 4 tile slots with a tile in it, got [0, 0, 0, 0]", ids, pixels, ratios, ("aspect_ratio_mask", [1, 4], Longs(0, 0, 0, 0)));
        Refused("tensor aspect_ratio_mask[2]: expected 0 or 1, got 2", ids, pixels, ratios, ("aspect_ratio_mask", [1, 4], Longs(1, 1, 2, 0)));
        Refused("tensor aspect_ratio_mask[0]: expected 0 or 1, got -1", ids, pixels, ratios, ("aspect_ratio_mask", [1, 4], Longs(-1, 1, 1, 0)));
        foreach ((float bad, string shown) in ((float, string)[])[(float.NaN, "NaN"), (float.PositiveInfinity, "Infinity"), (float.NegativeInfinity, "-Infinity")])
        {
            var values = new float[4 * 3 * 28 * 28];
            values[77] = bad;
            Refused($"tensor pixel_values[77]: expected a finite number, got {shown} ({file})", ids, ("pixel_values", [1, 4, 3, 28, 28], values), ratios);
        }

        CliRun.Of("logits", "--model", Model, "--tokens", "1,328", "--out", output).AssertRefused("token 2: expected an id from 0 to 327, got 328");
        Assert.Equal(["in.safetensors"], folder.Files());

        void Refused(string message, params (string, long[], object)[] tensors)
        {
            Write(file, tensors);
            CliRun.Of("logits", "--model", Model, "--inputs", file, "--out", output).AssertRefused(message);
        }
    }

    [Fact]
    public void InspectSaysWhatItSeesWith()
    {
        CliRun run = CliRun.Of("inspect", Model);
        Assert.Equal(0, run.Code);
        Assert.Contains("6 and 2 blocks of width 32, 4 tiles of 28 x 28 pixels in patches of 7; 2 more layers look at images", run.Out, StringComparison.Ordinal);
        Assert.Contains("409,419", run.Out, StringComparison.Ordinal);
        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(CliRun.Of("inspect", Model, "--json").Out);
        System.Text.Json.JsonElement vision = json.RootElement.GetProperty("config").GetProperty("vision");
        Assert.Equal((320, 2, 28), (vision.GetProperty("image_token").GetInt32(), vision.GetProperty("cross_attention_layers").GetInt32(), vision.GetProperty("image_size").GetInt32()));
    }

    private static void Near(float[] expected, string file)
    {
        using NpyFile npy = NpyFile.Open(file);
        float[] actual = [.. Enumerable.Range(0, (int)npy.Values.Rows).SelectMany(row => npy.Values.Row<float>(row).ToArray())];
        Assert.Equal(expected.Length, actual.Length);
        Assert.All(expected.Zip(actual), static pair => Assert.True(Math.Abs(pair.First - pair.Second) <= Tolerance, $"{pair.First} {pair.Second}"));
    }

    private static long[] Longs(params int[] values) => Array.ConvertAll(values, static x => (long)x);

    private static void Write(string path, params (string Name, long[] Shape, object Values)[] tensors)
    {
        using var writer = new SafetensorsWriter(path);
        foreach ((string name, long[] shape, object values) in tensors)
        {
            writer.Declare(name, values is long[] ? DType.I64 : DType.F32, new Shape(shape));
        }

        writer.Begin();
        foreach ((_, _, object values) in tensors)
        {
            writer.Write(values is long[] whole ? System.Runtime.InteropServices.MemoryMarshal.AsBytes<long>(whole) : System.Runtime.InteropServices.MemoryMarshal.AsBytes<float>((float[])values));
        }

        writer.Complete();
    }
}
