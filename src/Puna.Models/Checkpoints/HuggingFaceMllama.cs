using System.Text.Json;
using Puna.Models.Vision;

namespace Puna.Models.Checkpoints;

/// <summary>Reads what <c>config.json</c> says of a Llama 3.2 Vision beyond its text model (spec llama1-3.md 4.6). A key that is absent has the default of the reference's class.</summary>
internal static class HuggingFaceMllama
{
    /// <summary>The model type; the text model is in <c>text_config</c>, the encoder in <c>vision_config</c>.</summary>
    public const string ModelType = "mllama";

    /// <summary>The model type inside <c>text_config</c>.</summary>
    public const string TextType = "mllama_text_model";

    /// <summary>Reads the keys.</summary>
    /// <param name="whole">The whole file.</param>
    /// <param name="text">Its text model.</param>
    public static MllamaConfig Read(JsonConfig whole, JsonConfig text)
    {
        JsonConfig json = whole.Object("vision_config") ?? throw whole.Refuse("vision_config", "the settings of the vision encoder");
        if (json.String("hidden_act") is not (null or "gelu"))
        {
            throw json.Refuse("hidden_act", "gelu");
        }

        if (json.Int("num_channels") is not (null or MllamaConfig.Channels))
        {
            throw json.Refuse("num_channels", "3");
        }

        MllamaConfig config = new()
        {
            CrossLayers = text.Ints("cross_attention_layers") ?? [3, 8, 13, 18, 23, 28, 33, 38],
            ImageToken = whole.Int("image_token_index") ?? whole.Int("image_token_id") ?? 128256,
            Hidden = json.Int("hidden_size") ?? 1280,
            Ffn = json.Int("intermediate_size") ?? 5120,
            Heads = json.Int("attention_heads") ?? json.Int("num_attention_heads") ?? 16,
            LocalLayers = json.Int("num_hidden_layers") ?? 32,
            GlobalLayers = json.Int("num_global_layers") ?? 8,
            Taps = [.. (json.Ints("intermediate_layers_indices") ?? [3, 7, 15, 23, 30]).Order()],
            ImageSize = json.Int("image_size") ?? 448,
            PatchSize = json.Int("patch_size") ?? 14,
            MaxTiles = json.Int("max_num_tiles") ?? 4,
            NormEpsilon = (float)(json.Number("norm_eps") ?? 1e-5),
        };
        if (json.IntPairs("supported_aspect_ratios") is { } ratios)
        {
            config = config with { AspectRatios = ratios };
        }

        if (json.Int("vision_output_dim") is int width && width != (long)config.Hidden * (1 + config.Taps.Count))
        {
            throw json.Refuse("vision_output_dim", $"{(long)config.Hidden * (1 + config.Taps.Count)}, the encoder's width for its end and for each of its {config.Taps.Count} intermediate layers");
        }

        return config;
    }

    /// <summary>Writes the keys of the whole file.</summary>
    /// <param name="json">Inside the file's object.</param>
    /// <param name="vision">What the model sees with.</param>
    /// <param name="writeText">Writes the keys of the text model.</param>
    public static void Write(Utf8JsonWriter json, MllamaConfig vision, Action<Utf8JsonWriter> writeText)
    {
        json.WriteStartArray("architectures");
        json.WriteStringValue("MllamaForConditionalGeneration");
        json.WriteEndArray();
        json.WriteString("model_type", ModelType);
        json.WriteNumber("image_token_index", vision.ImageToken);
        json.WriteStartObject("text_config");
        writeText(json);
        WriteInts("cross_attention_layers", vision.CrossLayers);
        json.WriteEndObject();
        json.WriteStartObject("vision_config");
        json.WriteString("model_type", "mllama_vision_model");
        json.WriteNumber("hidden_size", vision.Hidden);
        json.WriteNumber("intermediate_size", vision.Ffn);
        json.WriteNumber("attention_heads", vision.Heads);
        json.WriteNumber("num_hidden_layers", vision.LocalLayers);
        json.WriteNumber("num_global_layers", vision.GlobalLayers);
        WriteInts("intermediate_layers_indices", vision.Taps);
        json.WriteNumber("vision_output_dim", vision.OutputWidth);
        json.WriteNumber("image_size", vision.ImageSize);
        json.WriteNumber("patch_size", vision.PatchSize);
        json.WriteNumber("num_channels", MllamaConfig.Channels);
        json.WriteNumber("max_num_tiles", vision.MaxTiles);
        json.WriteStartArray("supported_aspect_ratios");
        foreach ((int height, int width) in vision.AspectRatios)
        {
            json.WriteStartArray();
            json.WriteNumberValue(height);
            json.WriteNumberValue(width);
            json.WriteEndArray();
        }

        json.WriteEndArray();
        json.WriteNumber("norm_eps", vision.NormEpsilon);
        json.WriteString("hidden_act", "gelu");
        json.WriteEndObject();

        void WriteInts(string key, IReadOnlyList<int> values)
        {
            json.WriteStartArray(key);
            foreach (int value in values)
            {
                json.WriteNumberValue(value);
            }

            json.WriteEndArray();
        }
    }
}
