using Puna.Models.Checkpoints.LowPrecision;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>Reads <c>config.json</c> (spec llama1-3.md 3.2), in the form with <c>rope_theta</c> and <c>rope_scaling</c> and in the newer one with <c>rope_parameters</c>.</summary>
public static class HuggingFaceConfig
{
    /// <summary>The model types whose arithmetic is a Llama's.</summary>
    private static readonly string[] ModelTypes = ["llama", "mistral", "qwen2", HuggingFaceLlama4.TextType, HuggingFaceLlama4.WholeType, HuggingFaceMllama.ModelType];

    /// <summary>Settings that change the arithmetic in ways a Llama does not know, with the value that means nothing changes.</summary>
    private static readonly (string Key, double Neutral)[] Foreign =
    [
        ("partial_rotary_factor", 1), ("num_local_experts", 0), ("num_experts", 0), ("n_routed_experts", 0), ("embedding_multiplier", 1), ("residual_multiplier", 1),
        ("attention_multiplier", 0), ("logits_scaling", 1), ("logit_scale", 1), ("attn_logit_softcapping", 0), ("final_logit_softcapping", 0), ("query_pre_attn_scalar", 0),
    ];

    /// <summary>Reads the file, and <c>generation_config.json</c> beside it for the ids that end a text.</summary>
    /// <param name="file">Path of <c>config.json</c>.</param>
    /// <param name="labels">Rows of the tensor <c>score.weight</c> where the checkpoint has one, which makes it a classifier; otherwise 0.</param>
    /// <exception cref="PunaException">A setting is missing, malformed, or asks for what this code does not have; the message names it.</exception>
    public static LlamaConfig Read(string file, int labels = 0)
    {
        JsonConfig json = JsonConfig.Read(file);
        string type = json.String("model_type") ?? "llama";
        IReadOnlyList<string> architectures = json.Strings("architectures") ?? [];
        if (!ModelTypes.Contains(type, StringComparer.Ordinal))
        {
            throw json.Refuse("model_type", string.Join(" or ", ModelTypes));
        }

        bool isFour = type is HuggingFaceLlama4.TextType or HuggingFaceLlama4.WholeType;
        bool isMllama = type == HuggingFaceMllama.ModelType;
        bool? tied = json.Bool("tie_word_embeddings");
        bool classifier = labels > 0 || architectures.Any(a => a.EndsWith("ForSequenceClassification", StringComparison.Ordinal));
        if (architectures.Count > 0 && !classifier && !architectures.Any(a => a.EndsWith("ForCausalLM", StringComparison.Ordinal) || a.EndsWith("Model", StringComparison.Ordinal)
            || ((isFour || isMllama) && a.EndsWith("ForConditionalGeneration", StringComparison.Ordinal))))
        {
            throw json.Refuse("architectures", "a causal language model or a sequence classifier");
        }

        _ = IsFloat8(json);
        Llama4VisionConfig? earlyVision = type == HuggingFaceLlama4.WholeType ? Llama4VisionReader.ReadHuggingFace(json) : null;
        JsonConfig whole = json;
        json = isFour ? json.Object("text_config") ?? json : isMllama ? json.Object("text_config") ?? throw json.Refuse("text_config", "the settings of the text model") : json;
        RefuseForeign(json, isFour);
        if (!isFour && !isMllama)
        {
            RefuseDefaultsOfOtherClasses(json, type);
        }

        int hidden = json.RequireInt("hidden_size");
        int heads = json.RequireInt("num_attention_heads");
        int context = json.Int("max_position_embeddings") ?? (isFour || isMllama ? 131072 : 2048);
        int layers = json.RequireInt("num_hidden_layers");
        int headDim = json.Int("head_dim") ?? (isFour && json.Lacks("head_dim") ? (int?)128 : null) ?? (heads > 0 && hidden % heads == 0 ? hidden / heads : throw json.Refuse("num_attention_heads", $"a divisor of the hidden size {hidden}"));
        MllamaConfig? vision = isMllama ? HuggingFaceMllama.Read(whole, json) : null;
        if (vision is not null)
        {
            // There they are counted together.
            layers -= vision.CrossLayers.Count;
        }

        double theta = Theta(json, isFour || isMllama ? 500000 : 10000);
        bool bias = json.Bool("attention_bias") ?? false;
        JsonConfig? generation = Generation(file);
        return new LlamaConfig
        {
            Name = isFour ? "llama4" : type,
            Hidden = hidden,
            Ffn = isFour ? json.Int("intermediate_size_mlp") ?? 16384 : json.RequireInt("intermediate_size"),
            Llama4 = isFour && layers is > 0 and <= 10000 ? HuggingFaceLlama4.Read(json, layers) with { Vision = earlyVision } : null,
            Vision = vision,
            Layers = layers,
            Heads = heads,
            KvHeads = json.Int("num_key_value_heads") ?? heads,
            HeadDim = headDim,
            Vocab = json.RequireInt("vocab_size"),
            ContextLength = context,
            NormEpsilon = (float)(json.Number("rms_norm_eps") ?? (isFour || isMllama ? 1e-5 : 1e-6)),
            RopeTheta = theta,
            RopeScaling = ReadScaling(json, context),
            TiedEmbeddings = json.Bool("tie_word_embeddings") ?? tied ?? false,
            QkvBias = bias || type == "qwen2",
            AttentionOutputBias = bias,
            MlpBias = json.Bool("mlp_bias") ?? false,
            Labels = classifier ? Math.Max(1, labels) : 0,
            BosId = json.Int("bos_token_id"),
            EosIds = generation?.Ints("eos_token_id") ?? json.Ints("eos_token_id") ?? [],
        }.Validate(file);
    }

