using System.Text.Json.Nodes;
using Puna.Formats;
using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Models.Tests.Conversion;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Models.Tests.Vision;

public sealed class Llama4VisionTests : IDisposable
{
    private const double Tolerance = 2e-5; // the goldens' own (README.md); a GELU by tanh is off by 3e-4

    private readonly string _golden = TestFiles.GoldenModel("llama4-vision");
    private readonly ConversionFolder _folder = new();
    private readonly CpuOps _ops = new(2);

    public void Dispose()
    {
        _ops.Dispose();
        _folder.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FeaturesAndLogitsAreThoseOfTheReference(bool packed)
    {
        using Checkpoint checkpoint = Checkpoint.Open(_golden);
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("llama4-vision", "io.safetensors"));
        Llama4Vision vision = checkpoint.LoadLlama4Vision(packed ? _ops : null);
        float[] pixels = io.Floats("pixel_values"), expected = io.Floats("image_features");
        ArenaMark mark = _ops.Mark();
        Assert.InRange(GoldenIo.MaxDifference(expected, Read(vision.Features(_ops, pixels, 2))) / Largest(expected), 0, Tolerance);
        _ops.Release(mark);

        Tensor tokens = vision.Encode(_ops, pixels, 2);
        int[] ids = io.Ints("input_ids");
        float[] logits = Logits(packed ? checkpoint.LoadPacked(_ops) : checkpoint.Load(), ids, vision.Config.PatchToken, tokens, ids.Length);
        Assert.InRange(GoldenIo.MaxDifference(io.Floats("logits"), logits) / Largest(io.Floats("logits")), 0, Tolerance);
    }

