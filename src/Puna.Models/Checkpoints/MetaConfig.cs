using System.Text.Json;
using Puna.Formats;
using Puna.Formats.Meta;
using Puna.Models.Checkpoints.LowPrecision;
using Puna.Tensors;

namespace Puna.Models.Checkpoints;

/// <summary>
/// Reads a config from Meta's <c>params.json</c> (spec llama1-3.md 3.1). That file says less than the others: the vocabulary and the feed-forward width are
/// taken from the tensors, special tokens are left to the tokenizer, the context follows from the generation (spec 1.2): 131072 with scaled frequencies, 8192 for
/// the vocabulary or the base of Llama 3, 16384 for the base of Code Llama, 2048 for the epsilon 1e-6 with the 32000 tokens of Llama 1, otherwise the 4096 of
/// Llama 2; a Llama 4 has 10485760 with scaled frequencies, as Scout, otherwise 1048576, as Maverick. (One quotation of a Llama 2 chat file has 1e-6 as well; nothing in such a file tells it from Llama 1.) Our own writer adds Hugging Face's keys where
/// Meta's cannot say a thing; they win.
/// </summary>
public static class MetaConfig
{
    /// <summary>Reads the config.</summary>
    /// <param name="file">The tensors.</param>
    /// <param name="parameters">The settings.</param>
    /// <exception cref="PunaException">A setting is missing or malformed.</exception>
    public static LlamaConfig Read(TensorFile file, MetaParams parameters)
    {
        JsonConfig extra = Settings(file, parameters);
        string path = extra.File;
        bool sees = MetaMllama.Is(extra), isInt4 = MetaInt4.IsSaid(extra);
        if (sees && isInt4)
        {
            throw extra.Refuse("quantization_args", "none: a model that sees is published in 16 bits");
        }

        string text = sees ? MetaMllama.TextPrefix : "";
        int vocab = Rows(file, text + "tok_embeddings.weight");
        if (parameters.VocabSize >= 0 && parameters.VocabSize != vocab)
        {
            throw extra.Refuse("vocab_size", $"{vocab}, as many as tok_embeddings.weight has rows, or -1");
        }

        int headDim = extra.Int("head_dim") ?? (parameters.Dim % parameters.NHeads == 0 ? parameters.Dim / parameters.NHeads : throw extra.Refuse("n_heads", $"a divisor of dim {parameters.Dim}"));
        Llama4Config? four = extra.Has("moe_args") && parameters.NLayers <= 10000 ? MetaLlama4.Read(extra, file, parameters.NLayers) with { Vision = Llama4VisionReader.ReadMeta(extra) } : null;
        double theta = parameters.RopeTheta ?? (four is null ? 10000 : 500000);
        RopeScaling scaling = new RopeScaling.None();
        if (extra.Has("rope_scaling"))
        {
            scaling = HuggingFaceConfig.ReadScaling(extra, extra.Int("max_position_embeddings") ?? 8192);
        }
        else if (four is not null)
        {
            scaling = MetaLlama4.Scaling(extra, parameters);
        }
        else if (parameters.UseScaledRope)
        {
            // params.json holds no factor; 32 belongs to the two small models of Llama 3.2, which INT4 is published of, 8 to all others (spec llama1-3.md 2.4).
            scaling = new RopeScaling.Llama3(isInt4 || parameters.Dim is 2048 or 3072 ? 32 : 8, 1, 4, 8192);
        }

        return new LlamaConfig
        {
            Name = sees ? "mllama" : four is null ? "llama" : "llama4",
            Vision = sees && parameters.NLayers <= 10000 ? MetaMllama.Read(extra, file, parameters, vocab) : null,
            Llama4 = four,
            Hidden = parameters.Dim,
            Ffn = four is null ? Rows(file, text + "layers.0.feed_forward.w1.weight") : MetaLlama4.DenseFfn(four, file, parameters),
            Layers = parameters.NLayers,
            Heads = parameters.NHeads,
            KvHeads = KvHeads(file, parameters, headDim, text),
            HeadDim = headDim,
            Vocab = vocab,
            ContextLength = extra.Int("max_position_embeddings") ?? (isInt4 ? MetaInt4.Context : four is null ? Context(parameters, vocab, theta) : parameters.UseScaledRope ? 10485760 : 1048576),
            NormEpsilon = (float)parameters.NormEps,
            RopeTheta = theta,
            RopeScaling = scaling,
            TiedEmbeddings = extra.Bool("tie_word_embeddings") ?? !file.TryGetInfo(text + "output.weight", out _),
            QkvBias = file.TryGetInfo("layers.0.attention.wq.bias", out _),
            AttentionOutputBias = file.TryGetInfo("layers.0.attention.wo.bias", out _),
            MlpBias = file.TryGetInfo("layers.0.feed_forward.w1.bias", out _),
            BosId = extra.Int("bos_token_id"),
            EosIds = extra.Ints("eos_token_id") ?? [],
        }.Validate(path);
    }

    /// <summary>The tensors as float32 where they are published in low precision, otherwise null.</summary>
    /// <exception cref="PunaException">They are not as such files have them.</exception>
    internal static TensorFile? Decoded(MetaCheckpoint file, MetaParams parameters, bool map)
    {
        JsonConfig extra = Settings(file, parameters);
        return MetaInt4.IsSaid(extra) ? MetaInt4.Decoded(file, extra) : MetaFloat8.Decoded(file, map);
    }

    private static JsonConfig Settings(TensorFile file, MetaParams parameters) =>
        JsonConfig.Of(Path.Combine(Directory.Exists(file.Path) ? file.Path : Path.GetDirectoryName(Path.GetFullPath(file.Path)) ?? "", "params.json"), parameters.Raw);

    private static int Context(MetaParams parameters, int vocab, double theta) =>
        parameters.UseScaledRope ? 131072
        : vocab >= 128000 || theta == 5e5 ? 8192
        : theta >= 1e6 ? 16384
        : (float)parameters.NormEps == 1e-6f && vocab == 32000 ? 2048
        : 4096;

    private static int KvHeads(TensorFile file, MetaParams parameters, int headDim, string text) =>
        // The 16-part files of 405B hold every key-value head twice; the weight tells how often. Any other number is a wrong shape.
        headDim > 0 && Rows(file, text + "layers.0.attention.wk.weight") is int rows && rows % ((long)headDim * parameters.KvHeads) == 0 ? Math.Max(rows / headDim, 1) : parameters.KvHeads;

    private static int Rows(TensorFile file, string name) => file.TryGetInfo(name, out TensorInfo? info)
        ? checked((int)info.Shape.Rows)
        : throw new FileFormatException(file.Path, $"tensor {name}: expected in the checkpoint, got none");
}
