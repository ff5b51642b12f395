using Puna.Cli.Hosting;
using Puna.Cli.Parsing;
using Puna.Models;
using Puna.Training.Planning;

namespace Puna.Cli.Commands;

/// <summary>The options of <c>puna train plan</c>.</summary>
internal static class PlanArguments
{
    private static readonly string[] Presets = [.. LlamaPresets.All.Keys];
    private static readonly Option<string?> Preset = Parsing.Options.Text("preset", "NAME", $"The model: {string.Join(", ", Presets)}");
    private static readonly Option<string?> Target = Parsing.Options.Choice("target", "T", "Accelerators, or this program's own trainer on one machine", ["cluster", "cpu"], "cluster");
    private static readonly Option<long?> Sequence = Parsing.Options.OptionalInteger("sequence", "N", "Tokens of a text", "the context, at most 8192", 1, LlamaConfig.MostPositions);
    private static readonly Option<int> MicroBatch = Parsing.Options.Integer("micro-batch", "N", "Texts that go through a device together", 1, 1);
    private static readonly Option<long?> BatchTokens = Parsing.Options.OptionalInteger("batch-tokens", "N", "Tokens of a step over all devices", "one micro-batch each", 1, long.MaxValue);
    private static readonly Option<string?> Precision = Parsing.Options.Choice("precision", "P", "Type of weights and activations", ["bf16", "f32"], "bf16");
    private static readonly Option<bool> Checkpointing = Parsing.Options.Flag("checkpointing", "Keep only the input of each block for the way back");
    private static readonly Option<int> Tensor = Parsing.Options.Integer("tp", "N", "Tensor-parallel ranks", 1, 1);
    private static readonly Option<int> Pipeline = Parsing.Options.Integer("pp", "N", "Pipeline stages", 1, 1);
    private static readonly Option<int> Data = Parsing.Options.Integer("dp", "N", "Data-parallel ranks", 1, 1);
    private static readonly Option<int> Context = Parsing.Options.Integer("cp", "N", "Context-parallel ranks", 1, 1);
    private static readonly Option<string?> Zero = Parsing.Options.Choice("zero", "Z", "What data-parallel ranks share", ["none", "optimizer", "gradients", "full"], "none");
    private static readonly Option<double> Tokens = Parsing.Options.Number("tokens", "N", "Tokens of the whole run, for an estimate of time; 0 for none", 0, 0, 1e18);
    private static readonly Option<double> Peak = Parsing.Options.Number("peak-flops", "F", "What a device does at most, operations per second; 0 for no estimate", 0, 0, 1e20);
    private static readonly Option<double> Utilization = Parsing.Options.Number("mfu", "S", "Share of that which becomes useful work", 0.4, 0.001, 1);
    private static readonly Option<bool> Json = CommonOptions.Json();

    /// <summary>The options, for the help page.</summary>
    public static OptionGroup Group { get; } =
        new("Plan", Preset, Target, Sequence, MicroBatch, BatchTokens, Precision, Checkpointing, Tensor, Pipeline, Data, Context, Zero, Tokens, Peak, Utilization, Json);

    /// <summary>Prints a plan.</summary>
    public static int Execute(CommandContext context)
    {
        ParsedArguments args = context.Args;
        string name = args.Get(Preset) ?? throw new UsageException("train plan: expected --preset NAME, got none (puna help train lists them)");
        LlamaConfig model = LlamaPresets.Find(name)
            ?? throw new UsageException($"unknown preset {UsageException.Quote(name)}{(Suggestions.Nearest(name, Presets) is { } near ? $", did you mean {near}?" : "")} (puna help train lists them)");
        TrainingPlan plan = TrainingPlan.Create(new TrainingPlanOptions(model)
        {
            Target = args.Get(Target) == "cpu" ? PlanTarget.Cpu : PlanTarget.Cluster,
            SequenceLength = (int?)args.Get(Sequence),
            MicroBatch = args.Get(MicroBatch),
            GlobalBatchTokens = args.Get(BatchTokens),
            Precision = args.Get(Precision) == "f32" || (args.Get(Target) == "cpu" && !args.Has(Precision)) ? PlanPrecision.Float32 : PlanPrecision.BFloat16,
            Checkpointing = args.Get(Checkpointing) ? PlanCheckpointing.Full : PlanCheckpointing.None,
            TensorParallel = args.Get(Tensor),
            PipelineParallel = args.Get(Pipeline),
            DataParallel = args.Get(Data),
            ContextParallel = args.Get(Context),
            Zero = Enum.Parse<PlanZero>(args.Get(Zero)!, ignoreCase: true),
            Tokens = args.Get(Tokens) > 0 ? args.Get(Tokens) : null,
            PeakFlops = args.Get(Peak) > 0 ? args.Get(Peak) : null,
            Utilization = args.Get(Utilization),
        });
        if (args.Get(Json))
        {
            using var line = new JsonOutput(context.Out);
            plan.WriteJson(line.Writer);
        }
        else
        {
            context.Out.WriteLine(plan.ToText().TrimEnd());
        }

        return ExitCodes.Done;
    }
}
