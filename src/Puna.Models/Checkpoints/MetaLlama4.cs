using Puna.Formats;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>Reads what <c>params.json</c> says of a Llama 4 beyond a dense model (spec llama4.md 2 and 5.1). Keys that are absent have the defaults of Meta's class.</summary>
internal static class MetaLlama4
{
    /// <summary>Reads the keys.</summary>
    /// <param name="json">The settings.</param>
    /// <param name="file">The tensors, for widths.</param>
    /// <param name="layers">Number of layers.</param>
    public static Llama4Config Read(JsonConfig json, TensorFile file, int layers)
    {
        JsonConfig moe = json.Object("moe_args")!;
        int step = moe.Int("interleave_moe_layer_step") ?? 1;
        bool[] experts = Llama4Config.EveryNth(layers, step > 0 ? step : throw moe.Refuse("interleave_moe_layer_step", "a positive number"));
        int first = Array.IndexOf(experts, true);
        string prefix = $"layers.{Math.Max(first, 0)}.feed_forward.";
        int count = first < 0 ? 1 : Rows(file, prefix + "router.weight");
        if (moe.Int("num_experts") is int said and > 0 && said != count && first >= 0)
        {
            throw moe.Refuse("num_experts", $"{count}, as many as {prefix}router_DE has columns");
        }

        int interval = json.Int("nope_layer_interval") ?? 0;
        bool[] rotary = Llama4Config.Except(Llama4Config.EveryNth(layers, interval));
        int chunk = json.Int("attention_chunk_size") ?? 0;
        return new Llama4Config
        {
            Experts = count,
            ExpertsPerToken = moe.Int("top_k") ?? 1,
            ExpertFfn = first < 0 ? 1 : Rows(file, prefix + "shared_expert.w1.weight"),
            HasExperts = experts,
            IsRotary = rotary,
            IsLocal = chunk == 0 ? new bool[layers] : rotary,
            ChunkSize = chunk,
            QkNorm = json.Bool("use_qk_norm") ?? false,
            Temperature = json.TruthOrNumber("attn_temperature_tuning") ?? false,
            FloorScale = json.Number("floor_scale") ?? Llama4Config.ReleasedFloorScale,
            AttentionScale = json.Number("attn_scale") ?? Llama4Config.ReleasedAttentionScale,
        };
    }

    /// <summary>The scaling of <c>use_scaled_rope</c>: Scout's, unless the file has its own numbers. Low and high are equal there, so that it is a step.</summary>
    public static RopeScaling Scaling(JsonConfig json, MetaParams parameters) => !parameters.UseScaledRope ? new RopeScaling.None()
        : new RopeScaling.Llama3(json.Number("rope_scaling_factor") ?? 16, 1, json.Number("rope_high_freq_factor") ?? 1, 8192);

    /// <summary>Width of the dense layers: of the first there is, else what the settings imply.</summary>
    public static int DenseFfn(Llama4Config four, TensorFile file, MetaParams parameters)
    {
        int dense = four.HasExperts.ToList().IndexOf(false);
        return dense >= 0 ? Rows(file, $"layers.{dense}.feed_forward.w1.weight") : LlamaConfig.FfnWidth(parameters.Dim, parameters.MultipleOf, parameters.FfnDimMultiplier);
    }

    private static int Rows(TensorFile file, string name) => file.TryGetInfo(name, out TensorInfo? info)
        ? checked((int)info.Shape.Rows)
        : throw new FileFormatException(file.Path, $"tensor {name}: expected in the checkpoint, got none");
}
