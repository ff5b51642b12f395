using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Training.Core;
using Puna.Training.Data;
using Puna.Training.Experts;

namespace Puna.Training.Tests.Experts;

/// <summary>Routing while a model is trained: losses reach what they should, noise repeats, capacity drops rows, and nothing of it is left in evaluation.</summary>
public sealed class ExpertChoiceTests
{
    private static readonly ExpertOptions All = new() { Balance = 0.5, Z = 0.1, Noise = 0.7, Load = 0.3 };

    /// <summary>
    /// The gradient that the losses add, against their slope along that very direction: router and everything before it. Noise is the same on both sides; the step is small enough that no row changes
    /// its expert (a longer one, 2e-4, met such a jump), and the losses, summed in float64 over scores in float32, are exact to 1e-7 of differences of 4e-5.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void LossesHaveTheSlopesOfTheirGradients(bool checkpoints)
    {
        float[] with = Gradient(All, checkpoints), without = Gradient(All with { Balance = 0, Z = 0, Load = 0 }, checkpoints);
        double[] added = [.. with.Zip(without, static (a, b) => (double)a - b)];
        double norm = Math.Sqrt(added.Sum(static x => x * x));
        Assert.True(norm > 1e-2);
        const double Step = 2e-5;
        double up = Moved(Step / norm), down = Moved(-Step / norm);
        Assert.Equal(norm, (up - down) / (2 * Step), 0.02 * norm);

        double Moved(double scale)
        {
            TrainableModel model = Load();
            int at = 0;
            foreach (TrainableParameter parameter in model.Parameters)
            {
                for (long row = 0; row < parameter.Values.Rows; row++)
                {
                    foreach (ref float value in parameter.Values.Row<float>(row))
                    {
                        value = (float)(value + (scale * added[at++]));
                    }
                }
            }

            using var ops = new CpuOps(2);
            using var trainer = new Trainer(ops, model, new AdamWOptions(), checkpoints: checkpoints, experts: All);
            TrainingBatch batch = Batch();
            trainer.Gradients([batch], batch.WeightSum);
            return trainer.ExpertLoss;
        }
    }

    [Fact]
    public void BlocksThatAreRunAgainGiveTheSameBits() => Assert.Equal(Gradient(All with { Capacity = 1 }, false), Gradient(All with { Capacity = 1 }, true));

    [Fact]
    public void RowsBeyondTheCapacityAreCountedAndEvaluationHasNone()
    {
        TrainableModel model = Load();
        TrainingBatch batch = Batch();
        using var ops = new CpuOps(2);
        using var plain = new Trainer(ops, model, new AdamWOptions());
        using var tight = new Trainer(ops, model, new AdamWOptions(), experts: All with { Capacity = 0.5 });
        using var wide = new Trainer(ops, model, new AdamWOptions(), experts: new ExpertOptions { Capacity = model.Config.Llama4!.Experts });
        double loss = plain.Gradients([batch], batch.WeightSum);
        Assert.Equal(loss, wide.Gradients([batch], batch.WeightSum));
        Assert.Equal(0, wide.DroppedRows);
        Assert.NotEqual(loss, tight.Gradients([batch], batch.WeightSum));

        // At half of the even share at least half of the rows find no room, in each layer with experts.
        int layers = model.Config.Llama4!.HasExperts.Count(static x => x), most = new ExpertOptions { Capacity = 0.5 }.CapacityOf(batch.Batch.Count, model.Config.Llama4!.Experts, 1);
        Assert.InRange(tight.DroppedRows, layers * (batch.Batch.Count - (most * model.Config.Llama4!.Experts)), layers * (long)batch.Batch.Count);
        Assert.Equal(plain.Evaluate(batch), tight.Evaluate(batch));
    }

    [Fact]
    public void NoiseRepeatsAndIsAnotherInTheNextStep()
    {
        TrainableModel model = Load();
        TrainingBatch batch = Batch();
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions(), experts: All);
        trainer.Gradients([batch], batch.WeightSum);
        double first = trainer.ExpertLoss;
        trainer.Gradients([batch], batch.WeightSum);
        Assert.Equal(first, trainer.ExpertLoss);
        trainer.Restore(1, 0);
        trainer.Gradients([batch], batch.WeightSum);
        Assert.NotEqual(first, trainer.ExpertLoss);
    }

    [Theory]
    [InlineData(-1, 0, 0, null, "experts.balance: expected a number of at least 0, got -1")]
    [InlineData(0, double.NaN, 0, null, "experts.noise")]
    [InlineData(0, 0, 1, null, "experts.load: expected 0 without noise")]
    [InlineData(0, 0, 0, 0.0, "experts.capacity: expected a positive number, got 0")]
    public void NumbersThatDoNotFitAreNamed(double balance, double noise, double load, double? capacity, string named)
    {
        var options = new ExpertOptions { Balance = balance, Noise = noise, Load = load, Capacity = capacity };
        Assert.Contains(named, Assert.Throws<PunaException>(() => options.Validate("run.json")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AModelWithoutExpertsIsRefused()
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama2-gqa"));
        TrainableModel model = TrainableModel.Load(checkpoint);
        using var ops = new CpuOps(1);
        Assert.Contains("without experts", Assert.Throws<PunaException>(() => new Trainer(ops, model, new AdamWOptions(), experts: All).Dispose()).Message, StringComparison.Ordinal);
    }

    private static TrainableModel Load()
    {
        using Checkpoint checkpoint = Checkpoint.Open(TestFiles.GoldenModel("llama4-scout"));
        return TrainableModel.Load(checkpoint);
    }

    private static TrainingBatch Batch()
    {
        var random = new Random(8);
        int[] ids = [.. Enumerable.Range(0, 40).Select(_ => random.Next(1, 300))];
        var batch = new TrainingBatch();
        batch.Add(ids, [.. ids.Select(static _ => 1f)]);
        return batch;
    }

    private static float[] Gradient(ExpertOptions options, bool checkpoints)
    {
        TrainableModel model = Load();
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions(), checkpoints: checkpoints, experts: options);
        TrainingBatch batch = Batch();
        trainer.Gradients([batch], batch.WeightSum);
        var all = new List<float>();
        foreach (TrainableParameter parameter in model.Parameters)
        {
            for (long row = 0; row < parameter.Gradient.Rows; row++)
            {
                all.AddRange(parameter.Gradient.Row<float>(row));
            }
        }

        return [.. all];
    }
}
