using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>Reads what settings say of Llama 4's picture encoder (spec llama4.md 5.1 and 5.3).</summary>
internal static class Llama4VisionReader
{
    /// <summary>Reads <c>vision_config</c> of Hugging Face's <c>config.json</c>; null where there is none.</summary>
    /// <param name="whole">The whole object.</param>
    public static Llama4VisionConfig? ReadHuggingFace(JsonConfig whole)
    {
        if (whole.Object("vision_config") is not { } json)
        {
            return null;
        }

        int hidden = json.Int("hidden_size") ?? 768;
        return Checked(json, new Llama4VisionConfig
        {
            ImageSize = json.Int("image_size") ?? 448,
            PatchSize = json.Int("patch_size") ?? 14,
            Hidden = hidden,
            Layers = json.Int("num_hidden_layers") ?? 34,
            Heads = json.Int("num_attention_heads") ?? 16,
            Ffn = json.Int("intermediate_size") ?? 5632,
            Shuffle = Side(json),
            AdapterHidden = json.Int("projector_input_dim") ?? 4096,
            AdapterOutput = json.Int("projector_output_dim") ?? 4096,
            NormEpsilon = (float)(json.Number("norm_eps") ?? 1e-5),
            RopeTheta = json.Object("rope_parameters")?.Number("rope_theta") ?? json.Number("rope_theta") ?? 10000,
            PatchToken = whole.Int("image_token_index") ?? whole.Int("image_token_id") ?? Llama4VisionConfig.ReleasedPatchToken,
            StartToken = whole.Int("boi_token_index") ?? Llama4VisionConfig.ReleasedStartToken,
            EndToken = whole.Int("eoi_token_index") ?? Llama4VisionConfig.ReleasedEndToken,
        });
    }

    /// <summary>Reads <c>vision_args</c> of Meta's <c>params.json</c>; null where there are none.</summary>
    /// <param name="whole">The whole object.</param>
    public static Llama4VisionConfig? ReadMeta(JsonConfig whole)
    {
        if (whole.Object("vision_args") is not { } json)
        {
            return null;
        }

        int hidden = json.RequireInt("dim"), output = json.Int("output_dim") ?? 4096;
        return Checked(json, new Llama4VisionConfig
        {
            ImageSize = json.Object("image_size")?.Int("height") ?? 336,
            PatchSize = json.Object("patch_size")?.Int("height") ?? 14,
            Hidden = hidden,
            Layers = json.RequireInt("n_layers"),
            Heads = json.RequireInt("n_heads"),
            Ffn = (int)Math.Clamp((json.Number("mlp_ratio") ?? 4) * hidden, 0, int.MaxValue),
            Shuffle = Side(json),
            AdapterHidden = output,
            AdapterOutput = output,
        });
    }

    private static int Side(JsonConfig json)
    {
        double ratio = json.Number("pixel_shuffle_ratio") ?? 0.5;
        double side = Math.Round(1 / ratio);
        return ratio > 0 && side is >= 1 and <= 64 && Math.Abs((side * ratio) - 1) < 1e-6 ? (int)side : throw json.Refuse("pixel_shuffle_ratio", "one over a whole number");
    }

    private static Llama4VisionConfig Checked(JsonConfig json, Llama4VisionConfig config) =>
        config.Problem() is string problem ? throw new PunaException($"{problem} ({json.File})") : config;
}
