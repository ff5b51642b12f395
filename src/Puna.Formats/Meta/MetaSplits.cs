namespace Puna.Formats.Meta;

/// <summary>The table that says how each tensor of Meta's layout is divided (spec llama1-3.md 3.1, vision 4.9).</summary>
public static class MetaSplits
{
    /// <summary>The rule for a tensor, by the last part of its name.</summary>
    /// <param name="name">Name in the checkpoint, for example <c>layers.0.attention.wq.weight</c>.</param>
    public static MetaSplit Find(string name)
    {
        ReadOnlySpan<char> stem = name;
        bool bias = stem.EndsWith(".bias", StringComparison.Ordinal);
        if (bias || stem.EndsWith(".weight", StringComparison.Ordinal))
        {
            stem = stem[..stem.LastIndexOf('.')];
        }

        return stem[(stem.LastIndexOf('.') + 1)..] switch
        {
            "tok_embeddings" => MetaSplit.Embedding,
            "wq" or "wk" or "wv" or "w1" or "w3" or "output" => MetaSplit.Rows,
            "c_fc" or "_linear" or "vision_projection" or "learnable_embedding" => MetaSplit.Rows,
            "wo" or "w2" or "c_proj" => bias ? MetaSplit.Replicated : MetaSplit.Columns,
            "norm" or "attention_norm" or "ffn_norm" or "q_norm" or "k_norm" or "freqs" or "router" => MetaSplit.Replicated,
            "ln_1" or "ln_2" or "ln_pre" or "ln_post" => MetaSplit.Replicated,
            "gate" or "gate_attn" or "gate_ffn" or "gate_ffwd" or "embedding" or "class_embedding" => MetaSplit.Replicated,
            "positional_embedding" or "positional_embedding_vlm" or "gated_positional_embedding" or "gated_positional_embedding_gate" => MetaSplit.Replicated,
            _ => MetaSplit.Unknown,
        };
    }

    /// <summary>Whether the tensor belongs to the key or value heads, which parts of one head share where there are more parts than heads.</summary>
    public static bool IsKeyOrValue(string name) =>
        name.EndsWith(".attention.wk.weight", StringComparison.Ordinal) || name.EndsWith(".attention.wv.weight", StringComparison.Ordinal);
}
