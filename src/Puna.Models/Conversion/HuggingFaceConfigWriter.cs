using System.Buffers;
using System.Text.Json;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Conversion;

/// <summary>Writes <c>config.json</c> in the form of published Llamas, with <c>rope_theta</c> and <c>rope_scaling</c>.</summary>
public static class HuggingFaceConfigWriter
{
    /// <summary>The file's bytes.</summary>
    /// <param name="config">The model.</param>
    /// <param name="type">Type of most weights.</param>
    /// <param name="withPictures">Of a Llama 4 that sees, whether the weights of its encoder are there too; without, it is written as a text model.</param>
    /// <exception cref="PunaException">The rotary scaling, or which layers have biases, cannot be said in this format.</exception>
    public static byte[] Write(LlamaConfig config, DType type, bool withPictures = false)
    {
        bool qwen = config.QkvBias && !config.AttentionOutputBias;
        if (!config.QkvBias && config.AttentionOutputBias)
        {
            throw new PunaException("attention bias: expected biases on q, k and v as well as on the output, got them on the output only, which config.json cannot say");
        }

        if (qwen && config.MlpBias)
        {
            throw new PunaException("feed-forward bias: expected none where q, k and v have biases and the attention's output has none, got some, which config.json cannot say");
        }

        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true });
        json.WriteStartObject();
        if (config.Vision is { } vision)
        {
            HuggingFaceMllama.Write(json, vision, text => WriteModel(text, config, qwen));
        }
        else if (withPictures && config.Llama4?.Vision is { } encoder)
        {
            HuggingFaceLlama4.WriteWhole(json, encoder, text => WriteModel(text, config, qwen));
        }
        else
        {
            WriteModel(json, config, qwen);
        }

        json.WriteString("torch_dtype", type switch { DType.F16 => "float16", DType.BF16 => "bfloat16", _ => "float32" });
        json.WriteEndObject();
        json.Flush();
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void WriteModel(Utf8JsonWriter json, LlamaConfig config, bool qwen)
    {
        json.WriteStartArray("architectures");
        json.WriteStringValue((qwen ? "Qwen2" : config.Vision is not null ? "Mllama" : config.Llama4 is null ? "Llama" : "Llama4") + (config.Labels > 0 ? "ForSequenceClassification" : "ForCausalLM"));
        json.WriteEndArray();
        json.WriteString("model_type", qwen ? "qwen2" : config.Vision is not null ? HuggingFaceMllama.TextType : config.Llama4 is null ? "llama" : HuggingFaceLlama4.TextType);
        json.WriteNumber("hidden_size", config.Hidden);
        if (config.Llama4 is { } four)
        {
            HuggingFaceLlama4.Write(json, config, four);
        }
        else
        {
            json.WriteNumber("intermediate_size", config.Ffn);
        }

        json.WriteNumber("num_hidden_layers", config.Layers + (config.Vision?.CrossLayers.Count ?? 0));
        json.WriteNumber("num_attention_heads", config.Heads);
        json.WriteNumber("num_key_value_heads", config.KvHeads);
        json.WriteNumber("head_dim", config.HeadDim);
        json.WriteNumber("vocab_size", config.Vocab);
        json.WriteNumber("max_position_embeddings", config.ContextLength);
        json.WriteNumber("rms_norm_eps", config.NormEpsilon);
        json.WriteNumber("rope_theta", config.RopeTheta);
        WriteScaling(json, RopeRecovery.Name(config));
        json.WriteBoolean("tie_word_embeddings", config.TiedEmbeddings && config.Labels == 0);
        json.WriteBoolean("attention_bias", config.QkvBias && config.AttentionOutputBias);
        json.WriteBoolean("mlp_bias", config.MlpBias);
        json.WriteString("hidden_act", "silu");
        if (config.BosId is int bos)
        {
            json.WriteNumber("bos_token_id", bos);
        }

        WriteEos(json, config.EosIds);
        if (config.Labels > 0)
        {
            json.WriteStartObject("id2label");
            for (int i = 0; i < config.Labels; i++)
            {
                json.WriteString($"{i}", $"LABEL_{i}");
            }

            json.WriteEndObject();
        }

    }

    /// <summary>Writes <c>rope_scaling</c>; null where there is none.</summary>
    internal static void WriteScaling(Utf8JsonWriter json, RopeScaling scaling)
    {
        if (scaling is RopeScaling.None)
        {
            json.WriteNull("rope_scaling");
            return;
        }

        json.WriteStartObject("rope_scaling");
        json.WriteString("rope_type", scaling.Name);
        switch (scaling)
        {
            case RopeScaling.Linear linear:
                json.WriteNumber("factor", linear.Factor);
                break;
            case RopeScaling.Dynamic dynamic:
                json.WriteNumber("factor", dynamic.Factor);
                break;
            case RopeScaling.Llama3 llama3:
                json.WriteNumber("factor", llama3.Factor);
                json.WriteNumber("low_freq_factor", llama3.LowFrequencyFactor);
                json.WriteNumber("high_freq_factor", llama3.HighFrequencyFactor);
                json.WriteNumber("original_max_position_embeddings", llama3.OriginalContext);
                break;
            case RopeScaling.Yarn yarn:
                json.WriteNumber("factor", yarn.Factor);
                json.WriteNumber("original_max_position_embeddings", yarn.OriginalContext);
                json.WriteNumber("beta_fast", yarn.BetaFast);
                json.WriteNumber("beta_slow", yarn.BetaSlow);
                json.WriteNumber("attention_factor", yarn.Magnitude);
                json.WriteBoolean("truncate", yarn.Truncate);
                break;
        }

        json.WriteEndObject();
    }

    /// <summary>Writes <c>eos_token_id</c>: a number, a list of several, or nothing.</summary>
    internal static void WriteEos(Utf8JsonWriter json, IReadOnlyList<int> ids)
    {
        if (ids.Count == 1)
        {
            json.WriteNumber("eos_token_id", ids[0]);
        }
        else if (ids.Count > 1)
        {
            json.WriteStartArray("eos_token_id");
            foreach (int id in ids)
            {
                json.WriteNumberValue(id);
            }

            json.WriteEndArray();
        }
    }
}
