using System.Text.Json;
using System.Text.Unicode;
using Puna.Tensors;
using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text.HuggingFace;

/// <summary>
/// Reads a <c>tokenizer.json</c> (spec llama1-3.md 5.1, "HF variants", and 5.3). The large parts, vocabulary and merges, are streamed; the small ones say how the text is
/// cut and must be understood completely.
/// </summary>
internal sealed class TokenizerJsonReader
{
    private readonly string _file;
    private readonly Dictionary<string, JsonSection> _sections = new(StringComparer.Ordinal);
    private readonly List<JsonDocument> _documents = [];
    private JsonModel? _model;

    private TokenizerJsonReader(string file) => _file = file;

    /// <summary>Whether the beginning of a file looks like JSON.</summary>
    public static bool Recognise(ReadOnlySpan<byte> content) => (content.StartsWith("\uFEFF"u8) ? content[3..] : content).TrimStart(" \t\r\n"u8).StartsWith("{"u8);

    /// <summary>Reads a file.</summary>
    /// <exception cref="FileFormatException">It is no JSON, or something in it is not understood.</exception>
    public static MergeTokenizer Read(ReadOnlySpan<byte> content, string file)
    {
        var reader = new TokenizerJsonReader(file);
        return reader.Guard(content, static (r, json) =>
        {
            r.ReadSections(json, onlyAdded: false);
            return r.Build();
        });
    }

    /// <summary>Reads the added tokens alone; quick, because they stand at the beginning.</summary>
    /// <exception cref="FileFormatException">The file is no JSON up to there, or the tokens are malformed.</exception>
    public static List<AddedToken> ReadAddedTokens(ReadOnlySpan<byte> content, string file)
    {
        var reader = new TokenizerJsonReader(file);
        return reader.Guard(content, static (r, json) =>
        {
            r.ReadSections(json, onlyAdded: true);
            return PipelineReader.AddedTokens(r.Section("added_tokens"));
        });
    }

    private delegate T Work<T>(TokenizerJsonReader reader, ReadOnlySpan<byte> json);

    /// <summary>Turns every way in which a file can be bad into one kind of exception.</summary>
    private T Guard<T>(ReadOnlySpan<byte> content, Work<T> work)
    {
        ReadOnlySpan<byte> json = content.StartsWith("\uFEFF"u8) ? content[3..] : content;
        if (!Utf8.IsValid(json))
        {
            throw new FileFormatException(_file, "JSON: expected UTF-8, got other bytes");
        }

        try
        {
            return work(this, json);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second: a text with half a surrogate pair.
            throw new FileFormatException(_file, $"JSON: {error.Message}", inner: error);
        }
        finally
        {
            foreach (JsonDocument document in _documents)
            {
                document.Dispose();
            }
        }
    }

