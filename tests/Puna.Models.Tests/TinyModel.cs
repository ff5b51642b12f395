using System.Runtime.InteropServices;
using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Formats.Meta;
using Puna.Formats.Safetensors;
using Puna.Tensors;

namespace Puna.Models.Tests;

/// <summary>A random model under Hugging Face's names and row order, written by hand: nothing here asks the code under test for names, shapes or settings.</summary>
internal sealed record TinyModel(int Hidden, int Ffn, int Layers, int Heads, int KvHeads, int HeadDim, int Vocab)
{
    public const double Theta = 10000;
    public const double Epsilon = 1e-5;

    /// <summary>Tokens the model says it was made for.</summary>
    public int Context { get; init; } = 128;

    public bool QkvBias { get; init; }

    public bool OutputBias { get; init; }

    public bool MlpBias { get; init; }

    /// <summary>Values of each tensor by name, with its shape.</summary>
    public SortedDictionary<string, (long[] Shape, float[] Values)> Tensors { get; } = new(StringComparer.Ordinal);

    /// <summary>Fills in the weights: of a size that keeps activations near 1, norms around 1.</summary>
    public TinyModel Randomize(int seed)
    {
        var random = new Random(seed);
        Add("model.embed_tokens.weight", Vocab, Hidden);
        Add("lm_head.weight", Vocab, Hidden);
        Add("model.norm.weight", Hidden);
        for (int i = 0; i < Layers; i++)
        {
            string p = $"model.layers.{i}.";
            Add(p + "input_layernorm.weight", Hidden);
            Add(p + "post_attention_layernorm.weight", Hidden);
            Linear(p + "self_attn.q_proj", Heads * HeadDim, Hidden, QkvBias);
            Linear(p + "self_attn.k_proj", KvHeads * HeadDim, Hidden, QkvBias);
            Linear(p + "self_attn.v_proj", KvHeads * HeadDim, Hidden, QkvBias);
            Linear(p + "self_attn.o_proj", Hidden, Heads * HeadDim, OutputBias);
            Linear(p + "mlp.gate_proj", Ffn, Hidden, MlpBias);
            Linear(p + "mlp.up_proj", Ffn, Hidden, MlpBias);
            Linear(p + "mlp.down_proj", Hidden, Ffn, MlpBias);
        }

        return this;

        void Linear(string name, int outputs, int inputs, bool bias)
        {
            Add(name + ".weight", outputs, inputs);
            if (bias)
            {
                Add(name + ".bias", outputs);
            }
        }

        void Add(string name, params long[] shape)
        {
            var values = new float[shape.Aggregate(1L, (a, b) => a * b)];
            bool norm = name.Contains("norm", StringComparison.Ordinal);
            double scale = shape.Length == 2 ? 1 / Math.Sqrt(shape[1]) : 0.5;
            for (int k = 0; k < values.Length; k++)
            {
                values[k] = (float)((norm ? 1 : 0) + (scale * ((2 * random.NextDouble()) - 1)));
            }

            Tensors[name] = (shape, values);
        }
    }

