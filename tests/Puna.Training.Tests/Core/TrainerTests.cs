using Puna.Models;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Data;

namespace Puna.Training.Tests.Core;

/// <summary>What a step promises: documents do not see each other, accumulation is the big batch, masked batches do nothing, checkpoints of activations cost no bit.</summary>
public sealed class TrainerTests
{
    private static readonly LlamaConfig Config = new()
    {
        Hidden = 32, Ffn = 56, Layers = 3, Heads = 4, KvHeads = 2, HeadDim = 8, Vocab = 50, ContextLength = 64, NormEpsilon = 1e-5f,
    };

    [Fact]
    public void TokensOfOneDocumentNeverSeeAnother()
    {
        int[] a = Ids(1, 11), b = Ids(2, 17);
        float[] alone = Gradient([b]);
        float[] zero = new float[alone.Length];

        // Of the two documents only b has targets: its gradient is the same whatever stands before or behind it, and nothing of a's tokens has any.
        foreach (int[] other in new[] { a, Ids(3, 11) })
        {
            TrainableModel model = TrainableModel.Create(Config, 1);
            var batch = new TrainingBatch();
            batch.Add(other, new float[other.Length]);
            batch.Add(b, Ones(b.Length));
            batch.Add(other, new float[other.Length]);
            using var ops = new CpuOps(2);
            using var trainer = new Trainer(ops, model, new AdamWOptions());
            trainer.Gradients([batch], batch.WeightSum);
            float[] together = Flat(model);
            Assert.InRange(Difference(alone, together), 0, 1e-6);
            float[] embedding = model.Parameters[0].Gradient.Storage.Span<float>(0, Config.Vocab * Config.Hidden).ToArray();
            foreach (int id in other.Except(b))
            {
                Assert.Equal(zero[..Config.Hidden], embedding[(id * Config.Hidden)..((id + 1) * Config.Hidden)]);
            }
        }
    }

    [Fact]
    public void AccumulationIsTheBigBatch()
    {
        var random = new Random(5);
        int[][] documents = [.. Enumerable.Range(0, 64).Select(i => Ids(i, random.Next(2, 40)))];
        float[] whole = Gradient(documents, documents.Length);
        float[] parts = Gradient(documents, 4);
        Assert.InRange(Difference(whole, parts), 0, 1e-5);
    }

    [Fact]
    public void BatchesWithoutTargetsChangeNothing()
    {
        int[] a = Ids(1, 20);
        TrainableModel model = TrainableModel.Create(Config, 1), twin = TrainableModel.Create(Config, 1);
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        using var other = new Trainer(ops, twin, new AdamWOptions());
        TrainingBatch batch = Batch([a]), masked = new();
        masked.Add(a, new float[a.Length]);
        StepResult one = trainer.Step([batch], 1e-2), more = other.Step([batch, masked, masked], 1e-2);
        Assert.Equal(one.Loss, more.Loss);
        Assert.Equal(Values(model), Values(twin));

        // A step without any target is no step, and no NaN.
        float[] before = Values(model);
        Assert.False(trainer.Step([masked], 1e-2).Updated);
        Assert.Equal(before, Values(model));
    }

    [Fact]
    public void CheckpointsOfActivationsCostNoBitAndLessMemory()
    {
        LlamaConfig deep = Config with { Layers = 8, Hidden = 128, HeadDim = 32, Ffn = 344, ContextLength = 512 };
        (float[] Weights, double Loss, long Bytes) Train(bool checkpoints)
        {
            TrainableModel model = TrainableModel.Create(deep, 1);
            using var ops = new CpuOps(2);
            using var trainer = new Trainer(ops, model, new AdamWOptions(), checkpoints: checkpoints);
            TrainingBatch batch = Batch([Ids(1, 512)]);
            double loss = 0;
            for (int step = 0; step < 3; step++)
            {
                loss = trainer.Step([batch], 1e-3).Loss;
            }

            return (Values(model), loss, ops.ScratchBytes + trainer.ActivationGradientBytes);
        }

        (float[] plainWeights, double plainLoss, long plain) = Train(false);
        (float[] weights, double loss, long checkpointed) = Train(true);
        Assert.Equal(plainLoss, loss);
        Assert.Equal(plainWeights, weights);
        Assert.InRange((double)checkpointed / plain, 0, 0.5);
    }

