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
        TrainingCheckpoints.WriteModel(model, Path.Combine(_folder, "model.safetensors"));
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
