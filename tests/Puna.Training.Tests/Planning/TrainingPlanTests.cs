using System.Text.Json;
using Puna.Models;
using Puna.Tensors;
using Puna.Training.Planning;

namespace Puna.Training.Tests.Planning;

/// <summary>Plans against published numbers (spec training.md 1.11) and against a written-out cluster.</summary>
public sealed class TrainingPlanTests
{
    private static readonly LlamaConfig s_eight = LlamaPresets.All["llama-3-8b"];

    /// <summary>Counts of the published checkpoints.</summary>
    [Theory]
    [InlineData("llama-1-7b", 6_738_415_616)]
    [InlineData("llama-2-70b", 68_976_648_192)]
    [InlineData("llama-3-8b", 8_030_261_248)]
    [InlineData("llama-3.1-70b", 70_553_706_496)]
    [InlineData("llama-3.1-405b", 405_853_388_800)]
    [InlineData("llama-3.2-1b", 1_235_814_400)]
    [InlineData("llama-3.2-3b", 3_212_749_824)]
    public void ParametersAreThePublishedOnes(string preset, long expected) => Assert.Equal(expected, TrainingPlan.Create(new(LlamaPresets.All[preset])).Parameters);

    [Fact]
    public void EveryPresetHasAPlan()
    {
        foreach (LlamaConfig model in LlamaPresets.All.Values)
        {
            if (model.Llama4 is not null || model.Vision is not null)
            {
                TrainingPlan one = TrainingPlan.Create(new(model));
                Assert.Equal(18.0 * one.Parameters, one.PerDevice.Parameters + one.PerDevice.Gradients + one.PerDevice.Optimizer);
                Assert.Contains("of pictures", one.ToText(), StringComparison.Ordinal);
                PunaException refused = Assert.Throws<PunaException>(() => TrainingPlan.Create(new(model) { Target = PlanTarget.Cpu, Precision = PlanPrecision.Float32 }));
                Assert.Contains("expected a dense text model", refused.Message, StringComparison.Ordinal);
                continue;
            }

            TrainingPlan plan = TrainingPlan.Create(new(model));
            double d = model.Hidden, q = (double)model.Heads * model.HeadDim, kv = (double)model.KvHeads * model.HeadDim;
            double formula = (model.Vocab * d * (model.TiedEmbeddings ? 1 : 2)) + (model.Layers * ((2 * d * q) + (2 * d * kv) + (3 * d * model.Ffn) + (2 * d))) + d;
            Assert.Equal(formula, plan.Parameters);
            Assert.Equal(18 * formula, plan.PerDevice.Parameters + plan.PerDevice.Gradients + plan.PerDevice.Optimizer);
            Assert.All(plan.ToText().Split('\n'), static line => Assert.InRange(line.Length, 0, 100));
        }
    }

    /// <summary>Totals and active parameters as published: 109B and 17B, 400B and 17B; 11B and 90B with their encoders (spec llama4.md 1, llama1-3.md 4).</summary>
    [Theory]
    [InlineData("llama-4-scout", 107.8e9, 109e9, 16.8e9, 17.3e9)]
    [InlineData("llama-4-maverick", 400e9, 402e9, 16.8e9, 17.3e9)]
    [InlineData("llama-3.2-11b-vision", 10.6e9, 10.7e9, 9.7e9, 9.9e9)]
    [InlineData("llama-3.2-90b-vision", 88.5e9, 88.7e9, 87.6e9, 87.9e9)]
    public void ExpertsAndPicturesCount(string preset, double leastTotal, double mostTotal, double leastActive, double mostActive)
    {
        TrainingPlan plan = TrainingPlan.Create(new(LlamaPresets.All[preset]));
        Assert.InRange(plan.Parameters, leastTotal, mostTotal);
        Assert.InRange(plan.ActiveParameters, leastActive, mostActive);

        // What a token costs hangs on what it meets, without the embedding and norms; the rest is attention.
        LlamaConfig m = plan.Model;
        double attention = 6.0 * (m.Layers * (double)m.Heads * m.HeadDim * plan.SequenceLength);
        Assert.InRange((plan.FlopsPerToken - attention) / (6.0 * (plan.ActiveParameters - ((double)m.InputVocab * m.Hidden))), 0.97, 1.001);
    }