    [Fact]
    public void PiecesOfAPromptAndTilesOneByOneGiveTheSameBits()
    {
        using Checkpoint checkpoint = Checkpoint.Open(_golden);
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("llama4-vision", "io.safetensors"));
        Llama4Vision vision = checkpoint.LoadLlama4Vision();
        float[] pixels = io.Floats("pixel_values");
        Tensor tokens = vision.Encode(_ops, pixels, 2);
        ArenaMark mark = _ops.Mark();
        Assert.Equal(Read(vision.Forward(_ops, pixels, 2)), Read(tokens));
        _ops.Release(mark);
        Llama model = checkpoint.Load();
        int[] ids = io.Ints("input_ids");
        float[] whole = Logits(model, ids, vision.Config.PatchToken, tokens, ids.Length);
        foreach (int piece in (int[])[1, 3, 7])
        {
            Assert.Equal(whole, Logits(model, ids, vision.Config.PatchToken, tokens, piece));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void MetasPartsGiveTheSameBits(int parts)
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("llama4-vision", "io.safetensors"));
        using Checkpoint source = Checkpoint.Open(_golden);
        MetaLlama4Files.Write(source, _folder.At("meta"), parts);
        using Checkpoint meta = Checkpoint.Open(_folder.At("meta"));
        float[] pixels = io.Floats("pixel_values");
        Assert.Equal(Read(source.LoadLlama4Vision().Encode(_ops, pixels, 2)), Read(meta.LoadLlama4Vision().Encode(_ops, pixels, 2)));
    }

    [Fact]
    public void TheReleasedShapeHasThePublishedNumbers()
    {
        Llama4VisionConfig config = LlamaPresets.Find("llama-4-scout")!.Llama4!.Vision!;
        Assert.Equal(config, LlamaPresets.Find("llama-4-maverick")!.Llama4!.Vision);
        Assert.Equal(88, config.HeadDim);
        Assert.Equal(144, config.TokensPerTile);

        // Tower, adapter and projection (spec llama4.md 2.4).
        Assert.Equal(811_115_008L + 39_845_888 + 20_971_520, config.ParameterCount(5120));
    }

    [Fact]
    public void OddHeadsAndShufflesWork()
    {
        // A head of 12 and 3 x 3 patches per token: against the definition, computed here.
        var config = new Llama4VisionConfig { ImageSize = 12, PatchSize = 2, Hidden = 24, Layers = 1, Heads = 2, Ffn = 20, Shuffle = 3, AdapterHidden = 10, AdapterOutput = 6 };
        var random = new Random(5);
        var weights = new Dictionary<string, float[]>();
        Llama4Vision vision = Llama4Vision.Build(config, name =>
        {
            Shape shape = config.Parameters(8).Single(p => p.Name == name).Shape;
            float[] values = [.. Enumerable.Range(0, (int)shape.Count).Select(_ => (float)(random.NextDouble() - 0.5))];
            weights[name] = values;
            return new Weight(name, Tensor.From(values, name.EndsWith("class_embedding", StringComparison.Ordinal) ? new Shape(1, shape.Columns) : shape));
        });
        float[] pixels = [.. Enumerable.Range(0, 3 * 12 * 12).Select(i => (float)Math.Sin(i))];
        ArenaMark mark = _ops.Mark();
        float[] actual = Read(vision.Forward(_ops, pixels, 1));
        _ops.Release(mark);
        double[] expected = Llama4VisionOracle.Tokens(config, weights, pixels);
        Assert.Equal(expected.Length, actual.Length);
        for (int i = 0; i < actual.Length; i++)
        {
            Assert.Equal(expected[i], actual[i], 1e-5);
        }
    }

    [Fact]
    public void ACheckpointWithoutAnEncoderSaysSo()
    {
        using Checkpoint text = Checkpoint.Open(TestFiles.GoldenModel("llama4-scout"));
        Assert.Contains("reads text only", Assert.Throws<PunaException>(() => text.LoadLlama4Vision()).Message, StringComparison.Ordinal);
    }

    /// <summary>Settings that count fewer layers than the file has would give another encoder, and nobody would know.</summary>
    [Fact]
    public void LayersThatTheSettingsDoNotCountAreNamed()
    {
        string folder = _folder.At("short");
        Directory.CreateDirectory(folder);
        File.Copy(Path.Combine(_golden, "model.safetensors"), Path.Combine(folder, "model.safetensors"));
        JsonNode json = JsonNode.Parse(File.ReadAllText(Path.Combine(_golden, "config.json")))!;
        int layers = json["vision_config"]!["num_hidden_layers"]!.GetValue<int>();
        json["vision_config"]!["num_hidden_layers"] = layers - 1;
        File.WriteAllText(Path.Combine(folder, "config.json"), json.ToJsonString());
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        string message = Assert.Throws<FileFormatException>(() => checkpoint.LoadLlama4Vision()).Message;
        Assert.Contains($"tensor vision_model.model.layers.{layers - 1}.", message, StringComparison.Ordinal);
        Assert.Contains($"expected only tensors of an encoder of {layers - 1} layers", message, StringComparison.Ordinal);
    }

    private static double Largest(float[] values) => values.Max(static v => (double)Math.Abs(v));

    private float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Shape.Count];
        _ops.Read(tensor, values);
        return values;
    }

    private float[] Logits(Llama model, int[] ids, int patch, Tensor tokens, int piece)
    {
        using KvCache cache = model.CreateCache(DType.F32);
        KvSequence[] sequence = [cache.CreateSequence()];
        var context = new ForwardContext();
        var batch = new Batch();
        var logits = new List<float>();
        int used = 0;
        for (int at = 0; at < ids.Length; at += piece)
        {
            int[] part = ids[at..Math.Min(ids.Length, at + piece)];
            int[] rows = [.. Enumerable.Range(0, part.Length).Where(i => part[i] == patch)];
            context.Soft = rows.Length == 0 ? null : new SoftTokens(rows, tokens.Slice(used, rows.Length));
            used += rows.Length;
            ArenaMark mark = _ops.Mark();
            batch.Clear();
            batch.Add(part, at, BatchOutputs.All);
            logits.AddRange(Read(model.Forward(_ops, batch, context, sequence)));
            _ops.Release(mark);
        }

        return [.. logits];
    }
}
