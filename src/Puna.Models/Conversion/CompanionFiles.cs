using System.Buffers;
using System.Text.Json;
using Puna.Formats.Gguf;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Text;
using Puna.Text.Chat;

namespace Puna.Models.Conversion;

/// <summary>
/// What belongs to a model beside its weights: settings, vocabulary, chat template. Between folders the files are copied as they are as far as the new layout uses
/// them; what it lacks is made from the tokenizer. Everything is made in memory before the first weight is written.
/// </summary>
internal sealed class CompanionFiles
{
    private const string Model = "tokenizer.model";
    private const string Json = "tokenizer.json";
    private const string Settings = "tokenizer_config.json";
    private const string Generation = "generation_config.json";
    private const string Pictures = "preprocessor_config.json";
    private const long LargestFile = 1L << 30;

    private static readonly string[] Kept = [Model, Json, Settings, "special_tokens_map.json", "added_tokens.json", "chat_template.jinja", "chat_template.json", Generation, Pictures];

    private readonly Checkpoint _source;
    private readonly Tokenizer? _tokenizer;
    private readonly ChatTemplateSet _templates = ChatTemplateSet.Empty;

    /// <summary>Reads what the source has.</summary>
    /// <param name="source">The checkpoint.</param>
    /// <param name="format">Format of the result.</param>
    /// <exception cref="PunaException">The vocabulary is damaged or not understood, and the new format needs it in another form.</exception>
    public CompanionFiles(Checkpoint source, CheckpointFormat format)
    {
        _source = source;
        Config = source.Config;
        if (source.Format == format)
        {
            return; // taken over as it is
        }

        _tokenizer = CheckpointTokenizer.Open(source);
        _templates = CheckpointTemplates.Find(source);

        // Settings need not name tokens (Meta's do not): then the vocabulary does.
        if (_tokenizer is not null)
        {
            Config = Config with { BosId = Config.BosId ?? _tokenizer.BosId, EosIds = Config.EosIds.Count > 0 ? Config.EosIds : _tokenizer.StopIds };
        }
    }

    /// <summary>The model, with the ids of its tokens as its vocabulary has them.</summary>
    public LlamaConfig Config { get; }

    /// <summary>A name for the model: what its metadata says, or that of its folder or file.</summary>
    public string ModelName =>
        _source.Gguf?.GetString("general.name") ?? Path.GetFileNameWithoutExtension(Path.TrimEndingDirectorySeparator(Path.GetFullPath(_source.Path)));

    /// <summary>Puts the vocabulary into GGUF metadata.</summary>
    /// <exception cref="PunaException">GGUF has no keys for it.</exception>
    public void AddVocabulary(GgufMetadata metadata)
    {
        if (_source.Gguf is GgufMetadata own)
        {
            foreach ((string key, GgufValue value) in own)
            {
                if (key.StartsWith("tokenizer.", StringComparison.Ordinal) || (key.StartsWith("general.", StringComparison.Ordinal) && !metadata.Contains(key) && key != "general.alignment"))
                {
                    metadata.Set(key, value);
                }
            }
        }
        else if (_tokenizer is not null)
        {
            TokenizerWriter.WriteGguf(_tokenizer, metadata, Config.Vocab);
        }
        else
        {
            metadata.Set("tokenizer.ggml.model", "no_vocab");
            SetId("eos_token_id", Config.EosIds.Count > 0 ? Config.EosIds[0] : null);
        }

        SetId("bos_token_id", Config.BosId);
        _templates.Write(metadata);
        GgufOwnKeys.WriteStopIds(metadata, Config.EosIds);

        void SetId(string key, int? id)
        {
            if (id is int value and >= 0 && !metadata.Contains("tokenizer.ggml." + key))
            {
                metadata.Set("tokenizer.ggml." + key, (uint)value);
            }
        }
    }

    /// <summary>The files beside safetensors.</summary>
    /// <param name="type">Type of most weights.</param>
    /// <param name="changed">Whether that is not what the source's config says: it was asked for, or the source is in low precision; otherwise the weights have the types they had.</param>
    /// <exception cref="PunaException">config.json cannot say something, or no form of the vocabulary fits.</exception>
    public Dictionary<string, byte[]> ForHuggingFace(DType type, bool changed)
    {
        Dictionary<string, byte[]> files = Copies();
        if (_source.Format == CheckpointFormat.Safetensors)
        {
            byte[] config = Read(Path.Combine(_source.Folder!, "config.json"));
            config = changed ? WithType(config, type) : config;
            files["config.json"] = _source.Adapter is { Unties: true } ? Untied(config) : config;
            return files;
        }

        if (_tokenizer is not null)
        {
            Dictionary<string, byte[]> made = TokenizerWriter.HuggingFaceFiles(_tokenizer, _templates);
            if (!made.ContainsKey(Model))
            {
                files.Remove(Model); // ranks, which readers of this layout would take for SentencePiece
            }

            foreach ((string name, byte[] content) in made)
            {
                files.TryAdd(name, content);
            }
        }

        files["config.json"] = HuggingFaceConfigWriter.Write(Config, type, withPictures: _source.HasLlama4Vision);
        return files;
    }

