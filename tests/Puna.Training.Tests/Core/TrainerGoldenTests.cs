using Puna.Formats.Safetensors;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Training.Core;
using Puna.Training.Data;

namespace Puna.Training.Tests.Core;

/// <summary>Losses, gradients and steps against PyTorch's.</summary>
public sealed class TrainerGoldenTests
{
    /// <summary>The goldens' own bound, of the largest element of each tensor; float32 in another order of summation is within 3e-6, a forgotten term is off by 1e-2 and more.</summary>
    private const double Tolerance = 1e-4;

    public static TheoryData<string> Models => ["llama2-gqa", "llama32-tied", "llama4-scout"];

    [Theory]
    [MemberData(nameof(Models))]
    public void GradientsAreThoseOfTheReference(string name)
    {
        string folder = TestFiles.GoldenModel(name);
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden(name, "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(folder);
        TrainableModel model = TrainableModel.Load(checkpoint);
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        TrainingBatch batch = Batch(Ids(io, "train_ids"));
        double loss = trainer.Gradients([batch], batch.WeightSum);
        Assert.Equal(io.GetTensor("loss").Row<float>(0)[0], loss, 1e-5);
        var compared = new HashSet<string>();
        foreach (TrainableParameter parameter in model.Parameters)
        {
            (string file, float[] expected, double largest) = Expected(io, parameter);
            double difference = expected.Zip(Values(parameter.Gradient), static (a, b) => Math.Abs((double)a - b)).Max();
            Assert.InRange(difference / largest, 0, Tolerance);
            compared.Add(file);
        }

        Assert.Equal(io.Tensors.Count(static t => t.Name.StartsWith("grad.", StringComparison.Ordinal)), compared.Count);

        // Keeping only the inputs of blocks changes memory and nothing else; nor does the number of threads.
        foreach ((int threads, bool checkpoints) in new[] { (2, true), (1, false), (5, true) })
        {
            TrainableModel twin = TrainableModel.Load(checkpoint);
            using var others = new CpuOps(threads);
            using var second = new Trainer(others, twin, new AdamWOptions(), checkpoints: checkpoints);
            Assert.Equal(loss, second.Gradients([batch], batch.WeightSum));
            for (int i = 0; i < model.Parameters.Count; i++)
            {
                Assert.Equal(Values(model.Parameters[i].Gradient), Values(twin.Parameters[i].Gradient));
            }
        }
    }

    [Fact]
    public void TwentyStepsAreThoseOfTheReference()
    {
        using SafetensorsFile io = SafetensorsFile.Open(TestFiles.Golden("adamw-20-steps", "io.safetensors"));
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("adamw-20-steps"));
        TrainableModel model = TrainableModel.Load(checkpoint);
        foreach (TrainableParameter parameter in model.Parameters)
        {
            Values(io.GetTensor("start." + TensorNames.In(CheckpointFormat.Safetensors, parameter.Name))).CopyTo(parameter.Values.Storage.Span<float>(0, (int)parameter.Values.Shape.Count));
        }

        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        var rate = new LearningRate(LearningRateKind.Cosine, 3e-3, 3e-4, 4, 20);
        int[] tokens = Ids(io, "tokens");
        for (int step = 0; step < 20; step++)
        {
            var batch = new TrainingBatch();
            for (int row = 0; row < 2; row++)
            {
                int[] ids = tokens[(((step * 2) + row) * 33)..(((step * 2) + row + 1) * 33)];
                batch.Add(ids, [.. Enumerable.Repeat(1f, 33)]);
            }

            Assert.Equal(io.GetTensor("lrs").Row<float>(0)[step], rate.At(step), 1e-8);
            StepResult result = trainer.Step([batch], rate.At(step));
            Assert.Equal(64, result.Weight);
            Assert.Equal(io.GetTensor("losses").Row<float>(0)[step], result.Loss, 1e-5);
            Assert.Equal(io.GetTensor("grad_norms").Row<float>(0)[step], result.GradientNorm, 1e-5);
        }

        foreach (TrainableParameter parameter in model.Parameters)
        {
            float[] end = Values(io.GetTensor("end." + TensorNames.In(CheckpointFormat.Safetensors, parameter.Name)));
            Assert.InRange(Difference(end, Values(parameter.Values)), 0, Tolerance);
        }
    }

    /// <summary>The reference's gradient of a parameter. Those of experts are inside <c>[experts, in, out]</c>, gate and up side by side; the bound is that of the whole tensor.</summary>
    private static (string File, float[] Values, double Largest) Expected(SafetensorsFile io, TrainableParameter parameter)
    {
        string[] name = parameter.Name.Split('.');
        bool isExpert = name is [_, _, "feed_forward", "experts", ..];
        string file = !isExpert ? "grad." + TensorNames.In(CheckpointFormat.Safetensors, parameter.Name)
            : $"grad.model.layers.{name[1]}.feed_forward.experts.{(name[5] == "w2" ? "down_proj" : "gate_up_proj")}";
        float[] all = Values(io.GetTensor(file));
        double largest = all.Max(static x => (double)Math.Abs(x));
        if (!isExpert)
        {
            return (file, all, largest);
        }

        int outputs = (int)parameter.Gradient.Rows, inputs = (int)parameter.Gradient.Columns;
        int width = name[5] == "w2" ? outputs : 2 * outputs;
        int first = (int.Parse(name[4], System.Globalization.CultureInfo.InvariantCulture) * inputs * width) + (name[5] == "w3" ? outputs : 0);
        var values = new float[outputs * inputs];
        for (int o = 0; o < outputs; o++)
        {
            for (int i = 0; i < inputs; i++)
            {
                values[(o * inputs) + i] = all[first + (i * width) + o];
            }
        }

        return (file, values, largest);
    }

    private static TrainingBatch Batch(int[] ids)
    {
        var batch = new TrainingBatch();
        batch.Add(ids, [.. Enumerable.Repeat(1f, ids.Length)]);
        return batch;
    }

    private static int[] Ids(SafetensorsFile file, string name)
    {
        Tensor tensor = file.GetTensor(name);
        var ids = new List<int>();
        for (long row = 0; row < tensor.Rows; row++)
        {
            foreach (long id in tensor.Row<long>(row))
            {
                ids.Add((int)id);
            }
        }

        return [.. ids];
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

    private static double Difference(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        double largest = expected.Max(static x => (double)Math.Abs(x));
        return expected.Zip(actual, static (a, b) => Math.Abs((double)a - b)).Max() / largest;
    }
}