    [Fact]
    public void BlocksThatDifferAreCountedOneByOne()
    {
        // Maverick: every second of 48 blocks has 128 experts of 8192 x 5120 x 3 beside a shared one; 24 have one feed-forward layer of twice the width. Local layers see 8,192 tokens.
        LlamaConfig maverick = LlamaPresets.All["llama-4-maverick"];
        TrainingPlan plan = TrainingPlan.Create(new(maverick) { SequenceLength = 32768, PipelineParallel = 2, TensorParallel = 8 });
        double expert = 3.0 * 8192 * 5120, attention = (2.0 * 5120 * 5120) + (2.0 * 5120 * 1024);
        double pair = (2 * attention / 8) + (129 * expert / 8) + (128 * 5120) + (3.0 * 16384 * 5120 / 8) + (4 * 5120);
        double last = (24 / 2 * pair) + (202048.0 * 5120 / 8) + 5120;
        double first = (24 / 2 * pair) + (202048.0 * 5120 / 8);
        Assert.InRange(plan.AllDevices.Parameters / 2 / 8, first + last + (0.87e9 / 8), first + last + (0.88e9 / 8) + 1e6);
        double dense = (2 * ((4.0 * 5120) + (2 * 5120) + (2 * 1024) + (3 * 16384))) + (4 * 40);
        double routed = (2 * ((4.0 * 5120) + (2 * 5120) + (2 * 1024) + (6 * 8192) + 5120)) + (4 * (40 + 128));
        Assert.Equal((dense + routed) / 2, plan.ActivationBytesPerTokenAndLayer, 1e-6);
        double global = 6.0 * 5120 * 12 * (32768 - 8192);
        Assert.Equal(TrainingPlan.Create(new(maverick) { SequenceLength = 8192 }).FlopsPerToken + global, plan.FlopsPerToken, 1e3);
    }

    [Fact]
    public void ActivationsAreThoseOfTheSpecification()
    {
        TrainingPlan plan = TrainingPlan.Create(new(s_eight) { SequenceLength = 8192 });
        Assert.Equal(139_392, plan.ActivationBytesPerTokenAndLayer);
        Assert.Equal(36.5e9, plan.PerDevice.Activations, 0.05e9);
        Assert.Equal(0, plan.PerDevice.Recomputed);
        Assert.Equal(2.1e9, plan.PerDevice.Logits, 0.05e9);
        TrainingPlan full = TrainingPlan.Create(new(s_eight) { SequenceLength = 8192, Checkpointing = PlanCheckpointing.Full });
        Assert.Equal(2.15e9, full.PerDevice.Activations, 0.005e9);
        Assert.Equal(8192L * (139_392 - 8192), full.PerDevice.Recomputed);
        Assert.Equal(4.2e9, TrainingPlan.Create(new(s_eight) { SequenceLength = 8192, Precision = PlanPrecision.Float32 }).PerDevice.Logits, 0.05e9);
        Assert.Equal(1024.0 * 128256 * 2, TrainingPlan.Create(new(s_eight) { SequenceLength = 8192, LossRows = 1024 }).PerDevice.Logits);
    }

    /// <summary>Bytes of state per parameter, the table of Megatron-LM's distributed optimiser.</summary>
    [Theory]
    [InlineData(PlanPrecision.BFloat16, PlanZero.None, 8, 18.0)]
    [InlineData(PlanPrecision.BFloat16, PlanZero.Optimizer, 8, 6 + (12.0 / 8))]
    [InlineData(PlanPrecision.BFloat16, PlanZero.Gradients, 8, 2 + (16.0 / 8))]
    [InlineData(PlanPrecision.BFloat16, PlanZero.Full, 8, 18.0 / 8)]
    [InlineData(PlanPrecision.Float32, PlanZero.None, 8, 16.0)]
    [InlineData(PlanPrecision.Float32, PlanZero.Optimizer, 8, 8 + (8.0 / 8))]
    [InlineData(PlanPrecision.Float32, PlanZero.Full, 8, 16.0 / 8)]
    [InlineData(PlanPrecision.BFloat16, PlanZero.Full, 1, 18.0)]
    public void StateBytesAreThoseOfTheTable(PlanPrecision precision, PlanZero zero, int ranks, double expected)
    {
        MemoryPlan memory = TrainingPlan.Create(new(s_eight) { Precision = precision, Zero = zero, DataParallel = ranks }).PerDevice;
        Assert.Equal(expected, (memory.Parameters + memory.Gradients + memory.Optimizer) / s_eight.ParameterCount, 1e-9);

        // Gathered: the largest of a block (218,112,000 parameters) and an embedding (525,336,576).
        Assert.Equal(zero == PlanZero.Full && ranks > 1 ? 128256.0 * 4096 * (precision == PlanPrecision.BFloat16 ? 2 : 4) : 0, memory.Gathered);
    }

