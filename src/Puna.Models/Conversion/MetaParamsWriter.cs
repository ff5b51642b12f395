using System.Buffers;
using System.Text.Json;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Models.Conversion;

/// <summary>
/// Makes <c>params.json</c>. Where Meta's keys cannot say a thing (a head size that is not dim / heads, another rotary scaling), Hugging Face's key is added, which
/// other readers pass over and ours honours.
/// </summary>
public static class MetaParamsWriter
{
    /// <summary>Roundings and multipliers of the releases, tried before a made-up multiplier.</summary>
    private static readonly (int MultipleOf, double? Multiplier)[] Released = [(256, null), (256, 1.0), (256, 1.5), (1024, 1.3), (4096, 1.3), (4096, 1.2)];

    /// <summary>The settings of a model.</summary>
    /// <exception cref="PunaException">The model has something the format cannot hold.</exception>
    public static MetaParams Write(LlamaConfig config)
    {
        if (config.Labels > 0)
        {
            throw new PunaException("format meta: expected a language model, got a sequence classifier");
        }

        RopeScaling scaling = RopeRecovery.Name(config);
        bool metaCanSayScaling = scaling is RopeScaling.None
            || scaling == new RopeScaling.Llama3(config.Hidden is 2048 or 3072 ? 32 : 8, 1, 4, 8192);
        (int multipleOf, double? multiplier) = FeedForward(config);
        return new MetaParams
        {
            Dim = config.Hidden,
            NLayers = config.Layers,
            NHeads = config.Heads,
            NKvHeads = config.KvHeads,
            VocabSize = config.Vocab >= 128000 ? config.Vocab : -1,
            MultipleOf = multipleOf,
            FfnDimMultiplier = multiplier,
            NormEps = double.Parse(config.NormEpsilon.ToString(System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture),
            RopeTheta = config.RopeTheta,
            UseScaledRope = metaCanSayScaling && scaling is RopeScaling.Llama3,
            Raw = Extra(config, metaCanSayScaling ? null : scaling),
        };
    }

    private static (int MultipleOf, double? Multiplier) FeedForward(LlamaConfig config)
    {
        foreach ((int multipleOf, double? multiplier) in Released)
        {
            if (LlamaConfig.FfnWidth(config.Hidden, multipleOf, multiplier) == config.Ffn)
            {
                return (multipleOf, multiplier);
            }
        }

        // Truncation makes of this exactly the width, which a rounding to 1 leaves alone.
        long unscaled = 2 * (4L * config.Hidden) / 3;
        return (1, (config.Ffn + 0.5) / unscaled);
    }

    private static JsonElement Extra(LlamaConfig config, RopeScaling? scaling)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("max_position_embeddings", config.ContextLength);
            if (config.HeadDim * config.Heads != config.Hidden)
            {
                json.WriteNumber("head_dim", config.HeadDim);
            }

            if (config.TiedEmbeddings)
            {
                json.WriteBoolean("tie_word_embeddings", true);
            }

            if (config.BosId is int bos)
            {
                json.WriteNumber("bos_token_id", bos);
            }

            HuggingFaceConfigWriter.WriteEos(json, config.EosIds);
            if (scaling is not null)
            {
                HuggingFaceConfigWriter.WriteScaling(json, scaling);
            }

            json.WriteEndObject();
        }

        using JsonDocument document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }
}
