using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Training.Checkpoints;
using Puna.Training.Core;
using Puna.Training.Data;
using Puna.Training.Recipes;

namespace Puna.Training.Tests.Checkpoints;

/// <summary>What training writes is read as it was.</summary>
public sealed class TrainingCheckpointsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-training").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AModelThatSeesIsWrittenInTheShapesOfItsFormat()
    {
        using Checkpoint golden = Checkpoint.Open(TestFiles.GoldenModel("llama32-vision"));
        Same(TrainableModel.Load(golden));

        // A new one: norms of one, gates of zero, so that it begins as a text model.
        TrainableModel fresh = TrainableModel.Create(golden.Config, 5);
        Same(fresh);
        using var ops = new CpuOps(1);
        using CrossStates seen = CrossStates.Compute(fresh.Model, ops, [MllamaImage.Of(golden.Config.Vision!, new float[3 * 28 * 28], 1, 1)], CrossMask.Of([320, 1, 2], 320, [[true, false, false, false]], 4));
        Assert.Equal(Logits(ops, fresh.Model, null), Logits(ops, fresh.Model, seen));
    }

    /// <summary>The published layout: text under its prefix, experts of a layer in one tensor, and an encoder that the library finds again.</summary>
    [Fact]
    public void ALlama4ThatSeesIsWrittenAsPublished()
    {
        using Checkpoint golden = Checkpoint.Open(TestFiles.GoldenModel("llama4-vision"));
        TrainableModel model = TrainableModel.Load(golden, withPictures: true);
        HuggingFaceModel.Write(model, Path.Combine(_folder, "model.safetensors"));
        File.WriteAllBytes(Path.Combine(_folder, "config.json"), HuggingFaceConfigWriter.Write(model.Config, DType.F32, withPictures: true));
        System.Text.Json.Nodes.JsonNode config = System.Text.Json.Nodes.JsonNode.Parse(File.ReadAllText(Path.Combine(_folder, "config.json")))!;
        Assert.Equal((310, 311, 312), ((int)config["boi_token_index"]!, (int)config["eoi_token_index"]!, (int)config["image_token_index"]!));
        using Checkpoint read = Checkpoint.Open(_folder);
        Assert.Equal(golden.File.Tensors.Select(static t => $"{t.Name} {t.Shape}").Order(), read.File.Tensors.Select(static t => $"{t.Name} {t.Shape}").Order());
        Assert.Equal(golden.Config.Llama4!.Vision, read.Config.Llama4!.Vision);
        foreach (string name in golden.File.Tensors.Select(static t => t.Name))
        {
            Tensor expected = golden.File.GetTensor(name), actual = read.File.GetTensor(name);
            for (long row = 0; row < expected.Rows; row++)
            {
                Assert.Equal(expected.Row<float>(row), actual.Row<float>(row));
            }
        }

        using var ops = new CpuOps(1);
        float[] pixels = [.. Enumerable.Range(0, 3 * 56 * 56).Select(static i => (float)Math.Sin(i))];
        Tensor one = golden.LoadLlama4Vision().Encode(ops, pixels, 1), other = read.LoadLlama4Vision().Encode(ops, pixels, 1);
        Assert.Equal(one.Row<float>(0), other.Row<float>(0));
    }

    /// <summary>What a kill leaves while a checkpoint is replaced by another of its step: the old one under its second name. And names go by number, not by letter.</summary>
    [Fact]
    public void AReplacedCheckpointStaysUntilTheNewOneIsThere()
    {
        string folder = Path.Combine(_folder, "checkpoints"), log = Path.Combine(_folder, TrainingCheckpoints.Log);
        using var ops = new CpuOps(1);
        using var trainer = new Trainer(ops, TrainableModel.Create(new LlamaConfig { Name = "x", Hidden = 8, Ffn = 8, Layers = 1, Heads = 1, KvHeads = 1, HeadDim = 8, Vocab = 16, ContextLength = 8, NormEpsilon = 1e-5f, RopeTheta = 10000, TiedEmbeddings = true }, 1), new AdamWOptions());
        var checkpoints = new TrainingCheckpoints(folder);
        var request = new RecipeRequest("", _folder, Resume: true);
        string first = checkpoints.Save(trainer, State(7), new Dictionary<string, byte[]>(), 2);
        File.WriteAllLines(log, Enumerable.Range(1, 7).Select(static i => $$"""{"step":{{i}},"loss":1,"grad_norm":1,"rate":1,"tokens":1}"""));
        Directory.Move(first, first + ".old");
        Directory.CreateDirectory(first + ".tmp");
        Assert.Equal(first + ".old", checkpoints.Begin(request, SilentReport.Instance));

        string second = checkpoints.Save(trainer, State(7), new Dictionary<string, byte[]> { ["new"] = [] }, 2);
        Assert.Equal((first, true), (second, File.Exists(Path.Combine(second, "new"))));
        checkpoints.Save(trainer, State(7), new Dictionary<string, byte[]>(), 2);
        Assert.False(File.Exists(Path.Combine(second, "new")));
        Assert.Equal(["step-00000007"], Directory.GetDirectories(folder).Select(Path.GetFileName));

        checkpoints.Save(trainer, State(99_999_999), new Dictionary<string, byte[]>(), 2);
        checkpoints.Save(trainer, State(100_000_000), new Dictionary<string, byte[]>(), 2);
        Assert.Equal(["step-100000000", "step-99999999"], Directory.GetDirectories(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));

        static TrainerState State(long step) => new(step, step, 0, step, StreamState.Plain("x", 0), "x");
    }

    [Theory]
    [InlineData("""{ "version": 1 }""")]
    [InlineData("""{ "version": 1, "files": null }""")]
    [InlineData("""{ "version": 1, "files": [null] }""")]
    public void AManifestWithoutFilesIsPassedOver(string manifest)
    {
        string folder = Path.Combine(_folder, "checkpoints"), path = Path.Combine(folder, "step-00000001");
        Directory.CreateDirectory(path);
        File.WriteAllText(Path.Combine(path, "manifest.json"), manifest);
        File.WriteAllText(Path.Combine(path, "COMPLETE"), "");
        Assert.Null(new TrainingCheckpoints(folder).Begin(new RecipeRequest("", _folder, Resume: true), SilentReport.Instance));
    }

    private static float[] Logits(CpuOps ops, Llama model, CrossStates? seen)
    {
        var batch = new Batch();
        batch.Add([320, 1, 2], 0, BatchOutputs.All);
        Tensor logits = model.Forward(ops, batch, new ForwardContext(), null, [seen]);
        var values = new float[logits.Shape.Count];
        ops.Read(logits, values);
        Assert.All(values, static x => Assert.True(float.IsFinite(x)));
        return values;
    }

    private void Same(TrainableModel model)
    {
        HuggingFaceModel.Write(model, Path.Combine(_folder, "model.safetensors"));
        File.WriteAllBytes(Path.Combine(_folder, "config.json"), HuggingFaceConfigWriter.Write(model.Config, DType.F32));
        using Checkpoint read = Checkpoint.Open(_folder);
        foreach (TrainableParameter parameter in model.Parameters)
        {
            Tensor tensor = read.GetTensor(parameter.Name);
            Assert.Equal(parameter.Values.Shape, tensor.Shape);
            for (long row = 0; row < tensor.Rows; row++)
            {
                Assert.Equal(parameter.Values.Row<float>(row), tensor.Row<float>(row));
            }
        }
    }
}