    /// <summary>Writes a Hugging Face folder.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="type">The model type.</param>
    /// <param name="more">Further settings, each after a comma.</param>
    public string WriteHuggingFace(string folder, string type = "llama", string more = "")
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), $$"""
            {"model_type": "{{type}}", "hidden_size": {{Hidden}}, "intermediate_size": {{Ffn}}, "num_hidden_layers": {{Layers}}, "num_attention_heads": {{Heads}},
             "num_key_value_heads": {{KvHeads}}, "head_dim": {{HeadDim}}, "vocab_size": {{Vocab}}, "max_position_embeddings": {{Context}}, "rms_norm_eps": 1e-5,
             "attention_bias": {{(OutputBias ? "true" : "false")}}, "mlp_bias": {{(MlpBias ? "true" : "false")}}{{more}} }
            """);
        using var writer = new SafetensorsWriter(Path.Combine(folder, "model.safetensors"));
        Write(writer, name => name, (_, values) => values);
        return folder;
    }

    /// <summary>Writes a GGUF file.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="architecture">Architecture <c>llama</c> has interleaved rows of q and k, all others half-split ones.</param>
    public string WriteGguf(string path, string architecture)
    {
        var metadata = new GgufMetadata();
        metadata.Set("general.architecture", architecture);
        foreach ((string key, int value) in new[]
        {
            ("context_length", Context), ("embedding_length", Hidden), ("block_count", Layers), ("feed_forward_length", Ffn), ("attention.head_count", Heads),
            ("attention.head_count_kv", KvHeads), ("attention.key_length", HeadDim), ("attention.value_length", HeadDim),
        })
        {
            metadata.Set($"{architecture}.{key}", (uint)value);
        }

        metadata.Set(architecture + ".attention.layer_norm_rms_epsilon", (float)Epsilon);
        metadata.Set(architecture + ".rope.freq_base", (float)Theta);
        using var writer = new GgufWriter(path, metadata);
        Write(
            writer,
            name => name.Replace("model.embed_tokens", "token_embd", StringComparison.Ordinal).Replace("lm_head", "output", StringComparison.Ordinal)
                .Replace("model.norm", "output_norm", StringComparison.Ordinal).Replace("model.layers", "blk", StringComparison.Ordinal)
                .Replace("input_layernorm", "attn_norm", StringComparison.Ordinal).Replace("post_attention_layernorm", "ffn_norm", StringComparison.Ordinal)
                .Replace("self_attn.q_proj", "attn_q", StringComparison.Ordinal).Replace("self_attn.k_proj", "attn_k", StringComparison.Ordinal)
                .Replace("self_attn.v_proj", "attn_v", StringComparison.Ordinal).Replace("self_attn.o_proj", "attn_output", StringComparison.Ordinal)
                .Replace("mlp.gate_proj", "ffn_gate", StringComparison.Ordinal).Replace("mlp.up_proj", "ffn_up", StringComparison.Ordinal)
                .Replace("mlp.down_proj", "ffn_down", StringComparison.Ordinal),
            (name, values) => architecture == "llama" ? Interleaved(name, values) : values);
        return path;
    }

    /// <summary>Writes a folder in Meta's layout.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="parameters">Content of <c>params.json</c>.</param>
    public string WriteMeta(string folder, string parameters)
    {
        using var writer = new MetaWriter(folder, MetaParams.Parse(System.Text.Encoding.UTF8.GetBytes(parameters), "params.json"));
        Write(
            writer,
            name => name.Replace("model.embed_tokens", "tok_embeddings", StringComparison.Ordinal).Replace("lm_head", "output", StringComparison.Ordinal)
                .Replace("model.", "", StringComparison.Ordinal)
                .Replace("input_layernorm", "attention_norm", StringComparison.Ordinal).Replace("post_attention_layernorm", "ffn_norm", StringComparison.Ordinal)
                .Replace("self_attn.q_proj", "attention.wq", StringComparison.Ordinal).Replace("self_attn.k_proj", "attention.wk", StringComparison.Ordinal)
                .Replace("self_attn.v_proj", "attention.wv", StringComparison.Ordinal).Replace("self_attn.o_proj", "attention.wo", StringComparison.Ordinal)
                .Replace("mlp.gate_proj", "feed_forward.w1", StringComparison.Ordinal).Replace("mlp.up_proj", "feed_forward.w3", StringComparison.Ordinal)
                .Replace("mlp.down_proj", "feed_forward.w2", StringComparison.Ordinal),
            Interleaved);
        return folder;
    }

    private void Write(TensorWriter writer, Func<string, string> rename, Func<string, float[], float[]> reorder)
    {
        foreach ((string name, (long[] shape, _)) in Tensors)
        {
            writer.Declare(rename(name), DType.F32, new Shape(shape));
        }

        writer.Begin();
        Dictionary<string, string> originals = Tensors.Keys.ToDictionary(rename, StringComparer.Ordinal);
        while (writer.Current is { } tensor)
        {
            string name = originals[tensor.Name];
            writer.Write(MemoryMarshal.AsBytes<float>(reorder(name, Tensors[name].Values)));
        }

        writer.Complete();
    }

    /// <summary>Rows of q and k (and their biases) with the pairs i, i + headDim / 2 of each head side by side.</summary>
    private float[] Interleaved(string name, float[] values)
    {
        if (!name.Contains("q_proj", StringComparison.Ordinal) && !name.Contains("k_proj", StringComparison.Ordinal))
        {
            return values;
        }

        int width = name.EndsWith("bias", StringComparison.Ordinal) ? 1 : Hidden;
        var result = new float[values.Length];
        for (int row = 0; row < values.Length / width; row++)
        {
            int head = row / HeadDim * HeadDim;
            int at = row % HeadDim;
            int from = head + (at / 2) + (at % 2 * HeadDim / 2);
            values.AsSpan(from * width, width).CopyTo(result.AsSpan(row * width, width));
        }

        return result;
    }
}
