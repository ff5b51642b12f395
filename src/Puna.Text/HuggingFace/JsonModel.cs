using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Puna.Tensors;
using Puna.Text.Vocabularies;

namespace Puna.Text.HuggingFace;

/// <summary>The <c>model</c> of a <c>tokenizer.json</c>: vocabulary, merges or scores, and a few switches. Streamed, because it has hundreds of thousands of entries.</summary>
internal sealed class JsonModel
{
    private readonly MergeVocabulary.Builder _builder;
    private readonly HashSet<string> _special;
    private readonly string _file;
    private byte[] _first = new byte[256];
    private byte[] _second = new byte[256];
    private bool _hasVocabulary;
    private List<double>? _scores;

    private JsonModel(bool byteLevel, IEnumerable<string> special, string file)
    {
        _builder = new MergeVocabulary.Builder(byteLevel, file);
        _special = new HashSet<string>(special, StringComparer.Ordinal);
        _file = file;
    }

    /// <summary>Tokens and merges.</summary>
    public MergeVocabulary Vocabulary { get; private set; } = null!;

    /// <summary>The token for the unknown, or null.</summary>
    public string? UnknownToken { get; private set; }

    /// <summary>Score of each id of a unigram model; null for merges.</summary>
    public double[]? Scores { get; private set; }

    /// <summary>Id of the token for the unknown of a unigram model, or null.</summary>
    public int? UnknownId { get; private set; }

    /// <summary>Whether a run of unknown characters is one token.</summary>
    public bool FuseUnknown { get; private set; }

    /// <summary>Whether unknown characters become bytes.</summary>
    public bool ByteFallback { get; private set; }

    /// <summary>Whether a part that is a token is taken whole.</summary>
    public bool IgnoreMerges { get; private set; }

    /// <summary>Reads the model; the reader stands before its object.</summary>
    /// <param name="content">The bytes that <paramref name="json"/> reads.</param>
    /// <param name="json">The reader; afterwards at the end of the object.</param>
    /// <param name="byteLevel">Whether tokens are written in GPT-2's alphabet.</param>
    /// <param name="special">Tokens that ordinary text must not become.</param>
    /// <param name="file">Path for messages.</param>
    public static JsonModel Read(ReadOnlySpan<byte> content, ref Utf8JsonReader json, bool byteLevel, IEnumerable<string> special, string file)
    {
        var model = new JsonModel(byteLevel, special, file);
        model.Read(content, ref json);
        return model;
    }