    private void ReadSections(ReadOnlySpan<byte> content, bool onlyAdded)
    {
        var json = new Utf8JsonReader(content);
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
        {
            throw new FileFormatException(_file, "tokenizer.json: expected an object, got something else");
        }

        int model = -1;
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            switch (name)
            {
                case "model" when !onlyAdded && _sections.ContainsKey("added_tokens") && _sections.ContainsKey("pre_tokenizer"):
                    _model = ReadModel(content, ref json);
                    break;
                case "model":
                    // What tokens mean is said behind them: come back.
                    model = (int)json.BytesConsumed;
                    json.Skip();
                    break;
                case "added_tokens" or "normalizer" or "pre_tokenizer" or "post_processor" or "decoder":
                    JsonDocument document = JsonDocument.ParseValue(ref json);
                    _documents.Add(document);
                    _sections[name] = new JsonSection(document.RootElement, name, _file);
                    if (onlyAdded && name == "added_tokens")
                    {
                        return;
                    }

                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        if (model >= 0 && _model is null && !onlyAdded)
        {
            var again = new Utf8JsonReader(content[model..]);
            _model = ReadModel(content[model..], ref again);
        }
    }

    private JsonModel ReadModel(ReadOnlySpan<byte> content, ref Utf8JsonReader json)
    {
        IEnumerable<string> special = PipelineReader.AddedTokens(Section("added_tokens")).Where(static t => t.Special).Select(static t => t.Content);
        return JsonModel.Read(content, ref json, PipelineReader.PreTokenizer(Section("pre_tokenizer")).ByteLevel, special, _file);
    }

    private JsonSection Section(string name) => _sections.TryGetValue(name, out JsonSection section) ? section : new JsonSection(default, name, _file);

    private MergeTokenizer Build()
    {
        JsonModel model = _model ?? throw new FileFormatException(_file, "tokenizer.json: expected a model, got none");
        PreTokenizer pre = PipelineReader.PreTokenizer(Section("pre_tokenizer"));
        JsonSection decoder = Section("decoder");
        List<AddedToken> added = Resolve(PipelineReader.AddedTokens(Section("added_tokens")), model.Vocabulary);
        var addedIds = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (AddedToken token in added)
        {
            addedIds.TryAdd(token.Content, token.Id);
        }

        int? IdOf(string piece) => addedIds.TryGetValue(piece, out int id) ? id : model.Vocabulary.Find(piece) is >= 0 and int found ? found : null;
        int unknown = model.UnknownToken is null ? model.UnknownId ?? -1
            : IdOf(model.UnknownToken) ?? throw new FileFormatException(_file, $"model.unk_token: expected a token of the vocabulary, got {model.UnknownToken}");
        (int? before, int? behind) = DecoderReader.PostProcessor(Section("post_processor"));
        TokenRoles roles = RoleNames.Of(IdOf) with { Unk = unknown >= 0 ? unknown : null, AddBos = before is not null, AddEos = behind is not null };
        var parts = new TokenizerParts
        {
            Vocabulary = model.Vocabulary,
            Scores = model.Scores,
            Added = added,
            Normalizer = new TextNormalizer(PipelineReader.Normalizer(Section("normalizer"))),
            Metaspace = pre.Metaspace,
            Splitter = new TextSplitter(pre.Steps),
            AddPrefixSpace = pre.AddPrefixSpace,
            IgnoreMerges = model.IgnoreMerges,
            Unknown = unknown,
            FuseUnknown = model.FuseUnknown,
            ByteFallback = model.ByteFallback,
            Decoding = pre.ByteLevel ? new PieceDecoding() : DecoderReader.Pieces(decoder),
            Roles = roles with { Bos = before ?? roles.Bos, Eos = behind ?? roles.Eos, Stop = RoleNames.Stop(behind ?? roles.Eos, roles.Eot, roles.Eom) },
            Json = new PipelineJson(
                Section("normalizer").ToString(), Section("pre_tokenizer").ToString(), Section("post_processor").ToString(), Section("decoder").ToString()),
        };
        if (!pre.ByteLevel)
        {
            return new MergedPiecesTokenizer(parts);
        }

        if (model.Scores is not null)
        {
            throw new FileFormatException(_file, "pre_tokenizer: expected Metaspace for a unigram model, got ByteLevel");
        }

        if (!DecoderReader.IsByteLevel(decoder) || pre.Metaspace is not null)
        {
            throw decoder.Error("ByteLevel, as the pre-tokenizer has it", decoder.IsNull ? "none" : decoder.Type);
        }

        return new ByteLevelTokenizer(parts, addedInAlphabet: true);
    }

    /// <summary>
    /// An added token that the vocabulary has too has the id of the vocabulary; of two with the same text the first counts; two of one id are an error.
    /// </summary>
    private List<AddedToken> Resolve(List<AddedToken> tokens, MergeVocabulary vocabulary)
    {
        var ids = new Dictionary<int, string>();
        var resolved = new List<AddedToken>(tokens.Count);
        foreach (AddedToken listed in tokens.DistinctBy(static t => t.Content, StringComparer.Ordinal))
        {
            AddedToken token = vocabulary.FindAny(listed.Content) is >= 0 and int id ? listed with { Id = id } : listed;
            if (token.Id > (4L * (vocabulary.Tokens.Count + tokens.Count)) + 65536)
            {
                throw new FileFormatException(_file, $"added token {token.Content}: expected an id close to the others, got {token.Id}");
            }

            string owner = ids.GetValueOrDefault(token.Id) ?? (vocabulary.Tokens.Exists(token.Id) ? vocabulary.Piece(token.Id) : token.Content);
            if (owner != token.Content)
            {
                throw new FileFormatException(_file, $"added token {token.Content}: expected an id of its own, got {token.Id} of {owner}");
            }

            ids[token.Id] = token.Content;
            resolved.Add(token);
        }

        return resolved;
    }
}
