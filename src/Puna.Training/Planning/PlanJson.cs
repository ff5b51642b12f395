using System.Text.Json;

namespace Puna.Training.Planning;

/// <summary>A plan as JSON.</summary>
internal static class PlanJson
{
    public static void Write(TrainingPlan plan, Utf8JsonWriter writer)
    {
        TrainingPlanOptions o = plan.Options;
        writer.WriteStartObject();
        writer.WriteString("model", plan.Model.Name);
        writer.WriteNumber("parameters", plan.Parameters);
        writer.WriteNumber("active_parameters", plan.ActiveParameters);
        writer.WriteBoolean("leaves_out_pictures", plan.LeavesOutPictures);
        writer.WriteString("target", o.Target == PlanTarget.Cpu ? "cpu" : "cluster");
        writer.WriteString("precision", o.Precision == PlanPrecision.BFloat16 ? "bf16" : "fp32");
        writer.WriteString("checkpointing", o.Checkpointing == PlanCheckpointing.Full ? "full" : "none");
        writer.WriteString("zero", o.Zero switch { PlanZero.Optimizer => "optimizer", PlanZero.Gradients => "gradients", PlanZero.Full => "full", _ => "none" });
        writer.WriteNumber("tensor_parallel", o.TensorParallel);
        writer.WriteNumber("context_parallel", o.ContextParallel);
        writer.WriteNumber("pipeline_parallel", o.PipelineParallel);
        writer.WriteNumber("data_parallel", o.DataParallel);
        writer.WriteNumber("devices", plan.Devices);
        writer.WriteNumber("sequence_length", plan.SequenceLength);
        writer.WriteNumber("micro_batch", o.MicroBatch);
        writer.WriteNumber("micro_batches_per_step", plan.MicroBatches);
        writer.WriteNumber("tokens_per_step", plan.StepTokens);
        writer.WriteStartArray("stage_layers");
        foreach (int layers in plan.StageLayers)
        {
            writer.WriteNumberValue(layers);
        }

        writer.WriteEndArray();
        writer.WriteNumber("fullest_stage", plan.FullestStage);
        Memory(writer, "bytes_per_device", plan.PerDevice);
        Memory(writer, "bytes_all_devices", plan.AllDevices);
        writer.WriteNumber("activation_bytes_per_token_and_layer", plan.ActivationBytesPerTokenAndLayer);
        writer.WriteNumber("flops_per_token", plan.FlopsPerToken);
        writer.WriteNumber("hardware_flops_per_token", plan.HardwareFlopsPerToken);
        writer.WriteNumber("flops_per_step", plan.FlopsPerStep);
        writer.WriteNumber("pipeline_bubble", plan.PipelineBubble);
        Optional(writer, "tokens", o.Tokens);
        Optional(writer, "steps", plan.Steps);
        Optional(writer, "flops", plan.TotalFlops);
        Optional(writer, "peak_flops_per_device", o.PeakFlops);
        Optional(writer, "utilization", plan.Days is null ? null : o.Utilization);
        Optional(writer, "days", plan.Days);
        writer.WriteEndObject();
    }

    private static void Memory(Utf8JsonWriter writer, string name, MemoryPlan memory)
    {
        writer.WriteStartObject(name);
        foreach ((string part, double bytes) in memory.Parts())
        {
            writer.WriteNumber(part, Math.Round(bytes));
        }

        writer.WriteNumber("total", Math.Round(memory.Total));
        writer.WriteEndObject();
    }

    private static void Optional(Utf8JsonWriter writer, string name, double? value)
    {
        if (value is double number)
        {
            writer.WriteNumber(name, number);
        }
    }
}