    [Fact]
    public void TheLargestRunHasItsPublishedLayout()
    {
        TrainingPlan plan = TrainingPlan.Create(new(LlamaPresets.All["llama-3.1-405b"])
        {
            SequenceLength = 8192, GlobalBatchTokens = 128L * 16 * 8192, TensorParallel = 8, PipelineParallel = 16, DataParallel = 128, Zero = PlanZero.Gradients, Tokens = 15.6e12, PeakFlops = 989e12, Utilization = 0.41,
        });

        // 16,384 devices with 16 M tokens per step, first and last stage a block lighter; 3.8e25 operations (arXiv 2407.21783).
        Assert.Equal(16384, plan.Devices);
        Assert.Equal([7, .. Enumerable.Repeat(8, 14), 7], plan.StageLayers);
        Assert.Equal(16, plan.MicroBatches);
        Assert.Equal(15.0 / 16, plan.PipelineBubble);
        Assert.InRange(plan.TotalFlops!.Value, 3.7e25, 4.1e25);
        Assert.InRange(plan.Days!.Value, 60, 75);

        // Without recomputation it fits devices of 80 GB, as published. The second stage is the fullest: a block more than the first, and 15 micro-batches under way.
        Assert.InRange(plan.PerDevice.Total, 40e9, 80e9);
        Assert.Equal(1, plan.FullestStage);
        Assert.Equal(15 * 8 * 1024.0 * ((2 * ((6 * 16384) + (2 * 1024) + (3 * 53248))) + (4 * 128)), plan.PerDevice.Activations);
    }

    [Fact]
    public void RanksAddUpToTheWhole()
    {
        // Without replicated norms and optimiser copies the devices of one data-parallel rank hold the model once.
        TrainingPlan one = TrainingPlan.Create(new(s_eight) { SequenceLength = 4096 });
        TrainingPlan eight = TrainingPlan.Create(new(s_eight) { SequenceLength = 4096, TensorParallel = 4, PipelineParallel = 2 });
        double norms = (65 * 4096.0) * 3 * 2;
        Assert.Equal(one.PerDevice.Parameters + norms, eight.AllDevices.Parameters, 1);
        Assert.Equal(one.PerDevice.Activations, eight.AllDevices.Activations, 1);
        Assert.Equal(one.PerDevice.Logits, eight.AllDevices.Logits, 1);
        TrainingPlan context = TrainingPlan.Create(new(s_eight) { SequenceLength = 4096, ContextParallel = 4 });
        Assert.Equal(one.PerDevice.Activations / 4, context.PerDevice.Activations, 1);
        Assert.Equal(one.PerDevice.Parameters, context.PerDevice.Parameters);

        // With micro-batches enough, the first stage has as many under way as there are stages.
        TrainingPlan busy = TrainingPlan.Create(new(s_eight) { SequenceLength = 4096, PipelineParallel = 4, GlobalBatchTokens = 4096 * 32 });
        Assert.Equal(0, busy.FullestStage);
        Assert.Equal(one.PerDevice.Activations, busy.PerDevice.Activations, 1);
        Assert.Equal(one.PerDevice.Activations * (4 + 3 + 2 + 1) / 4, busy.AllDevices.Activations, 1);
    }

    /// <summary>As many ranks as numbers allow are counted, not wrapped around: 2^16 x 2^16 do not fit 32 bits.</summary>
    [Fact]
    public void RanksThatDoNotFitAnIntAreCounted()
    {
        TrainingPlan plan = TrainingPlan.Create(new(s_eight with { ContextLength = 1 << 17 }) { SequenceLength = 1 << 17, ContextParallel = 1 << 16, DataParallel = 1 << 16, Zero = PlanZero.Optimizer });
        Assert.Equal(Math.Pow(2, 32), plan.Devices);
        Assert.Equal(12 * 8_030_261_248 / Math.Pow(2, 32), plan.PerDevice.Optimizer, 1e-6);
    }

    [Fact]
    public void TiedEmbeddingsOfTwoStagesAreTwo()
    {
        LlamaConfig one = LlamaPresets.All["llama-3.2-1b"];
        double embedding = 128256.0 * 2048 * 2;
        Assert.Equal(TrainingPlan.Create(new(one)).AllDevices.Parameters + embedding, TrainingPlan.Create(new(one) { PipelineParallel = 4 }).AllDevices.Parameters, 1);
    }

    [Fact]
    public void OperationsAreCounted()
    {
        // 6 per matrix parameter (all but the embedding and 65 norms) and 6 h e S per layer.
        TrainingPlan plan = TrainingPlan.Create(new(s_eight) { SequenceLength = 8192, Checkpointing = PlanCheckpointing.Full, GlobalBatchTokens = 8192 * 4, Tokens = 1e9 });
        double blocks = 6.0 * (8_030_261_248L - (2 * 128256L * 4096) - (65 * 4096L)) + (6.0 * 32 * 4096 * 8192), head = 6.0 * 128256 * 4096;
        Assert.Equal(blocks + head, plan.FlopsPerToken, 1);
        Assert.Equal((blocks * 4 / 3) + head, plan.HardwareFlopsPerToken, 1);
        Assert.Equal(plan.FlopsPerToken * 8192 * 4, plan.FlopsPerStep);
        Assert.Equal(plan.FlopsPerToken * 1e9, plan.TotalFlops!.Value);
        Assert.Equal(30518, plan.Steps!.Value);
        Assert.Null(plan.Days);
    }

