namespace Puna.Models.Checkpoints;

/// <summary>What Hugging Face calls the parameters of Llama 4's picture encoder (spec llama4.md 5.2); the canonical names are Meta's.</summary>
public static class Llama4VisionNames
{
    private static readonly (string Meta, string HuggingFace)[] Parts =
    [
        ("vision_embeddings.vision_encoder.transformer.resblocks.", "vision_model.model.layers."),
        ("vision_embeddings.vision_adapter.", "vision_model.vision_adapter."),
        ("vision_embeddings.vision_encoder.", "vision_model."),
        ("vision_projection.", "multi_modal_projector.linear_1."),
        ("conv1._linear.", "patch_embedding.linear."),
        ("ln_pre.", "layernorm_pre."),
        ("ln_post.", "layernorm_post."),
        (".ln_1.", ".input_layernorm."),
        (".ln_2.", ".post_attention_layernorm."),
        (".attn.wq.", ".self_attn.q_proj."),
        (".attn.wk.", ".self_attn.k_proj."),
        (".attn.wv.", ".self_attn.v_proj."),
        (".attn.wo.", ".self_attn.o_proj."),
        (".mlp.c_fc.", ".mlp.fc1."),
        (".mlp.c_proj.", ".mlp.fc2."),
    ];

    /// <summary>Whether a tensor of a file belongs to a layer of the encoder.</summary>
    /// <param name="name">Its name, in either format.</param>
    public static bool IsOfALayer(string name) =>
        name.StartsWith("vision_model.model.layers.", StringComparison.Ordinal) || name.StartsWith("vision_embeddings.vision_encoder.transformer.resblocks.", StringComparison.Ordinal);

    /// <summary>Whether a parameter of a Llama 4 is one of what it sees with.</summary>
    /// <param name="canonical">Canonical name.</param>
    public static bool IsVision(string canonical) => canonical.StartsWith("vision_embeddings.", StringComparison.Ordinal) || canonical.StartsWith("vision_projection.", StringComparison.Ordinal);

    /// <summary>The name a format uses.</summary>
    /// <param name="format">Safetensors (Hugging Face) or Meta.</param>
    /// <param name="canonical">Meta's name.</param>
    public static string In(CheckpointFormat format, string canonical)
    {
        if (format != CheckpointFormat.Safetensors)
        {
            return canonical;
        }

        foreach ((string meta, string huggingFace) in Parts)
        {
            canonical = canonical.Replace(meta, huggingFace, StringComparison.Ordinal);
        }

        return canonical;
    }
}
