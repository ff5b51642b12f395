using Puna.Models;
using Puna.Tensors;
using Puna.Tensors.Autograd;
using Puna.Training.Core;
using Puna.Training.Data;
using Puna.Training.Planning;

namespace Puna.Training.Tests.Planning;

/// <summary>The plan for this library's own trainer against what a step really takes (AC-08 of spec training.md: within 10 %).</summary>
public sealed class CpuMemoryTests
{
    private static LlamaConfig Tiny(int hidden, int ffn, int layers, int heads, int kvHeads, int vocab, bool tied) => new()
    {
        Hidden = hidden, Ffn = ffn, Layers = layers, Heads = heads, KvHeads = kvHeads, HeadDim = hidden / heads, Vocab = vocab, ContextLength = 512, NormEpsilon = 1e-5f, TiedEmbeddings = tied,
    };

    public static TheoryData<LlamaConfig, int, int, bool> Configs => new()
    {
        { Tiny(64, 160, 2, 4, 4, 512, false), 64, 16, false },
        { Tiny(64, 160, 2, 4, 4, 512, false), 64, 16, true },
        { Tiny(128, 384, 8, 8, 2, 4096, true), 512, 2, false },
        { Tiny(128, 384, 8, 8, 2, 4096, true), 512, 2, true },
        { Tiny(192, 512, 3, 6, 3, 1000, false) with { QkvBias = true, MlpBias = true, AttentionOutputBias = true }, 200, 5, false },
        { Tiny(192, 512, 3, 6, 3, 1000, false) with { QkvBias = true, MlpBias = true, AttentionOutputBias = true }, 200, 5, true },
    };

    [Theory]
    [MemberData(nameof(Configs), DisableDiscoveryEnumeration = true)]
    public void TheEstimateIsWithinATenthOfTheMeasuredPeak(LlamaConfig config, int length, int rows, bool checkpoints)
    {
        const int Threads = 2;
        MemoryPlan plan = TrainingPlan.Create(new(config)
        {
            Target = PlanTarget.Cpu, Precision = PlanPrecision.Float32, SequenceLength = length, MicroBatch = rows, Threads = Threads, LossRows = 256,
            Checkpointing = checkpoints ? PlanCheckpointing.Full : PlanCheckpointing.None,
        }).PerDevice;

        // The parts of a trainer, taken apart so that the tape's own bytes can be read; and two steps, since scratch memory is joined after the first.
        TrainableModel model = TrainableModel.Create(config, 1);
        using var ops = new CpuOps(Threads);
        using var tape = new Tape(ops, model.Gradients, checkpoints);
        var optimizer = new AdamWOptimizer(model.Parameters, new AdamWOptions());
        var batch = new TrainingBatch();
        for (int row = 0; row < rows; row++)
        {
            batch.Add([.. Enumerable.Range(0, length).Select(i => ((i * 7) + row) % config.Vocab)], [.. Enumerable.Repeat(1f, length)]);
        }

        for (int step = 0; step < 2; step++)
        {
            ArenaMark mark = ops.Mark();
            Tensor hidden = model.Model.Hidden(tape, batch.Batch, new ForwardContext());
            tape.CrossEntropy(hidden, model.Model.Output.Weight, batch.Targets.ToArray(), new float[hidden.Rows], new float[hidden.Rows], 256);
            tape.Backward();
            tape.Reset();
            ops.Release(mark);
            optimizer.GradientNorm(ops);
            optimizer.Step(ops, 1e-3f, 1);
        }

        long state = 0;
        foreach (TrainableParameter parameter in model.Parameters)
        {
            state += (long)(parameter.Values.Storage.ByteLength + parameter.Gradient.Storage.ByteLength);
        }

        state += optimizer.First.Concat(optimizer.Second).Sum(static t => (long)t.Storage.ByteLength);
        double measured = state + ops.ScratchBytes + tape.GradientBytes;
        Assert.InRange(plan.Total / measured, 0.9, 1.1);

        // Part by part as well, so that no part makes up for another.
        Assert.InRange((plan.Parameters + plan.Gradients + plan.Optimizer) / state, 0.9, 1.1);
        Assert.InRange(plan.ActivationGradients / tape.GradientBytes, 0.9, 1.1);
        Assert.InRange((plan.Activations + plan.Recomputed + plan.Logits + plan.Workspace) / ops.ScratchBytes, 0.9, 1.1);
        Assert.True(plan.Workspace >= 0, $"workspace {plan.Workspace}");
    }

    [Fact]
    public void CheckpointsSaveActivations()
    {
        TrainingPlanOptions options = new(Tiny(128, 384, 8, 8, 2, 4096, true)) { Target = PlanTarget.Cpu, Precision = PlanPrecision.Float32, SequenceLength = 512, LossRows = 64 };
        MemoryPlan none = TrainingPlan.Create(options).PerDevice, full = TrainingPlan.Create(options with { Checkpointing = PlanCheckpointing.Full }).PerDevice;
        Assert.InRange((full.Activations + full.Recomputed) / none.Activations, 0.05, 0.35);
    }
}
