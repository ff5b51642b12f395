using Puna.Formats;
using Puna.Formats.Gguf;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>Reads a config from the metadata and tensor list of a GGUF file (spec llama1-3.md 3.3).</summary>
public static class GgufConfig
{
    /// <summary>Keys that change the arithmetic in ways a Llama does not know, with the value that means nothing changes.</summary>
    private static readonly (string Key, double Neutral)[] Foreign =
    [
        ("expert_count", 0), ("expert_used_count", 0), ("attention.scale", 0), ("embedding_scale", 1), ("residual_scale", 1), ("logit_scale", 1),
        ("attn_logit_softcapping", 0), ("final_logit_softcapping", 0), ("rope.scaling.yarn_log_multiplier", 0), ("attention.temperature_scale", 0),
    ];

    /// <summary>The order of a head's rows: interleaved for architectures <c>llama</c> and <c>llama4</c>, half-split for <c>qwen2</c>.</summary>
    public static RopeLayout Layout(GgufMetadata metadata) => metadata.GetString("general.architecture") is "llama" or GgufLlama4.Architecture ? RopeLayout.Interleaved : RopeLayout.HalfSplit;

    /// <summary>Reads the config.</summary>
    /// <param name="file">The tensors, for what the metadata leaves out.</param>
    /// <param name="metadata">The keys.</param>
    /// <exception cref="PunaException">A key is missing, malformed, or asks for what this code does not have; the message names it.</exception>
    public static LlamaConfig Read(TensorFile file, GgufMetadata metadata)
    {
        string path = file.Path;
        string architecture = metadata.GetString("general.architecture") ?? throw new FileFormatException(path, "metadata general.architecture: expected llama, llama4 or qwen2, got none");
        if (architecture is not ("llama" or GgufLlama4.Architecture or "qwen2"))
        {
            throw new FileFormatException(path, $"metadata general.architecture: expected llama, llama4 or qwen2, got {architecture}");
        }

        bool isFour = architecture == GgufLlama4.Architecture;
        RefuseForeign(path, architecture, metadata, isFour);
        int hidden = RequireInt(path, metadata, architecture + ".embedding_length");
        int heads = RequireInt(path, metadata, architecture + ".attention.head_count");
        int context = RequireInt(path, metadata, architecture + ".context_length");
        int? rotated = Int(path, metadata, architecture + ".rope.dimension_count");
        int headDim = Int(path, metadata, architecture + ".attention.key_length")
            ?? rotated
            ?? (heads > 0 && hidden % heads == 0 ? hidden / heads : throw new FileFormatException(path, $"metadata {architecture}.attention.head_count: expected a divisor of {hidden}, got {heads}"));
        Same(path, architecture + ".attention.value_length", Int(path, metadata, architecture + ".attention.value_length"), headDim);
        Same(path, architecture + ".rope.dimension_count", rotated, headDim);
        int layers = RequireInt(path, metadata, architecture + ".block_count");
        double theta = metadata.GetNumber(architecture + ".rope.freq_base") ?? 10000;
        return new LlamaConfig
        {
            Name = metadata.GetString("general.name") ?? architecture,
            Hidden = hidden,
            Ffn = RequireInt(path, metadata, architecture + ".feed_forward_length"),
            Layers = layers,
            Llama4 = isFour && layers is > 0 and <= 10000 ? GgufLlama4.Read(path, metadata, layers) : null,
            Heads = heads,
            KvHeads = Int(path, metadata, architecture + ".attention.head_count_kv") ?? heads,
            HeadDim = headDim,
            Vocab = Rows(file, "token_embd.weight"),
            ContextLength = context,
            NormEpsilon = (float)(metadata.GetNumber(architecture + ".attention.layer_norm_rms_epsilon")
                ?? throw new FileFormatException(path, $"metadata {architecture}.attention.layer_norm_rms_epsilon: expected a number, got none")),
            RopeTheta = theta,
            RopeScaling = ReadScaling(file, architecture, metadata, context, headDim),
            TiedEmbeddings = !file.TryGetInfo("output.weight", out _),
            QkvBias = file.TryGetInfo("blk.0.attn_q.bias", out _),
            AttentionOutputBias = file.TryGetInfo("blk.0.attn_output.bias", out _),
            MlpBias = file.TryGetInfo("blk.0.ffn_gate.bias", out _),
            Labels = file.TryGetInfo("cls.output.weight", out TensorInfo? score) ? checked((int)score.Shape.Rows) : 0,
            BosId = Int(path, metadata, "tokenizer.ggml.bos_token_id"),
            EosIds = GgufOwnKeys.ReadStopIds(path, metadata) ?? StopIds(path, metadata),
        }.Validate(path);
    }

    /// <summary>The tokens that end a text, as far as the standard keys name them.</summary>
    internal static int[] StopIds(string path, GgufMetadata metadata)
    {
        string[] keys = ["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"];
        return [.. keys.Select(k => Int(path, metadata, k)).OfType<int>().Distinct()];
    }

