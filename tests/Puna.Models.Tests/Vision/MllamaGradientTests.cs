using Puna.Formats.Safetensors;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Tensors.Autograd;

namespace Puna.Models.Tests.Vision;

/// <summary>Gradients of all parameters, encoder included, against PyTorch's.</summary>
public sealed class MllamaGradientTests
{
    /// <summary>The goldens' own bound, of the largest element of each tensor; a forgotten term is off by 1e-2 and more.</summary>
    private const double Tolerance = 1e-4;

    [Fact]
    public void GradientsAreThoseOfTheReference()
    {
        using var golden = new MllamaGolden();
        (double loss, Dictionary<string, float[]> gradients) = Pass(golden, threads: 2, checkpoints: false);
        Assert.Equal(golden.Io.Floats("loss_from_position_2")[0], loss, 1e-5);
        foreach ((string name, float[] gradient) in gradients)
        {
            float[] expected = golden.Io.Floats("grad." + golden.Checkpoint.NameOf(name));
            double difference = GoldenIo.MaxDifference(expected, gradient) / expected.Max(static x => (double)Math.Abs(x));
            Assert.True(difference <= Tolerance, $"{name}: {difference}");
        }

        Assert.Equal(golden.Io.Tensors.Count(static t => t.Name.StartsWith("grad.", StringComparison.Ordinal)), gradients.Count);

        // Keeping only the inputs of blocks changes memory and nothing else; nor does the number of threads.
        foreach ((int threads, bool checkpoints) in new[] { (2, true), (1, false), (5, true) })
        {
            (double again, Dictionary<string, float[]> others) = Pass(golden, threads, checkpoints);
            Assert.Equal(loss, again);
            Assert.All(gradients, pair => Assert.Equal(pair.Value, others[pair.Key]));
        }
    }

    private static (double Loss, Dictionary<string, float[]> Gradients) Pass(MllamaGolden golden, int threads, bool checkpoints)
    {
        var weights = new Dictionary<string, Weight>();
        Llama model = Llama.Build(golden.Checkpoint.Config, golden.Checkpoint.RopeLayout, name => weights[name] = new Weight(name, golden.Checkpoint.GetTensor(name)));
        var set = new GradientSet();
        Dictionary<string, Tensor> gradients = weights.ToDictionary(static pair => pair.Key, pair => set.Add(pair.Value));
        using var ops = new CpuOps(threads);
        using var tape = new Tape(ops, set, checkpoints);
        ArenaMark mark = ops.Mark();
        var batch = new Batch();
        batch.Add(golden.Ids, 0, BatchOutputs.None);
        for (int row = 2; row < golden.Ids.Length - 1; row++)
        {
            batch.AddOutput(row);
        }

        int rows = batch.Outputs.Length;
        Tensor features = model.Vision!.Forward(tape, [golden.Image]);
        Tensor hidden = model.Hidden(tape, batch, new ForwardContext(), null, [CrossStates.Of(golden.Mask, features)]);
        double loss = tape.CrossEntropy(hidden, model.Output.Weight, golden.Ids.AsSpan(3), [.. Enumerable.Repeat(1f / rows, rows)], new float[rows]);
        tape.Backward();
        tape.Reset();
        ops.Release(mark);
        return (loss, gradients.ToDictionary(static pair => pair.Key, pair => MllamaGolden.Read(ops, pair.Value)));
    }
}
