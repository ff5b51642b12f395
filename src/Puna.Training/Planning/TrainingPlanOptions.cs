using Puna.Models;

namespace Puna.Training.Planning;

/// <summary>What is to be trained, and on what.</summary>
/// <param name="Model">The model, a preset (<see cref="LlamaPresets"/>) or any config.</param>
public sealed record TrainingPlanOptions(LlamaConfig Model)
{
    /// <summary>What activations are estimated for.</summary>
    public PlanTarget Target { get; init; } = PlanTarget.Cluster;

    /// <summary>Tokens of a sequence; null means the model's context, of at most 8192.</summary>
    public int? SequenceLength { get; init; }

    /// <summary>Sequences that go through a device at a time.</summary>
    public int MicroBatch { get; init; } = 1;

    /// <summary>Tokens of an optimiser's step over all devices; null means one micro-batch for each pipeline.</summary>
    public long? GlobalBatchTokens { get; init; }

    /// <summary>Types.</summary>
    public PlanPrecision Precision { get; init; } = PlanPrecision.BFloat16;

    /// <summary>What is kept of a block.</summary>
    public PlanCheckpointing Checkpointing { get; init; } = PlanCheckpointing.None;

    /// <summary>Tensor-parallel ranks: heads, feed-forward width, vocabulary; norms and residual along the sequence.</summary>
    public int TensorParallel { get; init; } = 1;

    /// <summary>Pipeline stages: layers.</summary>
    public int PipelineParallel { get; init; } = 1;

    /// <summary>Data-parallel ranks.</summary>
    public int DataParallel { get; init; } = 1;

    /// <summary>Context-parallel ranks: the tokens of a sequence.</summary>
    public int ContextParallel { get; init; } = 1;

    /// <summary>What data-parallel ranks share; context-parallel ones, which hold the same weights, count among them.</summary>
    public PlanZero Zero { get; init; } = PlanZero.None;

    /// <summary>Rows of logits that exist at a time; null means all of a micro-batch on <see cref="PlanTarget.Cluster"/> and the trainer's 1024 on <see cref="PlanTarget.Cpu"/>.</summary>
    public int? LossRows { get; init; }

    /// <summary>Threads that compute, on <see cref="PlanTarget.Cpu"/>: each has scratch memory.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Tokens of the whole run, for an estimate of its operations.</summary>
    public double? Tokens { get; init; }

    /// <summary>What a device does at most, operations per second, for an estimate of time.</summary>
    public double? PeakFlops { get; init; }

    /// <summary>Share of the peak that becomes useful work, above 0 and at most 1.</summary>
    public double Utilization { get; init; } = 0.4;
}
