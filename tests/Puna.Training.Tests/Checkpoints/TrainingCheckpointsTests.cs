using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Models.Conversion;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Training.Checkpoints;
using Puna.Training.Core;

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
