using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>The <c>params.json</c> of a checkpoint in Meta's layout (spec llama1-3.md 3.1).</summary>
public sealed record MetaParams
{
    private const int MaxBytes = 1 << 20;

    /// <summary>Model width D (<c>dim</c>).</summary>
    public required int Dim { get; init; }

    /// <summary>Number of blocks (<c>n_layers</c>).</summary>
    public required int NLayers { get; init; }

    /// <summary>Query heads H (<c>n_heads</c>).</summary>
    public required int NHeads { get; init; }

    /// <summary>Key and value heads K (<c>n_kv_heads</c>); null where absent: as many as <see cref="NHeads"/>.</summary>
    public int? NKvHeads { get; init; }

    /// <summary>Vocabulary size (<c>vocab_size</c>); -1 in Llama 1, 2 and Code Llama, where it is the row count of the merged <c>tok_embeddings.weight</c>.</summary>
    public int VocabSize { get; init; } = -1;

    /// <summary>The feed-forward width is rounded up to a multiple of this (<c>multiple_of</c>); 256 where absent.</summary>
    public int MultipleOf { get; init; } = 256;

    /// <summary>Factor of the feed-forward width before rounding (<c>ffn_dim_multiplier</c>), or null.</summary>
    public double? FfnDimMultiplier { get; init; }

    /// <summary>Epsilon of the norms (<c>norm_eps</c>); 1e-5 where absent.</summary>
    public double NormEps { get; init; } = 1e-5;

    /// <summary>Base of the rotary frequencies (<c>rope_theta</c>); null where absent: 10,000.</summary>
    public double? RopeTheta { get; init; }

    /// <summary>Whether the frequencies are scaled as in Llama 3.1 (<c>use_scaled_rope</c>; spec llama1-3.md 2.4).</summary>
    public bool UseScaledRope { get; init; }

    /// <summary>The whole object as read, with the keys that have no property here (vision, quantisation); <see cref="JsonValueKind.Undefined"/> for parameters
    /// that were not read from a file. <see cref="ToJson"/> writes those keys too.</summary>
    public JsonElement Raw { get; init; }

    /// <summary>Key and value heads, 1 to <see cref="NHeads"/>.</summary>
    public int KvHeads => NKvHeads ?? NHeads;