    public static TheoryData<TrainingPlanOptions, string> Wrong => new()
    {
        { new(s_eight) { TensorParallel = 3 }, "heads: expected a multiple of the 3 tensor-parallel ranks, got 32 (plan)" },
        { new(s_eight) { TensorParallel = 16 }, "key-value heads: expected a multiple of the 16 tensor-parallel ranks, got 8 (plan)" },
        { new(s_eight) { PipelineParallel = 5 }, "layers: expected a multiple of the 5 pipeline stages, or two less than one, got 32 (plan)" },
        { new(s_eight) { SequenceLength = 8190, ContextParallel = 4 }, "sequence length: expected a multiple of the 8 pieces of the context-parallel ranks, got 8190 (plan)" },
        { new(s_eight) { SequenceLength = 100_000 }, "sequence length: expected 1 to 8192 tokens, got 100000 (plan)" },
        { new(s_eight) { GlobalBatchTokens = 10_000 }, "global batch: expected a multiple of 8192 tokens (sequence x micro-batch x data-parallel ranks), got 10000 (plan)" },
        { new(s_eight) { MicroBatch = 0 }, "micro-batch: expected at least 1, got 0 (plan)" },
        { new(s_eight) { DataParallel = -1 }, "data-parallel ranks: expected at least 1, got -1 (plan)" },
        { new(s_eight) { MicroBatch = int.MaxValue, DataParallel = int.MaxValue }, "tokens of a step: expected at most 9223372036854775807 (sequence x micro-batch x data-parallel ranks), got 37778931827772789628928 (plan)" },
        { new(s_eight) { Target = PlanTarget.Cpu, Precision = PlanPrecision.Float32, MicroBatch = int.MaxValue }, "tokens of a micro-batch: expected at most 268435456 (sequence x micro-batch), got 17592186036224 (plan)" },
        { new(s_eight) { Utilization = 1.5 }, "utilization: expected a share above 0 and at most 1, got 1.5 (plan)" },
        { new(s_eight) { PeakFlops = 0 }, "peak operations per second: expected a positive number, got 0 (plan)" },
        { new(s_eight) { Tokens = double.NaN }, "tokens: expected a positive number, got NaN (plan)" },
        { new(s_eight) { Target = PlanTarget.Cpu }, "precision: expected float32, which this library's own trainer computes in, got BFloat16 (plan)" },
        { new(s_eight) { Target = PlanTarget.Cpu, Precision = PlanPrecision.Float32, DataParallel = 2 }, "parallel layout: expected one device, which this library's own trainer runs on, got 2 devices, ZeRO None (plan)" },
        { new(s_eight with { Heads = 0 }), "heads: expected 1 to 65536, got 0 (plan)" },
    };

    [Theory]
    [MemberData(nameof(Wrong), DisableDiscoveryEnumeration = true)]
    public void WhatDoesNotFitIsSaidInOneLine(TrainingPlanOptions options, string message) =>
        Assert.Equal(message, Assert.Throws<PunaException>(() => TrainingPlan.Create(options)).Message);

    [Fact]
    public void TextAndJsonSayTheSame()
    {
        TrainingPlan plan = TrainingPlan.Create(new(s_eight) { SequenceLength = 8192, Checkpointing = PlanCheckpointing.Full, DataParallel = 4, Zero = PlanZero.Full, Tokens = 1e12, PeakFlops = 1e15 });
        string text = plan.ToText();
        Assert.StartsWith("llama-3-8b: 8.03 B parameters (8,030,261,248)\nbfloat16, float32 masters, 4 devices (DP 4), all state shared, blocks are run again", text, StringComparison.Ordinal);
        Assert.Matches(@"\n  activations +2\.15 GB +8\.59 GB\n", text);
        Assert.Matches(@"\n  parameters +4\.02 GB +16\.1 GB\n", text);
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            plan.WriteJson(writer);
        }

        using JsonDocument json = JsonDocument.Parse(stream.ToArray());
        JsonElement root = json.RootElement;
        Assert.Equal(8_030_261_248, root.GetProperty("parameters").GetInt64());
        Assert.Equal("full", root.GetProperty("zero").GetString());
        Assert.Equal(8192.0 * 32 * 8192, root.GetProperty("bytes_per_device").GetProperty("activations").GetDouble());
        Assert.Equal(plan.PerDevice.Total, root.GetProperty("bytes_per_device").GetProperty("total").GetDouble(), 1);
        Assert.Equal(plan.Days!.Value, root.GetProperty("days").GetDouble());
        Assert.Equal(plan.FlopsPerToken, root.GetProperty("flops_per_token").GetDouble());
    }
}
