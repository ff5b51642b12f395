using System.Text.Json;
using Puna.Models.Vision;

namespace Puna.Models.Checkpoints;

/// <summary>
/// Reads what <c>config.json</c> says of a Llama 4 beyond a dense model (spec llama4.md 5.3). A key that is absent has the default of the reference's class, which is that of the releases.
/// </summary>
internal static class HuggingFaceLlama4
{
    /// <summary>Model types: of the text model alone, and of the one that sees too, whose text model is in <c>text_config</c>.</summary>
    public const string TextType = "llama4_text";

    /// <inheritdoc cref="TextType"/>
    public const string WholeType = "llama4";

    /// <summary>Reads the keys.</summary>
    /// <param name="json">The object of the text model.</param>
    /// <param name="layers">Number of layers.</param>
    public static Llama4Config Read(JsonConfig json, int layers)
    {
        bool[] rotary = Flags(json, "no_rope_layers", layers) ?? Llama4Config.Except(Llama4Config.EveryNth(layers, Positive(json, "no_rope_layer_interval", 4)));
        int chunk = json.Lacks("attention_chunk_size") ? Llama4Config.ReleasedChunk : json.Int("attention_chunk_size") ?? 0;
        return new Llama4Config
        {
            Experts = json.Int("num_local_experts") ?? 16,
            ExpertsPerToken = json.Int("num_experts_per_tok") ?? 1,
            ExpertFfn = json.Int("intermediate_size") ?? 8192,
            HasExperts = ExpertLayers(json, layers),
            IsRotary = rotary,
            IsLocal = LocalLayers(json, layers, rotary, chunk),
            ChunkSize = chunk,
            QkNorm = json.Bool("use_qk_norm") ?? true,
            // Older files have the number 4 here, which counts as true.
            Temperature = json.TruthOrNumber("attn_temperature_tuning") ?? true,
            FloorScale = json.Number("floor_scale") ?? Llama4Config.ReleasedFloorScale,
            AttentionScale = json.Number("attn_scale") ?? Llama4Config.ReleasedAttentionScale,
        };
    }

    /// <summary>Writes the keys.</summary>
    public static void Write(Utf8JsonWriter json, LlamaConfig config, Llama4Config four)
    {
        // The dense width is called otherwise here: the plain name is that of the experts.
        json.WriteNumber("intermediate_size", four.ExpertFfn);
        json.WriteNumber("intermediate_size_mlp", config.Ffn);
        json.WriteNumber("num_local_experts", four.Experts);
        json.WriteNumber("num_experts_per_tok", four.ExpertsPerToken);
        int first = four.HasExperts.ToList().IndexOf(true);
        json.WriteNumber("interleave_moe_layer_step", first < 0 ? config.Layers + 1 : first + 1);
        Write("moe_layers", Enumerable.Range(0, config.Layers).Where(i => four.HasExperts[i]));
        Write("no_rope_layers", four.IsRotary.Select(static x => x ? 1 : 0));
        json.WriteStartArray("layer_types");
        foreach (bool local in four.IsLocal)
        {
            json.WriteStringValue(local ? "chunked_attention" : "full_attention");
        }

        json.WriteEndArray();
        if (four.ChunkSize > 0)
        {
            json.WriteNumber("attention_chunk_size", four.ChunkSize);
        }
        else
        {
            json.WriteNull("attention_chunk_size");
        }

        json.WriteBoolean("use_qk_norm", four.QkNorm);
        json.WriteBoolean("attn_temperature_tuning", four.Temperature);
        json.WriteNumber("floor_scale", four.FloorScale);
        json.WriteNumber("attn_scale", four.AttentionScale);

        void Write(string key, IEnumerable<int> values)
        {
            json.WriteStartArray(key);
            foreach (int value in values)
            {
                json.WriteNumberValue(value);
            }

            json.WriteEndArray();
        }
    }

    /// <summary>Writes the keys of a whole file of a model that sees; <see cref="Llama4VisionReader"/> reads them.</summary>
    /// <param name="json">Inside the file's object.</param>
    /// <param name="vision">What the model sees with.</param>
    /// <param name="writeText">Writes the keys of the text model.</param>
    public static void WriteWhole(Utf8JsonWriter json, Llama4VisionConfig vision, Action<Utf8JsonWriter> writeText)
    {
        json.WriteStartArray("architectures");
        json.WriteStringValue("Llama4ForConditionalGeneration");
        json.WriteEndArray();
        json.WriteString("model_type", WholeType);
        json.WriteNumber("boi_token_index", vision.StartToken);
        json.WriteNumber("eoi_token_index", vision.EndToken);
        json.WriteNumber("image_token_index", vision.PatchToken);
        json.WriteStartObject("text_config");
        writeText(json);
        json.WriteEndObject();
        json.WriteStartObject("vision_config");
        json.WriteString("model_type", "llama4_vision_model");
        json.WriteNumber("hidden_size", vision.Hidden);
        json.WriteNumber("intermediate_size", vision.Ffn);
        json.WriteNumber("num_attention_heads", vision.Heads);
        json.WriteNumber("num_hidden_layers", vision.Layers);
        json.WriteNumber("num_channels", 3);
        json.WriteNumber("image_size", vision.ImageSize);
        json.WriteNumber("patch_size", vision.PatchSize);
        json.WriteNumber("pixel_shuffle_ratio", 1.0 / vision.Shuffle);
        json.WriteNumber("projector_input_dim", vision.AdapterHidden);
        json.WriteNumber("projector_output_dim", vision.AdapterOutput);
        json.WriteNumber("vision_output_dim", vision.AdapterOutput);
        json.WriteNumber("norm_eps", vision.NormEpsilon);
        json.WriteNumber("rope_theta", vision.RopeTheta);
        json.WriteString("hidden_act", "gelu");
        json.WriteEndObject();
    }

    private static bool[] ExpertLayers(JsonConfig json, int layers)
    {
        if (json.Ints("moe_layers") is not IReadOnlyList<int> list)
        {
            return Llama4Config.EveryNth(layers, Positive(json, "interleave_moe_layer_step", 1));
        }

        var result = new bool[layers];
        foreach (int layer in list)
        {
            result[layer >= 0 && layer < layers ? layer : throw json.Refuse("moe_layers", $"layers from 0 to {layers - 1}")] = true;
        }

        return result;
    }

    private static bool[] LocalLayers(JsonConfig json, int layers, bool[] rotary, int chunk)
    {
        if (json.Strings("layer_types") is not { Count: > 0 } kinds)
        {
            // No chunk size, no mask: the reference's local layers see everything then.
            return chunk == 0 ? new bool[layers] : rotary;
        }

        if (kinds.Count != layers || kinds.Any(static k => k is not ("chunked_attention" or "full_attention")))
        {
            throw json.Refuse("layer_types", $"chunked_attention or full_attention for each of {layers} layers");
        }

        return [.. kinds.Select(k => k == "chunked_attention" && chunk != 0)];
    }

    private static bool[]? Flags(JsonConfig json, string key, int layers)
    {
        if (json.Ints(key) is not { Count: > 0 } list)
        {
            return null;
        }

        return list.Count == layers && list.All(static x => x is 0 or 1) ? [.. list.Select(static x => x == 1)] : throw json.Refuse(key, $"0 or 1 for each of {layers} layers");
    }

    private static int Positive(JsonConfig json, string key, int standard) => json.Int(key) switch
    {
        null => standard,
        > 0 and int value => value,
        _ => throw json.Refuse(key, "a positive number"),
    };
}
