using Puna.Models;
using Puna.Tensors;

namespace Puna.Training.Planning;

/// <summary>Options with their defaults filled in, checked against each other, and what follows for stages and micro-batches.</summary>
internal sealed class PlanLayout
{
    private const int DefaultContext = 8192;
    private const int DefaultLossRows = 1024;

    // As many as the recipes train on in a step; with more, counts of bytes would not fit 64 bits.
    private const long MostCpuTokens = 1 << 28;

    public PlanLayout(TrainingPlanOptions options)
    {
        Options = options;
        Model = options.Model.Validate("plan");
        Sequence = options.SequenceLength ?? Math.Min(Model.ContextLength, DefaultContext);
        Require(Sequence >= 1 && Sequence <= Model.TokenLimit, "sequence length", $"1 to {Model.TokenLimit} tokens", Sequence);
        AtLeastOne("micro-batch", options.MicroBatch);
        AtLeastOne("tensor-parallel ranks", Tp);
        AtLeastOne("pipeline stages", Pp);
        AtLeastOne("data-parallel ranks", Dp);
        AtLeastOne("context-parallel ranks", Cp);
        AtLeastOne("threads", options.Threads);
        AtLeastOne("rows of logits", options.LossRows ?? 1);
        if (Model.Labels > 0)
        {
            throw new PunaException($"model {Model.Name}: expected a language model, got a classifier of {Model.Labels} labels (plan)");
        }

        if (options.Target == PlanTarget.Cpu)
        {
            Require(options.Precision == PlanPrecision.Float32, "precision", "float32, which this library's own trainer computes in", options.Precision);
            Require((long)Sequence * options.MicroBatch <= MostCpuTokens, "tokens of a micro-batch", $"at most {MostCpuTokens} (sequence x micro-batch)", (long)Sequence * options.MicroBatch);
            Require(Tp == 1 && Pp == 1 && Dp == 1 && Cp == 1 && options.Zero == PlanZero.None, "parallel layout", "one device, which this library's own trainer runs on", $"{Devices} devices, ZeRO {options.Zero}");
        }

        // Whatever tensor parallelism cuts.
        Divides("heads", Model.Heads, Tp, "tensor-parallel ranks");
        Divides("key-value heads", Model.KvHeads, Tp, "tensor-parallel ranks");
        Divides("feed-forward size", Model.Ffn, Tp, "tensor-parallel ranks");
        if (Model.Llama4 is { } four)
        {
            Divides("expert feed-forward size", four.ExpertFfn, Tp, "tensor-parallel ranks");
        }

        Divides("vocabulary", Model.Vocab, Tp, "tensor-parallel ranks");
        if (Cp > 1)
        {
            // Each rank has two pieces, an early and a late one, so that all attend equally much (spec training.md 11).
            Divides("sequence length", Sequence, 2L * Cp, "pieces of the context-parallel ranks");
        }

        Divides("sequence length per context-parallel rank", Sequence / Cp, Tp, "tensor-parallel ranks");
        StageLayers = Stages();
        Int128 all = (Int128)Sequence * options.MicroBatch * Dp;
        Require(all <= long.MaxValue, "tokens of a step", $"at most {long.MaxValue} (sequence x micro-batch x data-parallel ranks)", all);
        long unit = (long)all;
        StepTokens = options.GlobalBatchTokens ?? unit;
        Require(StepTokens >= unit && StepTokens % unit == 0, "global batch", $"a multiple of {unit} tokens (sequence x micro-batch x data-parallel ranks)", StepTokens);
        MicroBatches = StepTokens / unit;
        LossRows = options.LossRows ?? (options.Target == PlanTarget.Cpu ? DefaultLossRows : int.MaxValue);
        Positive("tokens", options.Tokens);
        Positive("peak operations per second", options.PeakFlops);
        Require(options.Utilization is > 0 and <= 1, "utilization", "a share above 0 and at most 1", FormattableString.Invariant($"{options.Utilization}"));
    }

    public TrainingPlanOptions Options { get; }

    public LlamaConfig Model { get; }

    public int Tp => Options.TensorParallel;

    public int Pp => Options.PipelineParallel;

    public int Dp => Options.DataParallel;

    public int Cp => Options.ContextParallel;

    public double Devices => (double)Tp * Cp * Pp * Dp;

    public int Sequence { get; }

    /// <summary>Blocks of each stage.</summary>
    public int[] StageLayers { get; }

    /// <summary>Tokens of an optimiser's step.</summary>
    public long StepTokens { get; }

    /// <summary>Micro-batches of a pipeline per step.</summary>
    public long MicroBatches { get; }

    public int LossRows { get; }

    private static void Positive(string what, double? value) => Require(value is null || (double.IsFinite(value.Value) && value > 0), what, "a positive number", FormattableString.Invariant($"{value}"));

    private static void AtLeastOne(string what, int value) => Require(value >= 1, what, "at least 1", value);

    private static void Divides(string what, long value, long by, string parts) => Require(value % by == 0, what, $"a multiple of the {by} {parts}", value);

    private static void Require(bool condition, string what, string expected, object got)
    {
        if (!condition)
        {
            throw new PunaException($"{what}: expected {expected}, got {got} (plan)");
        }
    }

    /// <summary>Equal stages, or, as in Llama 3 405B, a first and a last one with a block less, since they have the embedding and the output layer (spec training.md 11).</summary>
    private int[] Stages()
    {
        bool lighter = Pp > 1 && Model.Layers % Pp != 0 && (Model.Layers + 2) % Pp == 0 && (Model.Layers + 2) / Pp > 1;
        Require(lighter || Model.Layers % Pp == 0, "layers", $"a multiple of the {Pp} pipeline stages, or two less than one", Model.Layers);
        int[] layers = [.. Enumerable.Repeat((Model.Layers + (lighter ? 2 : 0)) / Pp, Pp)];
        if (lighter)
        {
            layers[0]--;
            layers[^1]--;
        }

        return layers;
    }
}
