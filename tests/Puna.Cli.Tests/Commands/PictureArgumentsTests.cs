using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Puna.Formats.Images;
using Puna.Formats.Npy;
using Puna.Formats.Safetensors;
using Puna.Hub.Tests;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Cli.Tests.Commands;

/// <summary>Pictures from files, shown to models by <c>logits</c> and <c>run</c>.</summary>
public class PictureArgumentsTests
{
    // That of the models' goldens: the tiles differ in their last bits.
    private const float Tolerance = 2e-5f;

    private static string Model => TestFiles.GoldenModel("llama32-vision");

    // Our decoding and tiling against the reference's tiles, through the same model.
    [Theory]
    [InlineData("1,320,5,9,17", "landscape")]
    [InlineData("1,320,320,5,9", "landscape", "tiny")]
    [InlineData("1,7,320,5,320,9,17", "rgba", "palette")]
    public void PicturesGiveWhatTheirTilesGive(string tokens, params string[] pictures)
    {
        using var folder = new TempFolder();
        string model = Model;
        string fromFiles = folder.File("a.npy"), fromTiles = folder.File("b.npy"), inputs = folder.File("inputs.safetensors");
        string[] images = [.. pictures.SelectMany(name => new[] { "--image", TestFiles.Golden("images", name + ".png") })];
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of(["logits", "--model", model, "--tokens", tokens, .. images, "--out", fromFiles]));