    private void Read(ReadOnlySpan<byte> content, ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartObject, "model");
        int merges = -1;
        bool hasMerges = false;
        string type = "BPE";
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            string name = json.GetString()!;
            switch (name)
            {
                case "type":
                    type = Text(ref json, name) ?? "null";
                    if (type is not ("BPE" or "Unigram"))
                    {
                        throw Wrong("model.type", "BPE or Unigram", type);
                    }

                    break;
                case "vocab":
                    ReadVocabulary(ref json);
                    break;
                case "unk_id":
                    UnknownId = Id(ref json, name);
                    break;
                case "merges" when _hasVocabulary:
                    ReadMerges(ref json);
                    hasMerges = true;
                    break;
                case "merges":
                    merges = (int)json.BytesConsumed;
                    json.Skip();
                    break;
                case "unk_token":
                    UnknownToken = Text(ref json, name);
                    break;
                case "continuing_subword_prefix" or "end_of_word_suffix":
                    if (Text(ref json, name) is { Length: > 0 } affix)
                    {
                        throw Wrong("model." + name, "none", affix);
                    }

                    break;
                case "fuse_unk":
                    FuseUnknown = Flag(ref json, name);
                    break;
                case "byte_fallback":
                    ByteFallback = Flag(ref json, name);
                    break;
                case "ignore_merges":
                    IgnoreMerges = Flag(ref json, name);
                    break;
                case "dropout":
                    json.Read();
                    if (json.TokenType != JsonTokenType.Null && !(json.TokenType == JsonTokenType.Number && json.TryGetDouble(out double dropout) && dropout == 0))
                    {
                        throw Wrong("model.dropout", "none", json.TokenType.ToString());
                    }

                    break;
                default:
                    json.Skip();
                    break;
            }
        }

        if ((_scores is not null) != (type == "Unigram") && _hasVocabulary)
        {
            throw Wrong("model.vocab", type == "BPE" ? "an object of ids" : "a list of pieces with scores", type == "BPE" ? "a list" : "an object");
        }

        if (_scores is not null)
        {
            if (UnknownId >= _scores.Count)
            {
                throw Wrong("model.unk_id", $"less than {_scores.Count}", $"{UnknownId}");
            }

            // What text can become without an id for the unknown is nobody's guess: the original fails at the first such character.
            UnknownId = UnknownId ?? throw Wrong("model.unk_id", "an id", "none");
            (Scores, FuseUnknown, Vocabulary) = ([.. _scores], true, _builder.Build());
            return;
        }

        if (!_hasVocabulary || (!hasMerges && merges < 0))
        {
            throw Wrong("model", "vocab and merges", _hasVocabulary ? "no merges" : "no vocab");
        }

        if (!hasMerges)
        {
            var again = new Utf8JsonReader(content[merges..]);
            ReadMerges(ref again);
        }

        Vocabulary = _builder.Build();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReadVocabulary(ref Utf8JsonReader json)
    {
        if (_hasVocabulary)
        {
            throw Wrong("model.vocab", "it once", "it again");
        }

        if (!json.Read() || json.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray))
        {
            throw Wrong("model.vocab", "an object or a list", json.TokenType.ToString());
        }

        if (json.TokenType == JsonTokenType.StartArray)
        {
            ReadScores(ref json);
            return;
        }

        bool[] firstOfSpecial = new bool[256];
        foreach (string name in _special)
        {
            firstOfSpecial[Encoding.UTF8.GetBytes(name)[0]] = true;
        }

        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            ReadOnlySpan<byte> token = Unescaped(ref json, ref _first);
            bool spelled = token.Length > 0 && !(firstOfSpecial[token[0]] && _special.Contains(Encoding.UTF8.GetString(token)));
            if (!json.Read() || json.TokenType != JsonTokenType.Number || !json.TryGetInt32(out int id) || id < 0)
            {
                throw Wrong($"model.vocab {Encoding.UTF8.GetString(token)}", "an id", json.TokenType.ToString());
            }

            _builder.AddToken(token, id, spelled);
        }

        _builder.EndTokens();
        _hasVocabulary = true;
    }

    /// <summary>Reads the pieces of a unigram model: <c>[["▁the", -3.5], ...]</c>, ids in order.</summary>
    private void ReadScores(ref Utf8JsonReader json)
    {
        _scores = [];
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType != JsonTokenType.StartArray || !json.Read() || json.TokenType != JsonTokenType.String)
            {
                throw Wrong($"model.vocab[{_scores.Count}]", "a piece and its score", json.TokenType.ToString());
            }

            ReadOnlySpan<byte> piece = Unescaped(ref json, ref _first);
            bool spelled = piece.Length > 0 && !_special.Contains(Encoding.UTF8.GetString(piece));
            _builder.AddToken(piece, _scores.Count, spelled);
            if (!json.Read() || json.TokenType != JsonTokenType.Number || !json.TryGetDouble(out double score) || !double.IsFinite(score) || !json.Read() || json.TokenType != JsonTokenType.EndArray)
            {
                throw Wrong($"model.vocab[{_scores.Count}]", "a piece and its score", json.TokenType.ToString());
            }

            _scores.Add(score);
        }

        _builder.EndTokens();
        _hasVocabulary = true;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReadMerges(ref Utf8JsonReader json)
    {
        Expect(ref json, JsonTokenType.StartArray, "model.merges");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (json.TokenType == JsonTokenType.String)
            {
                ReadOnlySpan<byte> both = Unescaped(ref json, ref _first);
                int space = both.IndexOf((byte)' ');
                if (space < 0 || both[(space + 1)..].Contains((byte)' '))
                {
                    throw Wrong("merge of model.merges", "two tokens with a space between", Encoding.UTF8.GetString(both));
                }

                _builder.AddMerge(both[..space], both[(space + 1)..]);
                continue;
            }

            if (json.TokenType != JsonTokenType.StartArray || !json.Read() || json.TokenType != JsonTokenType.String)
            {
                throw Wrong("merge of model.merges", "a string or two strings", json.TokenType.ToString());
            }

            ReadOnlySpan<byte> left = Unescaped(ref json, ref _first);
            if (!json.Read() || json.TokenType != JsonTokenType.String)
            {
                throw Wrong("merge of model.merges", "two strings", json.TokenType.ToString());
            }

            _builder.AddMerge(left, Unescaped(ref json, ref _second));
            if (!json.Read() || json.TokenType != JsonTokenType.EndArray)
            {
                throw Wrong("merge of model.merges", "two strings", "more");
            }
        }
    }

    /// <summary>The current text without escapes; valid until the same buffer is used again.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ReadOnlySpan<byte> Unescaped(ref Utf8JsonReader json, ref byte[] buffer)
    {
        if (!json.ValueIsEscaped)
        {
            return json.ValueSpan;
        }

        if (buffer.Length < json.ValueSpan.Length)
        {
            buffer = new byte[json.ValueSpan.Length];
        }

        return buffer.AsSpan(0, json.CopyString(buffer));
    }

    private void Expect(ref Utf8JsonReader json, JsonTokenType type, string name)
    {
        if (!json.Read() || json.TokenType != type)
        {
            throw Wrong(name, type == JsonTokenType.StartObject ? "an object" : "an array", json.TokenType.ToString());
        }
    }

    private string? Text(ref Utf8JsonReader json, string name)
    {
        json.Read();
        return json.TokenType switch
        {
            JsonTokenType.Null => null,
            JsonTokenType.String => json.GetString(),
            _ => throw Wrong("model." + name, "a string", json.TokenType.ToString()),
        };
    }

    private int? Id(ref Utf8JsonReader json, string name)
    {
        json.Read();
        return json.TokenType switch
        {
            JsonTokenType.Null => null,
            JsonTokenType.Number when json.TryGetInt32(out int id) && id >= 0 => id,
            _ => throw Wrong("model." + name, "an id", json.TokenType.ToString()),
        };
    }

    private bool Flag(ref Utf8JsonReader json, string name)
    {
        json.Read();
        return json.TokenType switch
        {
            JsonTokenType.True => true,
            JsonTokenType.False or JsonTokenType.Null => false,
            _ => throw Wrong("model." + name, "true or false", json.TokenType.ToString()),
        };
    }

    private FileFormatException Wrong(string name, string expected, string got) => new(_file, $"{name}: expected {expected}, got {got}");
}
