using System.Globalization;
using System.Text;

namespace Puna.Training.Planning;

/// <summary>A plan as text of at most 80 columns.</summary>
internal static class PlanText
{
    private const int NameWidth = 32;
    private const int NumberWidth = 14;

    private static readonly string[] s_large = ["", " K", " M", " B", " T"];
    private static readonly string[] s_bytes = ["B", "KB", "MB", "GB", "TB", "PB"];

    public static string Render(TrainingPlan plan)
    {
        TrainingPlanOptions o = plan.Options;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{plan.Model.Name}: {Large(plan.Parameters)} parameters ({plan.Parameters:N0}){(plan.ActiveParameters < plan.Parameters ? $", {Large(plan.ActiveParameters)} per token of text" : "")}\n");
        text.Append(o.Target == PlanTarget.Cpu ? "Puna's own trainer, float32, one device"
            : $"{(o.Precision == PlanPrecision.BFloat16 ? "bfloat16, float32 masters" : "float32")}, {Count(plan.Devices, "device")}{Ranks(o)}");
        text.Append(o.Checkpointing == PlanCheckpointing.Full ? ", blocks are run again on the way back\n" : "\n");
        text.Append(CultureInfo.InvariantCulture, $"sequences of {plan.SequenceLength:N0} tokens, {Large(plan.StepTokens)} tokens per step ({Count(plan.MicroBatches, "micro-batch", "micro-batches")} of {o.MicroBatch:N0})\n\n");

        bool many = plan.Devices > 1;
        string stage = plan.StageLayers.Count > 1 ? $"stage {plan.FullestStage + 1} of {plan.StageLayers.Count}" : "";
        Line(text, "memory" + (many ? ", of the fullest device" : ""), many ? "per device" : "", many ? "all devices" : "");
        foreach (((string name, double bytes), (_, double all)) in plan.PerDevice.Parts().Zip(plan.AllDevices.Parts()))
        {
            if (all > 0)
            {
                Line(text, "  " + Title(name), Bytes(bytes), many ? Bytes(all) : "");
            }
        }

        Line(text, "  total" + (stage.Length > 0 ? $" ({stage})" : ""), Bytes(plan.PerDevice.Total), many ? Bytes(plan.AllDevices.Total) : "");
        text.Append("\ncompute\n");
        Line(text, "  per token", Flops(plan.FlopsPerToken), "");
        if (plan.HardwareFlopsPerToken > plan.FlopsPerToken)
        {
            Line(text, "  with recomputation", Flops(plan.HardwareFlopsPerToken), "");
        }

        Line(text, "  per step", Flops(plan.FlopsPerStep), "");
        if (o.PipelineParallel > 1)
        {
            Line(text, "  pipeline bubble over work", (100 * plan.PipelineBubble).ToString("F1", CultureInfo.InvariantCulture) + " %", "");
        }

        if (plan.TotalFlops is double total)
        {
            Line(text, "  whole run", Flops(total), "");
            Line(text, "  tokens", Large(o.Tokens!.Value), "");
            Line(text, "  steps", Large(plan.Steps!.Value), "");
        }

        if (plan.Days is double days)
        {
            Line(text, "  time", Duration(days), "");
            text.Append(CultureInfo.InvariantCulture, $"  at {Flops(o.PeakFlops!.Value)}/s per device and {100 * o.Utilization:0.#} % of it used\n");
        }

        if (plan.LeavesOutPictures)
        {
            text.Append("\nof pictures the encoder's weights, gradients and optimizer are counted; what\nthey leave behind and cost is not\n");
        }

        return text.ToString();
    }

    private static string Ranks(TrainingPlanOptions o)
    {
        var parts = new List<string>();
        foreach ((string name, int ranks) in (ReadOnlySpan<(string, int)>)[("TP", o.TensorParallel), ("CP", o.ContextParallel), ("PP", o.PipelineParallel), ("DP", o.DataParallel)])
        {
            if (ranks > 1)
            {
                parts.Add($"{name} {ranks.ToString(CultureInfo.InvariantCulture)}");
            }
        }

        string zero = o.Zero switch { PlanZero.Optimizer => "optimizer shared", PlanZero.Gradients => "optimizer and gradients shared", PlanZero.Full => "all state shared", _ => "" };
        string ranksText = parts.Count == 0 ? "" : $" ({string.Join(" x ", parts)})";
        return ranksText + (zero.Length == 0 ? "" : ", " + zero);
    }

    private static string Title(string name) => name switch
    {
        "gathered" => "gathered weights",
        "recomputed" => "block run again",
        "activation_gradients" => "gradients of activations",
        _ => name,
    };

    private static void Line(StringBuilder text, string name, string first, string second) =>
        text.Append((name.PadRight(NameWidth) + first.PadLeft(NumberWidth) + second.PadLeft(NumberWidth)).TrimEnd()).Append('\n');

    private static string Count(double count, string one, string? many = null) =>
        string.Create(CultureInfo.InvariantCulture, $"{count:N0} {(count == 1 ? one : many ?? one + "s")}");

    private static string Large(double value) => Scaled(value, s_large);

    private static string Bytes(double value) => value < 1000 ? value.ToString("0", CultureInfo.InvariantCulture) + " B" : Scaled(value, s_bytes, " ");

    private static string Flops(double value) => value.ToString("0.00e+0", CultureInfo.InvariantCulture).Replace("e+", "e", StringComparison.Ordinal) + " FLOPs";

    private static string Duration(double days) =>
        days >= 2 ? days.ToString("N1", CultureInfo.InvariantCulture) + " days"
        : days * 24 >= 2 ? (days * 24).ToString("F1", CultureInfo.InvariantCulture) + " hours"
        : days * 24 * 60 >= 2 ? (days * 24 * 60).ToString("F1", CultureInfo.InvariantCulture) + " minutes"
        : (days * 24 * 3600).ToString("F1", CultureInfo.InvariantCulture) + " seconds";

    /// <summary>Three digits that count, in steps of a thousand (bytes too, as the published numbers are).</summary>
    private static string Scaled(double value, string[] units, string gap = "")
    {
        int unit = 0;
        while (value >= 999.5 && unit < units.Length - 1)
        {
            value /= 1000;
            unit++;
        }

        string format = value >= 100 || value == Math.Floor(value) ? "N0" : value >= 10 ? "F1" : "F2";
        return value.ToString(format, CultureInfo.InvariantCulture) + gap + units[unit];
    }
}