    private static RopeScaling ReadScaling(TensorFile file, string architecture, GgufMetadata metadata, int context, int headDim)
    {
        string p = architecture + ".rope.scaling.";
        RopeScaling scaling = ReadScalingKeys(file, architecture, metadata, context);
        double magnitude = Magnitude(file.Path, p, metadata);
        double ramp = metadata.GetNumber(p + "yarn_ext_factor") ?? -1;
        if (scaling is RopeScaling.Yarn ? ramp is not (1 or -1) : ramp is not (0 or -1))
        {
            throw new FileFormatException(file.Path, FormattableString.Invariant($"metadata {p}yarn_ext_factor: expected {(scaling is RopeScaling.Yarn ? 1 : 0)} or -1 with this type of scaling, got {ramp}"));
        }

        if (scaling is not RopeScaling.Yarn && magnitude != 1)
        {
            throw new FileFormatException(file.Path, FormattableString.Invariant($"metadata {p}attn_factor: expected 1 without yarn, got {magnitude}"));
        }

        if (!file.TryGetInfo("rope_freqs.weight", out TensorInfo? info))
        {
            return scaling;
        }

        if (scaling is not RopeScaling.None)
        {
            throw new FileFormatException(file.Path, $"metadata {p}type: expected none beside the tensor rope_freqs.weight, got {scaling.Name}");
        }

        return info.DType == DType.F32 && info.Shape == new Shape(headDim / 2)
            ? new RopeScaling.Divisors(file.GetTensor("rope_freqs.weight").Row<float>(0).ToArray(), GgufOwnKeys.ReadLlama3(metadata))
            : throw new FileFormatException(file.Path, $"tensor rope_freqs.weight: expected f32 [{headDim / 2}], got {info.DType.Name()} {info.Shape}");
    }

    /// <summary>The factor on cosines and sines beside the usual one; it has two names.</summary>
    private static double Magnitude(string path, string prefix, GgufMetadata metadata)
    {
        double older = metadata.GetNumber(prefix + "attn_factor") ?? 1;
        double newer = metadata.GetNumber(prefix + "yarn_attn_factor") ?? 1;
        return older == 1 || newer == 1
            ? older * newer
            : throw new FileFormatException(path, FormattableString.Invariant($"metadata {prefix}yarn_attn_factor: expected 1 beside attn_factor {older}, got {newer}"));
    }

    private static RopeScaling ReadScalingKeys(TensorFile file, string architecture, GgufMetadata metadata, int context)
    {
        string p = architecture + ".rope.scaling.";
        double factor = metadata.GetNumber(p + "factor") ?? metadata.GetNumber(architecture + ".rope.scale_linear") ?? 1;
        string kind = metadata.GetString(p + "type") ?? (factor is 0 or 1 ? "none" : "linear");
        if (kind != "none" && !(factor > 0 && double.IsFinite(factor)))
        {
            throw new FileFormatException(file.Path, $"metadata {p}factor: expected a positive number, got {factor}");
        }

        return kind switch
        {
            "none" => new RopeScaling.None(),
            "linear" => factor == 1 ? new RopeScaling.None() : new RopeScaling.Linear(factor),
            "yarn" => GgufOwnKeys.Exact(metadata, new RopeScaling.Yarn(
                factor,
                Int(file.Path, metadata, p + "original_context_length") ?? context,
                metadata.GetNumber(p + "yarn_beta_fast") ?? 32,
                metadata.GetNumber(p + "yarn_beta_slow") ?? 1,
                Magnitude(file.Path, p, metadata) * RopeScaling.Yarn.DefaultMagnitude(factor),
                Truncate: true)),
            _ => throw new FileFormatException(file.Path, $"metadata {p}type: expected none, linear or yarn, got {kind}"),
        };
    }

    private static void RefuseForeign(string path, string architecture, GgufMetadata metadata, bool isFour)
    {
        foreach ((string key, double neutral) in Foreign)
        {
            if (!(isFour && key.StartsWith("expert_", StringComparison.Ordinal)) && metadata.GetNumber($"{architecture}.{key}") is double value && value != neutral)
            {
                throw new FileFormatException(path, $"metadata {architecture}.{key}: expected {neutral} (this key is none of a dense Llama's), got {value}");
            }
        }

        int context = RequireInt(path, metadata, architecture + ".context_length");
        if (!isFour && Int(path, metadata, architecture + ".attention.sliding_window") is int window and > 0 && window < context)
        {
            throw new FileFormatException(path, $"metadata {architecture}.attention.sliding_window: expected none, or at least the context {context}, got {window}");
        }

        if (metadata.GetBool(architecture + ".attention.causal") == false)
        {
            throw new FileFormatException(path, $"metadata {architecture}.attention.causal: expected true, got false");
        }
    }

    private static int Rows(TensorFile file, string name) =>
        file.TryGetInfo(name, out TensorInfo? info) ? checked((int)info.Shape.Rows) : throw new FileFormatException(file.Path, $"tensor {name}: expected in the file, got none");

    private static void Same(string path, string key, int? value, int expected)
    {
        if (value is int v && v != expected)
        {
            throw new FileFormatException(path, $"metadata {key}: expected {expected} as the key length, got {v}");
        }
    }

    private static int RequireInt(string path, GgufMetadata metadata, string key) =>
        Int(path, metadata, key) ?? throw new FileFormatException(path, $"metadata {key}: expected a number, got none");

    /// <summary>An integer, or an array of equal ones (some writers give head counts per layer).</summary>
    private static int? Int(string path, GgufMetadata metadata, string key)
    {
        if (!metadata.TryGet(key, out GgufValue? value))
        {
            return null;
        }

        long number;
        if (value.Type == GgufValueType.Array)
        {
            long[] all = metadata.GetIntegers(key)!;
            number = all.Length > 0 && all.All(x => x == all[0]) ? all[0] : throw new FileFormatException(path, $"metadata {key}: expected the same number for every layer, got different ones");
        }
        else
        {
            number = metadata.GetInteger(key)!.Value;
        }

        return number is >= int.MinValue and <= int.MaxValue ? (int)number : throw new FileFormatException(path, $"metadata {key}: expected a 32-bit number, got {number}");
    }
}
