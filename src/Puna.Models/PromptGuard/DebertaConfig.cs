using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.PromptGuard;

/// <summary>Shape and arithmetic of a DeBERTa-v3 classifier, as Prompt Guard is one (spec llama4.md 14).</summary>
public sealed record DebertaConfig
{
    /// <summary>The value of <c>model_type</c> in <c>config.json</c>.</summary>
    public const string ModelType = "deberta-v2";

    private const int Most = 1 << 24;

    /// <summary>Width of the residual stream.</summary>
    public required int Hidden { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int Ffn { get; init; }

    /// <summary>Number of layers.</summary>
    public required int Layers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int Heads { get; init; }

    /// <summary>Rows of the embedding.</summary>
    public required int Vocab { get; init; }

    /// <summary>Tokens the model was made for. Longer texts can be computed: only distances have positions, and far ones share a row.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Buckets of distances to each side, or 0 where every distance has a row of its own.</summary>
    public required int Buckets { get; init; }

    /// <summary>From this distance on all share a bucket.</summary>
    public required int MaxDistance { get; init; }

    /// <summary>Epsilon of every norm.</summary>
    public required float NormEpsilon { get; init; }

    /// <summary>Whether the table of distances is normed.</summary>
    public required bool NormsDistances { get; init; }

    /// <summary>Names of the labels, as many as the classifier has rows; <c>LABEL_0</c> and so on where the file names none.</summary>
    public required IReadOnlyList<string> Labels { get; init; }

    /// <summary>Values per head.</summary>
    public int HeadDim => Hidden / Heads;

    /// <summary>Rows of the table of distances, half of them for either sign.</summary>
    public int DistanceRows => 2 * (Buckets > 0 ? Buckets : MaxDistance);

    /// <summary>Names and shapes of all parameters.</summary>
    public IEnumerable<(string Name, Shape Shape)> Parameters()
    {
        yield return ("deberta.embeddings.word_embeddings.weight", new Shape(Vocab, Hidden));
        foreach ((string, Shape) norm in Norm("deberta.embeddings.LayerNorm"))
        {
            yield return norm;
        }

        yield return ("deberta.encoder.rel_embeddings.weight", new Shape(DistanceRows, Hidden));
        foreach ((string, Shape) norm in NormsDistances ? Norm("deberta.encoder.LayerNorm") : [])
        {
            yield return norm;
        }

        for (int i = 0; i < Layers; i++)
        {
            string p = $"deberta.encoder.layer.{i}.";
            foreach ((string, Shape) parameter in (IEnumerable<(string, Shape)>)
            [
                .. Dense(p + "attention.self.query_proj", Hidden, Hidden), .. Dense(p + "attention.self.key_proj", Hidden, Hidden), .. Dense(p + "attention.self.value_proj", Hidden, Hidden),
                .. Dense(p + "attention.output.dense", Hidden, Hidden), .. Norm(p + "attention.output.LayerNorm"),
                .. Dense(p + "intermediate.dense", Ffn, Hidden), .. Dense(p + "output.dense", Hidden, Ffn), .. Norm(p + "output.LayerNorm"),
            ])
            {
                yield return parameter;
            }
        }

        foreach ((string, Shape) parameter in (IEnumerable<(string, Shape)>)[.. Dense("pooler.dense", Hidden, Hidden), .. Dense("classifier", Labels.Count, Hidden)])
        {
            yield return parameter;
        }
    }

    /// <summary>Whether a <c>config.json</c> describes such a model.</summary>
    /// <exception cref="PunaException">The file cannot be read.</exception>
    public static bool IsIn(string file) => JsonConfig.Read(file).String("model_type") == ModelType;

    /// <summary>Reads a <c>config.json</c>.</summary>
    /// <param name="file">Its path.</param>
    /// <param name="labels">Rows of the classifier.</param>
    /// <exception cref="PunaException">A setting is missing, malformed, or asks for what this code does not have; the message names it.</exception>
    public static DebertaConfig Read(string file, int labels)
    {
        JsonConfig json = JsonConfig.Read(file);
        RefuseOtherKinds(json);
        int context = Positive(json, "max_position_embeddings");
        int distance = AtMost(json, "max_relative_positions") ?? -1;
        var config = new DebertaConfig
        {
            Hidden = Positive(json, "hidden_size"),
            Ffn = Positive(json, "intermediate_size"),
            Layers = Positive(json, "num_hidden_layers"),
            Heads = Positive(json, "num_attention_heads"),
            Vocab = Positive(json, "vocab_size"),
            ContextLength = context,
            Buckets = Math.Max(0, AtMost(json, "position_buckets") ?? -1),
            MaxDistance = distance < 1 ? context : distance,
            NormEpsilon = (float)(json.Number("layer_norm_eps") ?? 1e-7),
            NormsDistances = (json.String("norm_rel_ebd") ?? "none").Contains("layer_norm", StringComparison.OrdinalIgnoreCase),
            Labels = [.. Enumerable.Range(0, labels).Select(i => json.Object("id2label")?.String($"{i}") ?? $"LABEL_{i}")],
        };
        if (config.Hidden % config.Heads != 0)
        {
            throw json.Refuse("num_attention_heads", $"a divisor of the hidden size {config.Hidden}");
        }

        if (!(config.NormEpsilon >= 0 && float.IsFinite(config.NormEpsilon)))
        {
            throw json.Refuse("layer_norm_eps", "a small positive number");
        }

        // The buckets' logarithms need a half of at least one and a limit beyond it.
        return config.Buckets == 0 || (config.Buckets >= 2 && config.MaxDistance - 1 > config.Buckets / 2)
            ? config
            : throw json.Refuse("position_buckets", $"from 2 up to less than twice the longest distance {config.MaxDistance - 1}");
    }

    private static void RefuseOtherKinds(JsonConfig json)
    {
        foreach ((string key, string value, string absent) in (ReadOnlySpan<(string, string, string)>)
            [("model_type", ModelType, ""), ("hidden_act", "gelu", "gelu"), ("pooler_hidden_act", "gelu", "gelu")])
        {
            if ((json.String(key) ?? absent) != value)
            {
                throw json.Refuse(key, value);
            }
        }

        foreach ((string key, bool value, bool absent) in (ReadOnlySpan<(string, bool, bool)>)
            [("relative_attention", true, false), ("share_att_key", true, false), ("position_biased_input", false, true)])
        {
            if ((json.Bool(key) ?? absent) != value)
            {
                throw json.Refuse(key, value ? "true" : "false");
            }
        }

        string[] kinds = Kinds(json);
        if (kinds.Length != 2 || !kinds.Contains("p2c") || !kinds.Contains("c2p"))
        {
            throw json.Refuse("pos_att_type", "p2c and c2p");
        }

        int hidden = json.RequireInt("hidden_size");
        foreach ((string key, int value) in (ReadOnlySpan<(string, int)>)[("type_vocab_size", 0), ("conv_kernel_size", 0), ("embedding_size", hidden), ("pooler_hidden_size", hidden)])
        {
            if ((json.Int(key) ?? value) != value)
            {
                throw json.Refuse(key, $"{value}");
            }
        }
    }

    /// <summary>A list, or one string with bars between.</summary>
    private static string[] Kinds(JsonConfig json)
    {
        try
        {
            return (json.String("pos_att_type") ?? "").ToLowerInvariant().Split('|', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        }
        catch (FileFormatException)
        {
            return [.. json.Strings("pos_att_type")!];
        }
    }

    private static int Positive(JsonConfig json, string key) => json.RequireInt(key) is > 0 and <= Most and int value ? value : throw json.Refuse(key, $"1 to {Most}");

    private static int? AtMost(JsonConfig json, string key) => json.Int(key) is > Most ? throw json.Refuse(key, $"at most {Most}") : json.Int(key);

    private static (string, Shape)[] Dense(string name, int outputs, int inputs) => [(name + ".weight", new Shape(outputs, inputs)), (name + ".bias", new Shape(outputs))];

    private (string, Shape)[] Norm(string name) => [(name + ".weight", new Shape(Hidden)), (name + ".bias", new Shape(Hidden))];
}
