using System.Text.Json;
using Puna.Cli.Hosting;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Meta;
using Puna.Formats.Safetensors;
using Puna.Models;
using Puna.Tensors;

namespace Puna.Cli.Inspection;

/// <summary>Writes an inspection for programs.</summary>
internal static class InspectionJson
{
    /// <summary>Longer arrays are given by their type and length.</summary>
    public const int LongestArray = 64;

    /// <summary>Writes one JSON object.</summary>
    public static void Write(ModelInspection model, TextWriter output)
    {
        using var line = new JsonOutput(output);
        Utf8JsonWriter json = line.Writer;
        json.WriteStartObject();
        json.WriteString("model", model.Name);
        json.WriteString("path", model.Path);
        json.WriteString("format", model.File switch { GgufFile => "gguf", SafetensorsFile => "safetensors", MetaCheckpoint => "meta", _ => "llama2c" });
        json.WriteBoolean("runs", model.Config is not null);
        json.WriteString("problem", model.Problem);
        WriteConfig(json, model.Config);
        json.WriteNumber("tensor_count", model.File.Tensors.Count);
        json.WriteNumber("tensor_values", model.Values);
        json.WriteNumber("tensor_bytes", model.TensorBytes);
        json.WriteStartObject("types");
        foreach ((DType type, int count, _) in model.Types)
        {
            json.WriteNumber(type.Name(), count);
        }

        json.WriteEndObject();
        WriteMetadata(json, model.File);
        json.WriteStartArray("tensors");
        foreach (TensorInfo tensor in model.File.Tensors)
        {
            json.WriteStartObject();
            json.WriteString("name", tensor.Name);
            json.WriteString("dtype", tensor.DType.Name());
            json.WriteStartArray("shape");
            foreach (long size in tensor.Shape.ToArray())
            {
                json.WriteNumberValue(size);
            }

            json.WriteEndArray();
            json.WriteNumber("bytes", tensor.ByteLength);
            json.WriteString("file", model.Path is null ? null : tensor.File);
            json.WriteNumber("offset", tensor.Offset);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteConfig(Utf8JsonWriter json, LlamaConfig? config)
    {
        if (config is null)
        {
            json.WriteNull("config");
            return;
        }

        json.WriteStartObject("config");
        json.WriteString("name", config.Name);
        json.WriteNumber("parameters", config.ParameterCount);
        json.WriteNumber("hidden", config.Hidden);
        json.WriteNumber("ffn", config.Ffn);
        json.WriteNumber("layers", config.Layers);
        json.WriteNumber("heads", config.Heads);
        json.WriteNumber("kv_heads", config.KvHeads);
        json.WriteNumber("head_dim", config.HeadDim);
        json.WriteNumber("vocab", config.Vocab);
        json.WriteNumber("context", config.ContextLength);
        json.WriteNumber("norm_epsilon", config.NormEpsilon);
        json.WriteNumber("rope_theta", config.RopeTheta);
        json.WriteString("rope_scaling", config.RopeScaling.Name);
        json.WriteBoolean("tied_embeddings", config.TiedEmbeddings);
        json.WriteBoolean("biases", config.QkvBias || config.AttentionOutputBias || config.MlpBias);
        json.WriteNumber("labels", config.Labels);
        if (config.Llama4 is { } four)
        {
            json.WriteNumber("active_parameters", config.ActiveParameterCount);
            json.WriteNumber("experts", four.Experts);
            json.WriteNumber("experts_per_token", four.ExpertsPerToken);
            json.WriteNumber("expert_ffn", four.ExpertFfn);
            json.WriteNumber("expert_layers", four.HasExperts.Count(static x => x));
            json.WriteNumber("local_layers", four.IsLocal.Count(static x => x));
            json.WriteNumber("chunk", four.ChunkSize);
            json.WriteBoolean("qk_norm", four.QkNorm);
        }

        if (config.Vision is { } vision)
        {
            json.WriteStartObject("vision");
            json.WriteNumber("hidden", vision.Hidden);
            json.WriteNumber("ffn", vision.Ffn);
            json.WriteNumber("heads", vision.Heads);
            json.WriteNumber("local_layers", vision.LocalLayers);
            json.WriteNumber("global_layers", vision.GlobalLayers);
            json.WriteNumber("image_size", vision.ImageSize);
            json.WriteNumber("patch_size", vision.PatchSize);
            json.WriteNumber("max_tiles", vision.MaxTiles);
            json.WriteNumber("image_token", vision.ImageToken);
            json.WriteNumber("cross_attention_layers", vision.CrossLayers.Count);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteMetadata(Utf8JsonWriter json, TensorFile file)
    {
        json.WriteStartObject("metadata");
        switch (file)
        {
            case GgufFile gguf:
                foreach ((string key, GgufValue value) in gguf.Metadata)
                {
                    json.WritePropertyName(key);
                    WriteValue(json, value.Value, value.ElementType);
                }

                break;
            case SafetensorsFile safetensors:
                foreach ((string key, string value) in safetensors.Metadata)
                {
                    json.WriteString(key, value);
                }

                break;
            case MetaCheckpoint { Params.Raw: { ValueKind: JsonValueKind.Object } raw }:
                foreach (JsonProperty property in raw.EnumerateObject())
                {
                    property.WriteTo(json);
                }

                break;
        }

        json.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter json, object value, GgufValueType? elementType)
    {
        switch (value)
        {
            case GgufValue inner:
                WriteValue(json, inner.Value, inner.ElementType);
                break;
            case Array { Length: > LongestArray } array:
                json.WriteStartObject();
                json.WriteString("array_of", elementType?.ToString().ToLowerInvariant());
                json.WriteNumber("length", array.Length);
                json.WriteEndObject();
                break;
            case Array array:
                json.WriteStartArray();
                foreach (object item in array)
                {
                    WriteValue(json, item, null);
                }

                json.WriteEndArray();
                break;
            case string text:
                json.WriteStringValue(text);
                break;
            case bool truth:
                json.WriteBooleanValue(truth);
                break;
            case float number when float.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumberValue(number);
                break;
            case float or double:
                json.WriteNullValue(); // JSON has no infinities
                break;
            case ulong number:
                json.WriteNumberValue(number);
                break;
            default:
                json.WriteNumberValue(Convert.ToInt64(value, System.Globalization.CultureInfo.InvariantCulture));
                break;
        }
    }
}