    /// <summary>Whether the settings in a <c>config.json</c> say that weights are float8.</summary>
    /// <exception cref="PunaException">They are quantised in a way that is not understood.</exception>
    internal static bool IsFloat8(string file) => IsFloat8(JsonConfig.Read(file));

    private static bool IsFloat8(JsonConfig json) => HuggingFaceFloat8.IsSaid(json) | (json.Object("text_config") is { } text && HuggingFaceFloat8.IsSaid(text));

    /// <summary>Reads <c>rope_parameters</c> or <c>rope_scaling</c>.</summary>
    internal static RopeScaling ReadScaling(JsonConfig json, int context)
    {
        JsonConfig? rope = json.Object("rope_parameters") ?? json.Object("rope_scaling");
        string kind = rope?.String("rope_type") ?? rope?.String("type") ?? "default";
        if (rope is null || kind == "default")
        {
            return new RopeScaling.None();
        }

        double Factor() => rope.Number("factor") is double f && f > 0 ? f : throw rope.Refuse("factor", "a positive number");
        double Positive(string key) => rope.Number(key) is double f && f > 0 ? f : throw rope.Refuse(key, "a positive number");
        int original = rope.Int("original_max_position_embeddings") ?? json.Int("original_max_position_embeddings") ?? context;
        if (original <= 0)
        {
            throw rope.Refuse("original_max_position_embeddings", "a positive number");
        }

        return kind switch
        {
            "linear" => new RopeScaling.Linear(Factor()),
            "dynamic" => new RopeScaling.Dynamic(Factor()),
            "llama3" => new RopeScaling.Llama3(Factor(), Positive("low_freq_factor"), Positive("high_freq_factor"), original),
            "yarn" => new RopeScaling.Yarn(
                Factor(),
                original,
                rope.Number("beta_fast") is double fast && fast != 0 ? fast : 32,
                rope.Number("beta_slow") is double slow && slow != 0 ? slow : 1,
                YarnMagnitude(rope, Factor()),
                rope.Bool("truncate") ?? true),
            _ => throw rope.Refuse(rope.Has("rope_type") ? "rope_type" : "type", "default, linear, dynamic, llama3 or yarn"),
        };
    }

