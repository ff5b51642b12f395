using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Conversion;

/// <summary>Makes the metadata of a GGUF file of architecture <c>llama</c>, or <c>llama4</c>. Key-value heads, norms and scalings as spec llama1-3.md 3.3 has them.</summary>
public static class GgufMetadataWriter
{
    /// <summary>The keys of a model, without a vocabulary.</summary>
    /// <param name="config">The model.</param>
    /// <param name="fileType">Id of the mix of types; null where it has none.</param>
    /// <param name="quantized">Whether any tensor is of a block type.</param>
    /// <param name="name">What the model is called.</param>
    /// <exception cref="PunaException">GGUF has no keys for the model's rotary scaling.</exception>
    public static GgufMetadata Write(LlamaConfig config, int? fileType, bool quantized, string name)
    {
        var metadata = new GgufMetadata();
        string architecture = config.Llama4 is null ? "llama" : GgufLlama4.Architecture;
        metadata.Set("general.architecture", architecture);
        metadata.Set("general.name", name);
        if (fileType is int id)
        {
            metadata.Set("general.file_type", (uint)id);
        }

        if (quantized)
        {
            metadata.Set("general.quantization_version", 2u);
        }

        metadata.Set(architecture + ".vocab_size", (uint)config.Vocab);
        metadata.Set(architecture + ".context_length", (uint)config.ContextLength);
        metadata.Set(architecture + ".embedding_length", (uint)config.Hidden);
        metadata.Set(architecture + ".block_count", (uint)config.Layers);
        metadata.Set(architecture + ".feed_forward_length", (uint)config.Ffn);
        metadata.Set(architecture + ".attention.head_count", (uint)config.Heads);
        metadata.Set(architecture + ".attention.head_count_kv", (uint)config.KvHeads);
        metadata.Set(architecture + ".attention.key_length", (uint)config.HeadDim);
        metadata.Set(architecture + ".attention.value_length", (uint)config.HeadDim);
        metadata.Set(architecture + ".attention.layer_norm_rms_epsilon", config.NormEpsilon);
        metadata.Set(architecture + ".rope.dimension_count", (uint)config.HeadDim);
        metadata.Set(architecture + ".rope.freq_base", (float)config.RopeTheta);
        if (config.Llama4 is { } four)
        {
            GgufLlama4.Write(metadata, four, config.Layers);
            if (config.RopeScaling is not (RopeScaling.None or RopeScaling.Llama3 or RopeScaling.Divisors))
            {
                throw new PunaException($"format gguf: expected rotary scaling none or llama3 of a Llama 4, got {config.RopeScaling.Name}");
            }
        }

        WriteScaling(metadata, config.RopeScaling);
        return metadata;
    }

    /// <summary>The tensor <c>rope_freqs.weight</c> that stands for Llama 3.1's scaling, or null where the keys say everything.</summary>
    public static float[]? RopeDivisors(LlamaConfig config)
    {
        switch (config.RopeScaling)
        {
            case RopeScaling.Divisors given:
                return [.. given.Values];
            case RopeScaling.Llama3 llama3:
                float[] frequencies = RotaryFrequencies.Unscaled(config.RopeTheta, config.HeadDim);
                var divisors = new float[frequencies.Length];
                RotaryFrequencies.Llama3Divisors(llama3, frequencies, divisors);
                return divisors;
            default:
                return null;
        }
    }

    private static void WriteScaling(GgufMetadata metadata, RopeScaling scaling)
    {
        switch (scaling)
        {
            case RopeScaling.Linear linear:
                metadata.Set("llama.rope.scaling.type", "linear");
                metadata.Set("llama.rope.scaling.factor", (float)linear.Factor);
                break;
            case RopeScaling.Yarn { Truncate: true } yarn:
                WriteYarn(metadata, yarn);
                break;
            case RopeScaling.Llama3 rule:
                GgufOwnKeys.WriteLlama3(metadata, rule);
                break;
            case RopeScaling.Divisors { Rule: RopeScaling.Llama3 rule }:
                GgufOwnKeys.WriteLlama3(metadata, rule);
                break;
            case RopeScaling.Dynamic or RopeScaling.Yarn:
                throw new PunaException($"format gguf: expected rotary scaling none, linear, llama3 or yarn with a truncated ramp, got {scaling.Name}");
        }
    }

    private static void WriteYarn(GgufMetadata metadata, RopeScaling.Yarn yarn)
    {
        float factor = (float)yarn.Factor;
        double usual = RopeScaling.Yarn.DefaultMagnitude(factor);
        float attention = AttentionFactor(yarn.Magnitude, usual);
        metadata.Set("llama.rope.scaling.type", "yarn");
        metadata.Set("llama.rope.scaling.factor", factor);
        metadata.Set("llama.rope.scaling.original_context_length", (uint)yarn.OriginalContext);
        metadata.Set("llama.rope.scaling.attn_factor", attention);
        metadata.Set("llama.rope.scaling.yarn_beta_fast", (float)yarn.BetaFast);
        metadata.Set("llama.rope.scaling.yarn_beta_slow", (float)yarn.BetaSlow);
        GgufOwnKeys.WriteYarn(metadata, yarn, yarn with
        {
            Factor = factor,
            Magnitude = attention * usual,
            BetaFast = (float)yarn.BetaFast,
            BetaSlow = (float)yarn.BetaSlow,
        });
    }

    /// <summary>
    /// The factor whose product with the usual magnitude has the same float32 bits as the magnitude. Rounding the quotient can miss them by one; where no float32
    /// reaches them the quotient is as good as any other.
    /// </summary>
    private static float AttentionFactor(double magnitude, double usual)
    {
        float quotient = (float)(magnitude / usual);
        foreach (float candidate in (ReadOnlySpan<float>)[quotient, MathF.BitDecrement(quotient), MathF.BitIncrement(quotient)])
        {
            if ((float)(candidate * usual) == (float)magnitude)
            {
                return candidate;
            }
        }

        return quotient;
    }
}
