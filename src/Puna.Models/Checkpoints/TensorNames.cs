using System.Globalization;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>
/// What each format calls a parameter (spec llama1-3.md 3.1 to 3.3). One table; canonical names are Meta's, with <c>{0}</c> for the layer and <c>{1}</c> for the expert.
/// </summary>
public static class TensorNames
{
    private static readonly (string Canonical, string HuggingFace, string Gguf)[] Table =
    [
        ("tok_embeddings", "model.embed_tokens", "token_embd"),
        ("norm", "model.norm", "output_norm"),
        ("output", "lm_head", "output"),
        ("score", "score", "cls.output"),
        ("layers.{0}.attention_norm", "model.layers.{0}.input_layernorm", "blk.{0}.attn_norm"),
        ("layers.{0}.attention.wq", "model.layers.{0}.self_attn.q_proj", "blk.{0}.attn_q"),
        ("layers.{0}.attention.wk", "model.layers.{0}.self_attn.k_proj", "blk.{0}.attn_k"),
        ("layers.{0}.attention.wv", "model.layers.{0}.self_attn.v_proj", "blk.{0}.attn_v"),
        ("layers.{0}.attention.wo", "model.layers.{0}.self_attn.o_proj", "blk.{0}.attn_output"),
        ("layers.{0}.ffn_norm", "model.layers.{0}.post_attention_layernorm", "blk.{0}.ffn_norm"),
        ("layers.{0}.feed_forward.w1", "model.layers.{0}.mlp.gate_proj", "blk.{0}.ffn_gate"),
        ("layers.{0}.feed_forward.w3", "model.layers.{0}.mlp.up_proj", "blk.{0}.ffn_up"),
        ("layers.{0}.feed_forward.w2", "model.layers.{0}.mlp.down_proj", "blk.{0}.ffn_down"),
        ("layers.{0}.feed_forward.router", "model.layers.{0}.feed_forward.router", "blk.{0}.ffn_gate_inp"),
        ("layers.{0}.feed_forward.shared_expert.w1", "model.layers.{0}.feed_forward.shared_expert.gate_proj", "blk.{0}.ffn_gate_shexp"),
        ("layers.{0}.feed_forward.shared_expert.w3", "model.layers.{0}.feed_forward.shared_expert.up_proj", "blk.{0}.ffn_up_shexp"),
        ("layers.{0}.feed_forward.shared_expert.w2", "model.layers.{0}.feed_forward.shared_expert.down_proj", "blk.{0}.ffn_down_shexp"),
        ("layers.{0}.feed_forward.experts.{1}.w1", "model.layers.{0}.feed_forward.experts.{1}.gate_proj", "blk.{0}.ffn_gate.{1}"),
        ("layers.{0}.feed_forward.experts.{1}.w3", "model.layers.{0}.feed_forward.experts.{1}.up_proj", "blk.{0}.ffn_up.{1}"),
        ("layers.{0}.feed_forward.experts.{1}.w2", "model.layers.{0}.feed_forward.experts.{1}.down_proj", "blk.{0}.ffn_down.{1}"),
    ];

    private static readonly Dictionary<string, (string Canonical, string HuggingFace, string Gguf)> ByCanonical = Table.ToDictionary(row => row.Canonical, StringComparer.Ordinal);

    /// <summary>The name a format uses.</summary>
    /// <param name="canonical">For example <c>layers.3.attention.wq.weight</c>.</param>
    /// <param name="format">The format.</param>
    /// <param name="config">The model, where its generation matters: Hugging Face calls the feed-forward layers of Llama 4 otherwise.</param>
    /// <returns>For example <c>blk.3.attn_q.weight</c>. Of an expert the name of its matrix alone, which most files hold in one tensor with those of the others.</returns>
    /// <exception cref="ArgumentException">No such parameter.</exception>
    public static string In(CheckpointFormat format, string canonical, LlamaConfig? config = null)
    {
        if (config?.Vision is { } vision)
        {
            return MllamaNames.In(format, canonical, vision);
        }

        int dot = canonical.LastIndexOf('.');
        string stem = canonical[..dot];
        string layer = "";
        if (stem.StartsWith("layers.", StringComparison.Ordinal))
        {
            int end = stem.IndexOf('.', 7);
            layer = stem[7..end];
            stem = string.Concat("layers.{0}", stem.AsSpan(end));
        }

        string expert = "";
        if (ExpertTensors.IsExpert(canonical))
        {
            string[] parts = stem.Split('.');
            (expert, parts[^2]) = (parts[^2], "{1}");
            stem = string.Join('.', parts);
        }

        if (!ByCanonical.TryGetValue(stem, out (string Canonical, string HuggingFace, string Gguf) row))
        {
            throw new ArgumentException($"no parameter is called {canonical}", nameof(canonical));
        }

        string pattern = format switch
        {
            CheckpointFormat.Safetensors => row.HuggingFace,
            CheckpointFormat.Gguf => row.Gguf,
            _ => row.Canonical,
        };
        if (format == CheckpointFormat.Safetensors && config?.Llama4 is not null)
        {
            pattern = pattern.Replace(".mlp.", ".feed_forward.", StringComparison.Ordinal);
        }

        return string.Concat(pattern.Replace("{0}", layer, StringComparison.Ordinal).Replace("{1}", expert, StringComparison.Ordinal), canonical.AsSpan(dot));
    }

    /// <summary>The shape in which a format holds a parameter: most as they are here.</summary>
    /// <param name="format">The format.</param>
    /// <param name="canonical">Canonical name.</param>
    /// <param name="shape">Its shape here; values are in the same order.</param>
    /// <param name="config">The model.</param>
    public static Shape ShapeIn(CheckpointFormat format, string canonical, Shape shape, LlamaConfig config) => config.Vision is null ? shape : MllamaNames.FileShape(format, canonical, shape, config);

    /// <summary>Whether a tensor that no parameter asks for may be left out: tables of angles that are computed anyway.</summary>
    /// <param name="format">The format.</param>
    /// <param name="name">Name in the file.</param>
    /// <param name="config">The model: a Llama 4 that sees too is a text model here.</param>
    public static bool IsIgnored(CheckpointFormat format, string name, LlamaConfig config) => (config.Llama4 is not null && IsVision(name)) || format switch
    {
        CheckpointFormat.Safetensors => name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal),
        CheckpointFormat.Gguf => name == "rope_freqs.weight" || name.EndsWith(".attn_rot_embd.weight", StringComparison.Ordinal),
        _ => name is "rope.freqs" or "text_model.rope.freqs",
    };

    private static bool IsVision(string name) =>
        new[] { "vision_model.", "multi_modal_projector.", "vision_embeddings.", "vision_projection.", "v.", "mm." }.Any(p => name.StartsWith(p, StringComparison.Ordinal));

    /// <summary>The layer a canonical name belongs to, or -1.</summary>
    public static int LayerOf(string canonical) =>
        canonical.StartsWith("layers.", StringComparison.Ordinal)
        && int.TryParse(canonical.AsSpan(7, canonical.IndexOf('.', 7) - 7), NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? layer : -1;
}