    private static double Theta(JsonConfig json, double standard)
    {
        double theta = json.Object("rope_parameters")?.Number("rope_theta") ?? json.Number("rope_theta") ?? standard;
        // Versions of the reference differ on whether a base inside the older object counts.
        return json.Has("rope_parameters") || json.Object("rope_scaling") is not JsonConfig scaling || scaling.Number("rope_theta") is not double inner || inner == theta
            ? theta
            : throw scaling.Refuse("rope_theta", FormattableString.Invariant($"{theta}, the rope_theta outside rope_scaling"));
    }

    private static JsonConfig? Generation(string file)
    {
        string path = Path.Combine(Path.GetDirectoryName(file) ?? "", "generation_config.json");
        return File.Exists(path) ? JsonConfig.Read(path) : null;
    }

    private static void RefuseForeign(JsonConfig json, bool isFour)
    {
        foreach ((string key, double neutral) in Foreign)
        {
            if (!isFour || key != "num_local_experts")
            {
                RefuseUnless(json, key, neutral);
            }
        }

        foreach (string key in (string[])["rope_parameters", "rope_scaling"])
        {
            if (json.Object(key) is JsonConfig rope)
            {
                RefuseUnless(rope, "partial_rotary_factor", 1);
                foreach (string layer in (string[])["full_attention", "sliding_attention"])
                {
                    if (rope.Has(layer))
                    {
                        throw rope.Refuse(layer, "one rotary setting for all layers");
                    }
                }
            }
        }

        if (json.Bool("is_causal") == false)
        {
            throw json.Refuse("is_causal", "true");
        }

        if (json.String("hidden_act") is not (null or "silu" or "swish"))
        {
            throw json.Refuse("hidden_act", "silu");
        }

        if (!isFour && json.Strings("layer_types") is IReadOnlyList<string> layers && layers.Any(l => l != "full_attention"))
        {
            throw json.Refuse("layer_types", "full_attention in every layer");
        }
    }

    private static void RefuseUnless(JsonConfig json, string key, double neutral)
    {
        if (json.Number(key) is double value && value != neutral)
        {
            throw json.Refuse(key, $"{neutral} (this setting is none of a Llama's)");
        }
    }

    /// <summary>
    /// Where a key is absent the reference takes the default of the model type's class, which for other types than llama is the value of one release: such a key
    /// is asked for by name instead of guessed. Biases of these types are fixed by their class, whatever the setting says.
    /// </summary>
    private static void RefuseDefaultsOfOtherClasses(JsonConfig json, string type)
    {
        bool slides = type == "qwen2" ? json.Bool("use_sliding_window") ?? false : json.Has("sliding_window") || (type == "mistral" && json.Lacks("sliding_window"));
        // 4096 where the key is absent is the default of both classes that slide.
        int? window = json.Int("sliding_window") ?? (json.Lacks("sliding_window") ? 4096 : null);
        if (slides && window < (json.Int("max_position_embeddings") ?? int.MaxValue))
        {
            throw json.Refuse("sliding_window", "null, or at least the context: sliding-window attention is not understood");
        }

        if (type != "llama")
        {
            foreach (string key in (string[])["max_position_embeddings", "num_key_value_heads"])
            {
                if (json.Lacks(key))
                {
                    throw json.Refuse(key, $"a number, because model_type {type} has a default of its own");
                }
            }

            if (json.Bool("attention_bias") == true)
            {
                throw json.Refuse("attention_bias", $"false or none: biases of model_type {type} are fixed");
            }
        }
    }

    private static double YarnMagnitude(JsonConfig rope, double factor)
    {
        if (rope.Number("attention_factor") is double given and not 0)
        {
            return given;
        }

        return rope.Number("mscale") is double scale and not 0 && rope.Number("mscale_all_dim") is double all and not 0
            ? RopeScaling.Yarn.DefaultMagnitude(factor, scale) / RopeScaling.Yarn.DefaultMagnitude(factor, all)
            : RopeScaling.Yarn.DefaultMagnitude(factor);
    }
}