    [Fact]
    public void AOneTextModelLearnsItsText()
    {
        int[] text = Ids(9, 60);
        TrainableModel model = TrainableModel.Create(Config, 1);
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        TrainingBatch batch = Batch([text]);
        double loss = 0;
        for (int step = 0; step < 150; step++)
        {
            loss = trainer.Step([batch], 1e-2).Loss;
        }

        Assert.InRange(loss, 0, 0.05);
        Assert.InRange(trainer.Evaluate(batch) / batch.WeightSum, 0, 0.05);
    }

    [Fact]
    public void AGradientThatIsNotFiniteIsNoStepAndThreeInARowAreTheEnd()
    {
        TrainableModel model = TrainableModel.Create(Config, 1);
        model.Parameters[1].Values.Row<float>(0).Fill(float.NaN);
        using var ops = new CpuOps(1);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        TrainingBatch batch = Batch([Ids(1, 10)]);
        float[] before = model.Parameters[0].Values.Row<float>(0).ToArray();
        Assert.False(trainer.Step([batch], 1).Updated);
        Assert.False(trainer.Step([batch], 1).Updated);
        Assert.Contains("not finite", Assert.Throws<PunaException>(() => trainer.Step([batch], 1)).Message, StringComparison.Ordinal);
        Assert.Equal(before, model.Parameters[0].Values.Row<float>(0).ToArray());
        Assert.Equal(0, trainer.Optimizer.Steps);
    }

    [Fact]
    public void TrainingAndInferenceAreOneForwardPass()
    {
        TrainableModel model = TrainableModel.Create(Config, 3);
        int[] ids = Ids(4, 40);
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        TrainingBatch batch = Batch([ids]);
        double loss = trainer.Gradients([batch], batch.WeightSum);

        // The packed weights of inference, a pass with a cache, a token at a time: the loss to the last bit of the float sums.
        Llama packed = model.Model.PackFor(ops);
        KvCache cache = packed.CreateCache(DType.F32);
        using KvSequence sequence = cache.CreateSequence();
        var context = new ForwardContext();
        double sum = 0;
        for (int t = 0; t + 1 < ids.Length; t++)
        {
            var one = new Batch();
            one.Add([ids[t]], t, BatchOutputs.All);
            ArenaMark mark = ops.Mark();
            Tensor logits = packed.Forward(ops, one, context, [sequence]);
            var nll = new float[1];
            ops.CrossEntropy(logits, [ids[t + 1]], [1], nll);
            sum += (double)(float)(1.0 / batch.WeightSum) * nll[0];
            ops.Release(mark);
        }

        Assert.Equal(loss, sum);
    }

    private static float[] Gradient(int[][] documents, int together = 1)
    {
        TrainableModel model = TrainableModel.Create(Config, 1);
        using var ops = new CpuOps(2);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        TrainingBatch[] batches = [.. documents.Chunk(together).Select(Batch)];
        trainer.Gradients(batches, batches.Sum(static b => b.WeightSum));
        return Flat(model);
    }

    private static TrainingBatch Batch(int[][] documents)
    {
        var batch = new TrainingBatch();
        foreach (int[] document in documents)
        {
            batch.Add(document, Ones(document.Length));
        }

        return batch;
    }

    private static float[] Ones(int count) => [.. Enumerable.Repeat(1f, count)];

    private static int[] Ids(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(Config.Vocab))];
    }

    private static float[] Flat(TrainableModel model) => [.. model.Parameters.SelectMany(static p => p.Gradient.Storage.Span<float>(0, (int)p.Gradient.Shape.Count).ToArray())];

    private static float[] Values(TrainableModel model) => [.. model.Parameters.SelectMany(static p => p.Values.Storage.Span<float>(0, (int)p.Values.Shape.Count).ToArray())];

    private static double Difference(float[] expected, float[] actual) => expected.Zip(actual, static (a, b) => Math.Abs((double)a - b)).Max() / expected.Max(static x => (double)Math.Abs(x));
}