    /// <summary>Feed-forward width F that follows from the other values (spec llama1-3.md 1.1); 0 where an absurdly small factor makes it so.</summary>
    public long FfnHidden
    {
        get
        {
            double hidden = Math.Truncate(8.0 * Dim / 3);
            hidden = FfnDimMultiplier is { } factor ? Math.Truncate(factor * hidden) : hidden;
            return hidden < 1e15 ? MultipleOf * (((long)hidden + MultipleOf - 1) / MultipleOf) : long.MaxValue;
        }
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="PunaException">It is missing, cannot be read, or is no such file.</exception>
    public static MetaParams Read(string path)
    {
        using Storage file = MemoryMappedStorage.Load(path);
        return file.ByteLength > MaxBytes
            ? throw new FileFormatException(path, $"params.json: expected at most {MaxBytes} bytes, got {file.ByteLength}")
            : Parse(file.Span<byte>(0, (int)file.ByteLength), path);
    }

    /// <summary>Reads the keys of an object, or of the object <c>model</c> inside it. Unknown keys are passed over; null counts as absent.</summary>
    /// <param name="json">UTF-8, with or without byte order mark.</param>
    /// <param name="file">Path for error messages.</param>
    /// <exception cref="FileFormatException">No JSON, a required key is missing, or a value is out of range.</exception>
    public static MetaParams Parse(ReadOnlySpan<byte> json, string file)
    {
        if (json.StartsWith("\uFEFF"u8))
        {
            json = json[3..];
        }

        if (!Utf8.IsValid(json))
        {
            throw new FileFormatException(file, "params.json: expected JSON in UTF-8");
        }

        JsonElement root;
        try
        {
            using JsonDocument document = JsonDocument.Parse(json.ToArray());
            root = document.RootElement.Clone();
            root.WriteTo(new Utf8JsonWriter(Stream.Null)); // meets every string: broken Unicode shows here and not later
            if (root.ValueKind == JsonValueKind.Object && root.TryGetProperty("model", out JsonElement model) && model.ValueKind == JsonValueKind.Object)
            {
                root = model;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new FileFormatException(file, $"params.json: expected JSON: {e.Message}", -1, e);
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FileFormatException(file, $"params.json: expected an object, got {root.ValueKind.ToString().ToLowerInvariant()}");
        }

        var read = new Reader(root, file);
        int heads = read.Integer("n_heads", 1, int.MaxValue) ?? throw read.Missing("n_heads");
        int? kvHeads = read.Integer("n_kv_heads", 1, heads);
        return new MetaParams
        {
            Dim = read.Integer("dim", 1, int.MaxValue) ?? throw read.Missing("dim"),
            NLayers = read.Integer("n_layers", 1, int.MaxValue) ?? throw read.Missing("n_layers"),
            NHeads = heads,
            NKvHeads = kvHeads is null || heads % kvHeads == 0 ? kvHeads : throw read.Wrong("n_kv_heads", $"a divisor of n_heads {heads}"),
            VocabSize = read.Integer("vocab_size", -1, int.MaxValue) ?? -1,
            MultipleOf = read.Integer("multiple_of", 1, int.MaxValue) ?? 256,
            FfnDimMultiplier = read.Number("ffn_dim_multiplier", positive: true),
            NormEps = read.Number("norm_eps", positive: false) ?? 1e-5,
            RopeTheta = read.Number("rope_theta", positive: true),
            UseScaledRope = read.Flag("use_scaled_rope") ?? false,
            Raw = root,
        };
    }

    /// <summary>The file's content, keys in Meta's order; keys of <see cref="Raw"/> that have no property here follow.</summary>
    public byte[] ToJson()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("dim", Dim);
            json.WriteNumber("n_layers", NLayers);
            json.WriteNumber("n_heads", NHeads);
            if (NKvHeads is { } kvHeads)
            {
                json.WriteNumber("n_kv_heads", kvHeads);
            }

            json.WriteNumber("vocab_size", VocabSize);
            json.WriteNumber("multiple_of", MultipleOf);
            if (FfnDimMultiplier is { } factor)
            {
                json.WriteNumber("ffn_dim_multiplier", factor);
            }

            json.WriteNumber("norm_eps", NormEps);
            if (RopeTheta is { } theta)
            {
                json.WriteNumber("rope_theta", theta);
            }

            if (UseScaledRope)
            {
                json.WriteBoolean("use_scaled_rope", true);
            }

            if (Raw.ValueKind == JsonValueKind.Object)
            {
                foreach (JsonProperty property in Raw.EnumerateObject().Where(IsOther))
                {
                    property.WriteTo(json);
                }
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Whether a key has no property here. An object called <c>model</c> would be taken for the parameters when it is read again.</summary>
    private static bool IsOther(JsonProperty property) =>
        property.Name is not ("dim" or "n_layers" or "n_heads" or "n_kv_heads" or "vocab_size" or "multiple_of" or "ffn_dim_multiplier" or "norm_eps" or "rope_theta"
            or "use_scaled_rope")
        && !(property.Name == "model" && property.Value.ValueKind == JsonValueKind.Object);

    /// <summary>Typed access to the object, with errors that name the key.</summary>
    private readonly struct Reader(JsonElement root, string file)
    {
        public FileFormatException Missing(string key) => new(file, $"params.json key {key}: missing");

        public FileFormatException Wrong(string key, string expected) => new(file, $"params.json key {key}: expected {expected}, got {Shown(root.GetProperty(key))}");

        public int? Integer(string key, int least, int most)
        {
            if (!Find(key, out JsonElement value))
            {
                return null;
            }

            return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number >= least && number <= most && number == Math.Truncate(number)
                ? (int)number
                : throw Wrong(key, $"an integer from {least} to {most}");
        }

        public double? Number(string key, bool positive)
        {
            if (!Find(key, out JsonElement value))
            {
                return null;
            }

            return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) && (positive ? number > 0 : number >= 0)
                ? number
                : throw Wrong(key, positive ? "a number above 0" : "a number of at least 0");
        }

        public bool? Flag(string key)
        {
            if (!Find(key, out JsonElement value))
            {
                return null;
            }

            return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong(key, "true or false");
        }

        private static string Shown(JsonElement value)
        {
            string text = value.GetRawText();
            return text.Length <= 60 ? text : $"{text.AsSpan(0, 60)}…";
        }

        private bool Find(string key, out JsonElement value) => root.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;
    }
}