    /// <summary>The files beside Meta's, <c>params.json</c> aside.</summary>
    /// <exception cref="PunaException">No form of the vocabulary fits.</exception>
    public Dictionary<string, byte[]> ForMeta()
    {
        Dictionary<string, byte[]> files = Copies();
        if (_tokenizer is null)
        {
            return files;
        }

        // Ranks always come with BOS: where the model wants none, tokenizer.json alone says so.
        bool ranks = _tokenizer.Kind is TokenizerKind.ByteLevel or TokenizerKind.Tiktoken;
        bool plain = !ranks || (_tokenizer.AddBos && !_tokenizer.AddEos);
        if (!files.ContainsKey(Model) && (plain || !files.ContainsKey(Json)))
        {
            foreach ((string name, byte[] content) in TokenizerWriter.MetaFiles(_tokenizer))
            {
                files.TryAdd(name, content);
            }
        }

        if (_source.Folder is null)
        {
            files[Settings] = TokenizerWriter.Settings(_tokenizer, _templates);
        }

        return files;
    }

    /// <summary>Refuses a folder with files of another model that would later be read together with those written now.</summary>
    /// <param name="folder">The destination, which need not exist.</param>
    /// <param name="format">Its format.</param>
    /// <param name="written">Names of what is written.</param>
    /// <exception cref="PunaException">Names the first such file.</exception>
    public static void CheckLeftovers(string folder, CheckpointFormat format, IReadOnlyCollection<string> written)
    {
        bool vocabulary = written.Contains(Model) || written.Contains(Json);
        IEnumerable<string> strangers = Kept.Where(name => name == Generation || vocabulary);
        strangers = format == CheckpointFormat.Meta ? strangers.Append("config.json") : strangers;
        strangers = vocabulary ? strangers.Concat(MoreTemplates(folder)) : strangers;
        foreach (string name in strangers)
        {
            if (!written.Contains(name) && File.Exists(Path.Combine(folder, name)))
            {
                throw new PunaException($"destination {folder}: expected no {name}, which would be read together with this model, got one of another model");
            }
        }
    }

    private Dictionary<string, byte[]> Copies()
    {
        var files = new Dictionary<string, byte[]>();
        if (_source.Folder is string folder)
        {
            bool sees = Config.Vision is not null || Config.Llama4?.Vision is not null;
            foreach (string name in Kept.Where(name => sees || name != Pictures).Concat(MoreTemplates(folder)))
            {
                string path = Path.Combine(folder, name);
                if (File.Exists(path))
                {
                    files[name] = Read(path);
                }
            }
        }

        return files;
    }

    private static IEnumerable<string> MoreTemplates(string folder) =>
        ChatTemplateFile.MoreFiles(folder).Select(static file => $"{ChatTemplateFile.MoreFolder}/{Path.GetFileName(file)}");

    /// <summary>The same settings with another type of weights, which are plain now; keys that are unknown here stay.</summary>
    private static byte[] WithType(byte[] config, DType type) => Rewritten(config, (json, settings) =>
    {
        string name = type switch { DType.F16 => "float16", DType.BF16 => "bfloat16", _ => "float32" };
        if (!WriteWithType(json, settings, name))
        {
            json.WriteString("torch_dtype", name);
        }
    });

    /// <summary>The same settings of a model whose output layer is not its embedding any more.</summary>
    private static byte[] Untied(byte[] config) => Rewritten(config, static (json, settings) =>
    {
        const string Tied = "tie_word_embeddings";
        foreach (JsonProperty property in settings.EnumerateObject().Where(static p => p.Name != Tied))
        {
            property.WriteTo(json);
        }

        json.WriteBoolean(Tied, false);
    });

    private static byte[] Rewritten(byte[] config, Action<Utf8JsonWriter, JsonElement> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using JsonDocument document = JsonDocument.Parse(config);
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            write(json, document.RootElement);
            json.WriteEndObject();
        }

        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    /// <summary>Writes the properties of a model's settings, and of those inside them.</summary>
    /// <returns>Whether a type is among its own.</returns>
    private static bool WriteWithType(Utf8JsonWriter json, JsonElement settings, string name)
    {
        bool found = false;
        foreach (JsonProperty property in settings.EnumerateObject())
        {
            if (property.Name is "torch_dtype" or "dtype")
            {
                json.WriteString(property.Name, name);
                found = true;
            }
            else if (property.Name is "text_config" or "vision_config" && property.Value.ValueKind == JsonValueKind.Object)
            {
                json.WriteStartObject(property.Name);
                WriteWithType(json, property.Value, name);
                json.WriteEndObject();
            }
            else if (property.Name != "quantization_config")
            {
                property.WriteTo(json);
            }
        }

        return found;
    }

    private static byte[] Read(string path)
    {
        try
        {
            long length = new FileInfo(path).Length;
            return length <= LargestFile ? File.ReadAllBytes(path) : throw new PunaException($"file {path}: expected at most {LargestFile} bytes, got {length}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PunaException($"file {path}: cannot be read: {e.Message}", e);
        }
    }
}
