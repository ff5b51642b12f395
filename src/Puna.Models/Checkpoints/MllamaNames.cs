using System.Globalization;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>
/// What each format calls the parameters of a Llama 3.2 Vision, and in which shapes it holds them (spec llama1-3.md 4.7 and 4.9). Hugging Face counts self- and cross-attention layers of the text model together, and has two
/// arrangements of prefixes.
/// </summary>
internal static class MllamaNames
{
    /// <summary>Meta's second part of the embedding: tokens that can only be read.</summary>
    public const string MetaExtraEmbedding = "text_model.learnable_embedding.weight";

    private const string Encoder = "vision_model.vision_encoder.";

    /// <summary>What follows the layer in a text model's name, by its canonical end. Self-attention has these under <c>self_attn</c> where cross-attention has <c>cross_attn</c>.</summary>
    private static readonly Dictionary<string, string> CrossParts = new(StringComparer.Ordinal)
    {
        ["attention_norm.weight"] = "input_layernorm.weight",
        ["attention.wq.weight"] = "cross_attn.q_proj.weight",
        ["attention.wk.weight"] = "cross_attn.k_proj.weight",
        ["attention.wv.weight"] = "cross_attn.v_proj.weight",
        ["attention.wo.weight"] = "cross_attn.o_proj.weight",
        ["attention.q_norm.weight"] = "cross_attn.q_norm.weight",
        ["attention.k_norm.weight"] = "cross_attn.k_norm.weight",
        ["gate_attn"] = "cross_attn_attn_gate",
        ["gate_ffwd"] = "cross_attn_mlp_gate",
        ["ffn_norm.weight"] = "post_attention_layernorm.weight",
        ["feed_forward.w1.weight"] = "mlp.gate_proj.weight",
        ["feed_forward.w3.weight"] = "mlp.up_proj.weight",
        ["feed_forward.w2.weight"] = "mlp.down_proj.weight",
    };

    private static readonly Dictionary<string, string> EncoderParts = new(StringComparer.Ordinal)
    {
        ["conv1._linear.weight"] = "patch_embedding.weight",
        ["class_embedding"] = "class_embedding",
        ["positional_embedding"] = "gated_positional_embedding.embedding",
        ["gated_positional_embedding"] = "gated_positional_embedding.tile_embedding.weight",
        ["gated_positional_embedding_gate"] = "gated_positional_embedding.gate",
        ["pre_tile_pos_embed.embedding"] = "pre_tile_positional_embedding.embedding.weight",
        ["pre_tile_pos_embed.gate"] = "pre_tile_positional_embedding.gate",
        ["post_tile_pos_embed.embedding"] = "post_tile_positional_embedding.embedding.weight",
        ["post_tile_pos_embed.gate"] = "post_tile_positional_embedding.gate",
        ["ln_pre.weight"] = "layernorm_pre.weight",
        ["ln_pre.bias"] = "layernorm_pre.bias",
        ["ln_post.weight"] = "layernorm_post.weight",
        ["ln_post.bias"] = "layernorm_post.bias",
    };

    private static readonly Dictionary<string, string> BlockParts = new(StringComparer.Ordinal)
    {
        ["attn.wq.weight"] = "self_attn.q_proj.weight",
        ["attn.wk.weight"] = "self_attn.k_proj.weight",
        ["attn.wv.weight"] = "self_attn.v_proj.weight",
        ["attn.wo.weight"] = "self_attn.o_proj.weight",
        ["mlp.c_fc.weight"] = "mlp.fc1.weight",
        ["mlp.c_fc.bias"] = "mlp.fc1.bias",
        ["mlp.c_proj.weight"] = "mlp.fc2.weight",
        ["mlp.c_proj.bias"] = "mlp.fc2.bias",
        ["ln_1.weight"] = "input_layernorm.weight",
        ["ln_1.bias"] = "input_layernorm.bias",
        ["ln_2.weight"] = "post_attention_layernorm.weight",
        ["ln_2.bias"] = "post_attention_layernorm.bias",
        ["gate_attn"] = "gate_attn",
        ["gate_ffn"] = "gate_ffn",
    };

    /// <summary>Whether a canonical name is one that only a Llama 3.2 Vision has.</summary>
    public static bool IsOwn(string canonical) =>
        canonical.StartsWith("cross_attention_layers.", StringComparison.Ordinal) || canonical.StartsWith("vision_model.", StringComparison.Ordinal);

