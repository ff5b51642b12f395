using Puna.Formats.Safetensors;
using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tensors.Autograd;
using Puna.Tests.Shared;
using Puna.Training.Core;

namespace Puna.Training.Tests.Core;

/// <summary>Gradients through the language model into the pictures, against PyTorch's.</summary>
public sealed class Llama4VisionGradientTests
{
    private const double Tolerance = 1e-4; // as in TrainerGoldenTests

    [Fact]
    public void GradientsOfThePictureEncoderAreThoseOfTheReference()
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("llama4-vision", "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama4-vision"));
        TrainableModel text = TrainableModel.Load(checkpoint);
        Llama4VisionConfig config = checkpoint.Config.Llama4!.Vision!;
        var gradients = new Dictionary<string, Tensor>();
        Llama4Vision vision = Llama4Vision.Build(config, name =>
        {
            Tensor source = checkpoint.File.GetTensor(Llama4VisionNames.In(CheckpointFormat.Safetensors, name));
            float[] values = Values(source);
            var weight = new Weight(name, Tensor.From(values, source.Shape.Rank == 1 && name.EndsWith("class_embedding", StringComparison.Ordinal) ? new Shape(1, values.Length) : source.Shape));
            gradients.Add(name, text.Gradients.Add(weight));
            return weight;
        });

        int[] ids = [.. io.GetTensor("input_ids").Row<long>(0).ToArray().Select(static x => (int)x)];
        float[] pixels = Values(io.GetTensor("pixel_values"));
        const int From = 13; // loss_from_position_13
        using var ops = new CpuOps(2);
        using var tape = new Tape(ops, text.Gradients);
        var batch = new Batch();
        batch.Add(ids[..^1], 0, BatchOutputs.All);
        var context = new ForwardContext();
        int[] rows = [.. Enumerable.Range(0, batch.Count).Where(i => ids[i] == config.PatchToken)];
        context.Soft = new SoftTokens(rows, vision.Forward(tape, pixels, 2));
        Tensor hidden = text.Model.Hidden(tape, batch, context);
        int predictions = ids.Length - 1 - From;
        float[] scales = [.. Enumerable.Range(0, ids.Length - 1).Select(i => i < From ? 0 : 1f / predictions)], nll = new float[ids.Length - 1];
        tape.CrossEntropy(hidden, text.Model.Output.Weight, ids.AsSpan(1), scales, nll);
        tape.Backward();
        Assert.Equal(io.GetTensor("loss_from_position_13").Row<float>(0)[0], nll.Skip(From).Average(), 1e-5);
        foreach ((string name, Tensor gradient) in gradients)
        {
            Compare(io, "grad." + Llama4VisionNames.In(CheckpointFormat.Safetensors, name), gradient);
        }

        Compare(io, "grad.language_model.model.embed_tokens.weight", text.Parameters.Single(static p => p.Name == "tok_embeddings.weight").Gradient);
        Compare(io, "grad.language_model.model.layers.3.self_attn.q_proj.weight", text.Parameters.Single(static p => p.Name == "layers.3.attention.wq.weight").Gradient);
    }

    private static void Compare(SafetensorsFile io, string name, Tensor gradient)
    {
        float[] expected = Values(io.GetTensor(name)), actual = Values(gradient);
        double largest = expected.Max(static x => (double)Math.Abs(x)), difference = expected.Zip(actual, static (a, b) => Math.Abs((double)a - b)).Max();
        Assert.True(difference <= Tolerance * largest, $"{name}: {difference} of {largest}");
    }

    private static float[] Values(Tensor tensor)
    {
        var values = new List<float>();
        for (long row = 0; row < tensor.Rows; row++)
        {
            values.AddRange(tensor.Row<float>(row));
        }

        return [.. values];
    }
}