        using JsonDocument meta = JsonDocument.Parse(File.ReadAllText(TestFiles.Golden("images", "meta.json")));
        long[] ids = [.. tokens.Split(',').Select(long.Parse)];
        long[] ratios = [.. pictures.Select(name => meta.RootElement.GetProperty(name).GetProperty("mllama").GetProperty("aspect_ratio_id").GetInt64())];
        float[] tiles = [.. pictures.SelectMany(name => TestModels.ReadFloats(TestFiles.Golden("images", "io.safetensors"), name + ".mllama.pixel_values"))];
        using (var writer = new SafetensorsWriter(inputs))
        {
            writer.Declare("input_ids", DType.I64, new Shape(ids.Length));
            writer.Declare("aspect_ratio_ids", DType.I64, new Shape(ratios.Length));
            writer.Declare("pixel_values", DType.F32, new Shape(pictures.Length, 4, 3, 28, 28));
            writer.Begin();
            while (writer.Current is { } tensor)
            {
                writer.Write(tensor.Name == "input_ids" ? MemoryMarshal.AsBytes(ids.AsSpan()) : tensor.Name == "aspect_ratio_ids" ? MemoryMarshal.AsBytes(ratios.AsSpan()) : MemoryMarshal.AsBytes(tiles.AsSpan()));
            }

            writer.Complete();
        }

        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("logits", "--model", model, "--inputs", inputs, "--out", fromTiles));
        float[] expected = Read(fromTiles, out long rows), actual = Read(fromFiles, out long sameRows);
        Assert.Equal((ids.Length, ids.Length, expected.Length), (rows, sameRows, actual.Length));
        Assert.All(expected.Zip(actual), static pair => Assert.Equal(pair.First, pair.Second, Tolerance));
        // They are seen: without them the last token's logits are others.
        string blind = folder.File("c.npy");
        Assert.Equal(0, CliRun.Of("logits", "--model", model, "--tokens", tokens, "--out", blind).Code);
        Assert.Contains(expected[^320..].Zip(Read(blind, out _)[^320..]), static pair => Math.Abs(pair.First - pair.Second) > 100 * Tolerance);
    }

    [Fact]
    public void RefusesPicturesThatNobodySees()
    {
        using var folder = new TempFolder();
        string output = folder.File("l.npy"), image = TestFiles.Golden("images", "tiny.png"), model = Model;
        CliRun.Of("logits", "--out", output, "--tokens", "1", "--image", image).AssertRefused("option --image: expected a model that sees, got puna-tiny");
        CliRun.Of("logits", "--out", output, "--tokens", "1", "--frames", "2").AssertRefused("option --frames: expected --image with it, got none");
        CliRun.Of("logits", "--out", output, "--inputs", "f", "--image", image).AssertRefused("options --image and --inputs exclude each other");
        CliRun.Of("logits", "--out", output, "--model", model, "--tokens", "1,320", "--image", image, "--image", image)
            .AssertRefused("images: expected one for each of the 1 image tokens of the prompt, got 2");
        CliRun.Of("logits", "--out", output, "--model", model, "--tokens", "1,320", "--image", folder.File("none.png")).AssertRefused($"file {folder.File("none.png")}: not found");
        string video = folder.File("video.gif");
        File.WriteAllBytes(video, TestModels.ReadBytes(TestFiles.Fixture("images", "pillow.safetensors"), "gif-video-0-clear.file"));
        CliRun.Of("logits", "--out", output, "--model", model, "--tokens", "1,320,320", "--image", video, "--frames", "3")
            .AssertRefused("images: expected one for each of the 2 image tokens of the prompt, got 3");
        Assert.False(File.Exists(output));
        Assert.Equal(0, CliRun.Of("logits", "--out", output, "--model", model, "--tokens", "1,320,320", "--image", video, "--frames", "2").Code);
    }

    // The patch tokens of both tilings, and what the reference's processor makes of the picture.
    [Fact]
    public void Llama4HasAnEmbeddingForEachPatch()
    {
        using var folder = new TempFolder();
        string model = TestFiles.GoldenModel("llama4-vision");
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Combine(model, "config.json")))!;
        int patch = (int)config["image_token_index"]!, side = (int)config["vision_config"]!["image_size"]!, patches = side / (int)config["vision_config"]!["patch_size"]!;
        int perTile = (int)(patches * patches * Math.Pow((double)config["vision_config"]!["pixel_shuffle_ratio"]!, 2));
        string image = TestFiles.Golden("images", "tiny.png"), settings = folder.File("preprocessor_config.json"), tiles = folder.File("t.npy"), inputs = folder.File("in.safetensors");
        File.WriteAllText(settings, new JsonObject { ["image_processor_type"] = "Llama4ImageProcessorFast", ["size"] = new JsonObject { ["height"] = side, ["width"] = side } }.ToJsonString());
        Assert.Equal(0, CliRun.Of("preprocess", "--model", settings, "--image", image, "--out", tiles).Code);
        float[] pixels = [.. Enumerable.Range(0, 3 * side).SelectMany(row => ReadRow(tiles, row))];
        long[] ids = [1, .. Enumerable.Repeat((long)patch, perTile), 5, 9];
        using (var writer = new SafetensorsWriter(inputs))
        {
            writer.Declare("input_ids", DType.I64, new Shape(ids.Length));
            writer.Declare("pixel_values", DType.F32, new Shape(1, 3, side, side));
            writer.Begin();
            while (writer.Current is { } tensor)
            {
                writer.Write(tensor.Name == "input_ids" ? MemoryMarshal.AsBytes(ids.AsSpan()) : MemoryMarshal.AsBytes(pixels.AsSpan()));
            }

            writer.Complete();
        }

        string fromFile = folder.File("a.npy"), fromTiles = folder.File("b.npy");
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("logits", "--model", model, "--inputs", inputs, "--out", fromTiles));
        Assert.Equal(new CliRun(0, "", ""), CliRun.Of("logits", "--model", model, "--tokens", string.Join(',', ids), "--image", image, "--out", fromFile));
        Assert.Equal(File.ReadAllBytes(fromTiles), File.ReadAllBytes(fromFile));
        Assert.Equal(2, CliRun.Of("logits", "--model", model, "--tokens", string.Join(',', ids.SkipLast(3)), "--image", image, "--out", fromFile).Code);
    }

    [Fact]
    public void RunLooksAtThePicture()
    {
        using var folder = new TempFolder();
        string image = TestFiles.Golden("images", "landscape.png"), logits = folder.File("l.npy");
        CliRun run = CliRun.Of("run", "--model", Model, "--tokens", "1,320,5,9", "--image", image, "--max-tokens", "3", "--temperature", "0");
        Assert.Equal((0, ""), (run.Code, run.Error));
        int[] ids = [.. run.Out.Trim().Split(',').Select(int.Parse)];
        Assert.Equal((7, "1,320,5,9"), (ids.Length, string.Join(',', ids[..4])));
        // Each token is the likeliest one of the logits of those before it.
        Assert.Equal(0, CliRun.Of("logits", "--model", Model, "--tokens", string.Join(',', ids), "--image", image, "--out", logits).Code);
        for (int i = 4; i < ids.Length; i++)
        {
            float[] row = ReadRow(logits, i - 1);
            Assert.Equal(Array.IndexOf(row, row.Max()), ids[i]);
        }

        // With a text, the picture's token comes before it, as the model's own template has it.
        string model = SeeingModels.WriteCrossed(folder.File("model"));
        string[] common = ["--image", image, "--max-tokens", "3", "--temperature", "0", "--json"];
        JsonNode answer = JsonNode.Parse(CliRun.Of(["run", "--model", model, "ab", .. common]).Out)!;
        JsonNode same = JsonNode.Parse(CliRun.Of(["run", "--model", Model, "--tokens", "256,85,58,320,97,98,257", .. common]).Out)!;
        Assert.Equal(same["tokens"]!.ToJsonString(), answer["tokens"]!.ToJsonString());
        Assert.Equal(7, (int)answer["prompt_tokens"]!);
        answer = JsonNode.Parse(CliRun.Of(["run", "--model", model, "--raw", "ab", .. common]).Out)!;
        same = JsonNode.Parse(CliRun.Of(["run", "--model", Model, "--tokens", "320,97,98", .. common]).Out)!;
        Assert.Equal(same["tokens"]!.ToJsonString(), answer["tokens"]!.ToJsonString());
        CliRun.Of("run", "--image", image, "Once").AssertRefused("option --image: expected a model that sees, got puna-tiny");
        CliRun.Of("run", "--model", Model, "--tokens", "1,5", "--image", image).AssertRefused("images: expected one for each of the 0 image tokens of the prompt, got 1");
        CliRun.Of("run", "--model", Model, "--tokens", "1,320", "--image", image, "--session", folder.File("s")).AssertRefused("options --image and --session exclude each other");
        CliRun.Of("run", "--model", Model, "--tokens", "1,320", "--image", image, "--guard", "code").AssertRefused("options --image and --guard exclude each other");
    }

    // In a conversation or before a text, with one picture or several: what run says is what it says of the tokens that stand for that.
    [Fact]
    public void RunShowsPicturesToALlama4()
    {
        using var folder = new TempFolder();
        string model = SeeingModels.WriteFused(folder.File("model")), tiny = TestFiles.Golden("images", "tiny.png"), wide = TestFiles.Golden("images", "panorama.png"), logits = folder.File("l.npy");
        JsonNode answer = Run("ab", "--image", tiny);
        int[] patches = [.. Enumerable.Repeat(312, 4)], one = [310, 313, .. patches, 311];
        Same([256, 85, 58, .. one, 97, 98, 257], answer, tiny);
        Assert.NotEqual(answer["logprobs"]!.ToJsonString(), Run("ab", "--image", TestFiles.Golden("images", "square.png"))["logprobs"]!.ToJsonString());
        Same([.. one, .. one, 97, 98], Run("ab", "--raw", "--image", tiny, "--image", tiny), tiny, tiny);

        // Several tiles: patches, a separator behind each tile, a thumbnail.
        RgbImage picture = ImageReader.Read(wide);
        TileGrid grid = TileGrid.Choose(picture.Height, picture.Width, 56, 16);
        Assert.InRange(grid.Tiles, 2, 16);
        IEnumerable<int> tiled = Enumerable.Range(1, grid.Tiles).SelectMany(t => (int[])[.. patches, t % grid.Columns == 0 ? 315 : 314]);
        Same([310, .. tiled, 313, .. patches, 311, .. one, 97, 98], Run("ab", "--raw", "--image", wide, "--image", tiny), wide, tiny);

        // Each token is the likeliest one of the logits of those before it.
        int[] ids = [.. one, 97, 98, .. Run("ab", "--raw", "--image", tiny)["tokens"]!.AsArray().Select(static t => (int)t!)];
        Assert.Equal(0, CliRun.Of("logits", "--model", model, "--tokens", string.Join(',', ids), "--image", tiny, "--out", logits).Code);
        for (int i = one.Length + 2; i < ids.Length; i++)
        {
            float[] row = ReadRow(logits, i - 1);
            Assert.Equal(Array.IndexOf(row, row.Max()), ids[i]);
        }

        CliRun.Of("run", "--model", model, "--tokens", "1,312", "--image", tiny).AssertRefused("images: expected 4 of the patch token 312 in the prompt for 1 tiles, got 1");
        CliRun.Of("run", "--model", model, "--image", folder.File("model"), "ab").AssertRefused($"file {folder.File("model")}: expected a picture, got a folder");

        JsonNode Run(string prompt, params string[] options)
        {
            CliRun run = CliRun.Of(["run", "--model", model, .. options, "--max-tokens", "3", "--temperature", "0", "--logprobs", "0", "--json", prompt]);
            Assert.Equal((0, ""), (run.Code, run.Error));
            return JsonNode.Parse(run.Out)!;
        }

        void Same(int[] tokens, JsonNode got, params string[] images)
        {
            CliRun run = CliRun.Of(["run", "--model", model, "--tokens", string.Join(',', tokens), .. images.SelectMany(static i => (string[])["--image", i]), "--max-tokens", "3", "--temperature", "0", "--logprobs", "0", "--json"]);
            JsonNode expected = JsonNode.Parse(run.Out)!;
            Assert.Equal(tokens.Length, (int)got["prompt_tokens"]!);
            Assert.Equal(expected["tokens"]!.ToJsonString(), got["tokens"]!.ToJsonString());
            Assert.Equal(expected["logprobs"]!.ToJsonString(), got["logprobs"]!.ToJsonString());
        }
    }

    [Fact]
    public void SettingsThatDoNotFitTheModelAreRefused()
    {
        using var folder = new TempFolder();
        string model = SeeingModels.WriteCrossed(folder.File("model")), settings = Path.Combine(model, "preprocessor_config.json");
        File.WriteAllText(settings, File.ReadAllText(TestFiles.Golden("images", "llama4.preprocessor_config.json")));
        CliRun.Of("logits", "--model", model, "--tokens", "1,320", "--image", TestFiles.Golden("images", "tiny.png"), "--out", folder.File("l.npy"))
            .AssertRefused($"image processor {settings}: expected up to 4 tiles of 28 pixels, as the model has them, got up to 16 of 28");
    }

    private static float[] ReadRow(string path, int row)
    {
        using NpyFile file = NpyFile.Open(path);
        return file.Values.Row<float>(row).ToArray();
    }

    private static float[] Read(string path, out long rows)
    {
        using NpyFile file = NpyFile.Open(path);
        rows = file.Values.Rows;
        return [.. Enumerable.Range(0, (int)rows).SelectMany(row => file.Values.Row<float>(row).ToArray())];
    }
}
