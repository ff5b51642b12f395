using System.Text.Json;
using Puna.Models;
using Puna.Tensors;
using Puna.Training.Core;

namespace Puna.Training.Planning;

/// <summary>Memory, operations and time of a training run, before it is run (spec training.md 1.11). Communication buffers and what a driver takes for itself are not counted.</summary>
public sealed class TrainingPlan
{
    private const double SecondsPerDay = 86400;

    private TrainingPlan(PlanLayout layout)
    {
        Options = layout.Options;
        Model = layout.Model;
        SequenceLength = layout.Sequence;
        StepTokens = layout.StepTokens;
        MicroBatches = layout.MicroBatches;
        Devices = layout.Devices;
        StageLayers = layout.StageLayers;
        var sizes = new BlockSize(Model, 1, Options.Precision == PlanPrecision.BFloat16 ? 2 : 4);
        ActivationBytesPerTokenAndLayer = Enumerable.Range(0, Model.Layers).Average(sizes.BytesPerToken);
        double copies = Devices / layout.Pp;
        PerDevice = new MemoryPlan();
        AllDevices = new MemoryPlan();
        for (int stage = 0; stage < layout.Pp; stage++)
        {
            MemoryPlan memory = Options.Target == PlanTarget.Cpu ? CpuMemory.Estimate(layout) : ClusterMemory.OfStage(layout, stage);
            AllDevices = AllDevices.Plus(memory.Times(copies));
            if (stage == 0 || memory.Total > PerDevice.Total)
            {
                (PerDevice, FullestStage) = (memory, stage);
            }
        }

        FlopsPerToken = FlopCount.TrainingPerToken(Model, SequenceLength);
        HardwareFlopsPerToken = FlopsPerToken;
        if (Options.Checkpointing == PlanCheckpointing.Full)
        {
            // Forward is a third of forward and backward; blocks go forward twice.
            HardwareFlopsPerToken += (FlopsPerToken - (6.0 * Model.Vocab * Model.Hidden)) / 3;
        }
    }

    /// <summary>What was asked for.</summary>
    public TrainingPlanOptions Options { get; }

    /// <summary>The model.</summary>
    public LlamaConfig Model { get; }

    /// <summary>Tokens of a sequence.</summary>
    public int SequenceLength { get; }

    /// <summary>Tokens of an optimiser's step.</summary>
    public long StepTokens { get; }

    /// <summary>Micro-batches that go through each pipeline per step.</summary>
    public long MicroBatches { get; }

    /// <summary>Devices in all: tensor x context x pipeline x data.</summary>
    public double Devices { get; }

    /// <summary>Blocks of each pipeline stage.</summary>
    public IReadOnlyList<int> StageLayers { get; }

    /// <summary>Parameters of the model, those for pictures included; a tied embedding counts once.</summary>
    public long Parameters => Model.ParameterCount + (Model.Llama4?.Vision?.ParameterCount(Model.Hidden) ?? 0);

    /// <summary>Parameters that a token of text meets: of routed experts as many as it is sent to, and no picture encoder.</summary>
    public long ActiveParameters => Model.ActiveParameterCount - (Model.Vision is null ? 0 : Model.Parameters().Where(static p => p.Name.StartsWith("vision_model.", StringComparison.Ordinal)).Sum(static p => p.Shape.Count));

    /// <summary>Whether the model sees pictures. Their encoder's weights, gradients and optimiser are counted; what pictures leave behind and cost is not, since that hangs on how many there are.</summary>
    public bool LeavesOutPictures => Model.Vision is not null || Model.Llama4?.Vision is not null;

    /// <summary>Bytes of a device of the stage that needs the most.</summary>
    public MemoryPlan PerDevice { get; }

    /// <summary>The stage that needs the most, from 0.</summary>
    public int FullestStage { get; }

    /// <summary>Bytes of all devices together.</summary>
    public MemoryPlan AllDevices { get; }

    /// <summary>Bytes that a token leaves behind in a block where nothing is recomputed, all ranks together; the mean over blocks where they differ.</summary>
    public double ActivationBytesPerTokenAndLayer { get; }

    /// <summary>Operations per token, forward and backward, attention causal, without recomputation.</summary>
    public double FlopsPerToken { get; }

    /// <summary>Operations per token that are really done: with recomputation.</summary>
    public double HardwareFlopsPerToken { get; }

    /// <summary>Operations of an optimiser's step.</summary>
    public double FlopsPerStep => FlopsPerToken * StepTokens;

    /// <summary>Operations of the whole run, where its tokens are known.</summary>
    public double? TotalFlops => FlopsPerToken * Options.Tokens;

    /// <summary>Steps of the whole run, where its tokens are known.</summary>
    public double? Steps => Options.Tokens is double tokens ? Math.Ceiling(tokens / StepTokens) : null;

    /// <summary>Idle time of a pipeline over its working time: (stages - 1) / micro-batches. Whoever measures a utilization has it in there.</summary>
    public double PipelineBubble => (Options.PipelineParallel - 1.0) / MicroBatches;

    /// <summary>Days that the run takes, where its tokens and the devices' peak are known.</summary>
    public double? Days => TotalFlops / (Devices * Options.PeakFlops * Options.Utilization * SecondsPerDay);

    /// <summary>Makes a plan.</summary>
    /// <exception cref="PunaException">Numbers that do not fit each other; the message names them.</exception>
    public static TrainingPlan Create(TrainingPlanOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.Target == PlanTarget.Cpu && options.Model is { Llama4: not null } or { Vision: not null })
        {
            throw new PunaException($"plan of {options.Model.Name}: expected a dense text model for the trainer on one machine, got one with {(options.Model.Vision is null ? "experts" : "a picture encoder")}");
        }

        return new(new PlanLayout(options));
    }

    /// <summary>The plan as lines for a terminal.</summary>
    public string ToText() => PlanText.Render(this);

    /// <summary>The plan as a JSON object, <c>snake_case</c>, bytes and operations as plain numbers.</summary>
    public void WriteJson(Utf8JsonWriter writer) => PlanJson.Write(this, writer);
}