    /// <summary>The name a format uses.</summary>
    /// <param name="format">Safetensors or Meta's.</param>
    /// <param name="canonical">Canonical name.</param>
    /// <param name="vision">Where the layers for images are.</param>
    /// <param name="isNested">Of safetensors, whether prefixes are those of transformers from 4.52 on.</param>
    /// <exception cref="ArgumentException">No such parameter, or a format without names for it.</exception>
    public static string In(CheckpointFormat format, string canonical, MllamaConfig vision, bool isNested = false) => format switch
    {
        CheckpointFormat.Meta => canonical.StartsWith("vision_model.", StringComparison.Ordinal) ? canonical : "text_model." + canonical,
        CheckpointFormat.Safetensors => HuggingFace(canonical, vision, isNested),
        _ => throw new ArgumentException($"{canonical}: GGUF has no names for what Llama 3.2 Vision sees with", nameof(format)),
    };

    /// <summary>The shape in which a format holds a parameter.</summary>
    /// <param name="format">Safetensors or Meta's.</param>
    /// <param name="canonical">Canonical name.</param>
    /// <param name="shape">Its shape here.</param>
    /// <param name="config">The model.</param>
    public static Shape FileShape(CheckpointFormat format, string canonical, Shape shape, LlamaConfig config)
    {
        MllamaConfig vision = config.Vision!;
        bool isMeta = format == CheckpointFormat.Meta;
        return canonical switch
        {
            "tok_embeddings.weight" when isMeta => new Shape(config.Vocab, config.Hidden),
            Encoder + "conv1._linear.weight" when !isMeta => new Shape(vision.Hidden, MllamaConfig.Channels, vision.PatchSize, vision.PatchSize),
            Encoder + "gated_positional_embedding" => Table(vision.TileTokens),
            Encoder + "pre_tile_pos_embed.embedding" or Encoder + "post_tile_pos_embed.embedding" => Table(1),
            _ => shape,
        };

        Shape Table(long tokens) => vision.HasCellTables
            ? new Shape(vision.MaxTiles, vision.MaxTiles, tokens, vision.Hidden)
            : new Shape(vision.AspectRatios.Count + 1, vision.MaxTiles * tokens * vision.Hidden);
    }

    private static string HuggingFace(string canonical, MllamaConfig vision, bool isNested)
    {
        if (canonical.StartsWith("vision_model.vision_projection.", StringComparison.Ordinal))
        {
            return string.Concat(isNested ? "model." : "", "multi_modal_projector.", canonical.AsSpan("vision_model.vision_projection.".Length));
        }

        if (canonical.StartsWith(Encoder, StringComparison.Ordinal))
        {
            return (isNested ? "model." : "") + "vision_model." + EncoderName(canonical[Encoder.Length..], canonical);
        }

        if (canonical.StartsWith("cross_attention_layers.", StringComparison.Ordinal))
        {
            (int layer, string rest) = Numbered(canonical["cross_attention_layers.".Length..], canonical);
            return string.Create(CultureInfo.InvariantCulture, $"{(isNested ? "model.language_model" : "language_model.model")}.layers.{vision.CrossLayers[layer]}.{Part(CrossParts, rest, canonical)}");
        }

        string text = TensorNames.In(CheckpointFormat.Safetensors, canonical);
        if (canonical.StartsWith("layers.", StringComparison.Ordinal))
        {
            (int layer, string rest) = Numbered(text["model.layers.".Length..], canonical);
            text = string.Create(CultureInfo.InvariantCulture, $"model.layers.{Merged(layer, vision)}.{rest}");
        }

        return !isNested ? "language_model." + text : text.StartsWith("model.", StringComparison.Ordinal) ? string.Concat("model.language_model", text.AsSpan("model".Length)) : text;
    }

    private static string EncoderName(string name, string canonical)
    {
        foreach ((string own, string other) in new[] { ("transformer.resblocks.", "transformer.layers."), ("global_transformer.resblocks.", "global_transformer.layers.") })
        {
            if (name.StartsWith(own, StringComparison.Ordinal))
            {
                (int layer, string rest) = Numbered(name[own.Length..], canonical);
                return string.Create(CultureInfo.InvariantCulture, $"{other}{layer}.{Part(BlockParts, rest, canonical)}");
            }
        }

        return Part(EncoderParts, name, canonical);
    }

    /// <summary>The place of a self-attention layer among those of both kinds.</summary>
    private static int Merged(int layer, MllamaConfig vision)
    {
        foreach (int cross in vision.CrossLayers)
        {
            layer += cross <= layer ? 1 : 0;
        }

        return layer;
    }

    private static (int Layer, string Tail) Numbered(string name, string canonical)
    {
        int dot = name.IndexOf('.', StringComparison.Ordinal);
        return dot > 0 && int.TryParse(name.AsSpan(0, dot), NumberStyles.None, CultureInfo.InvariantCulture, out int layer) ? (layer, name[(dot + 1)..]) : throw new ArgumentException($"no parameter is called {canonical}", nameof(canonical));
    }

    private static string Part(Dictionary<string, string> parts, string name, string canonical) =>
        parts.TryGetValue(name, out string? part) ? part : throw new ArgumentException($"no parameter is called {canonical}", nameof(canonical));
}
