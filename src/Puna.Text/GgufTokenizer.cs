using System.Text;
using System.Text.Json;
using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text.HuggingFace;
using Puna.Text.SentencePieces;
using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text;

/// <summary>
/// The tokenizer inside a GGUF file (spec llama1-3.md 3.3): <c>tokenizer.ggml.model</c> is <c>llama</c> (SentencePiece) or <c>gpt2</c> (byte-level with a list of
/// merges and a named split). Where llama.cpp's own splitting differs from the original tokenizer, the original is followed.
/// </summary>
public static class GgufTokenizer
{
    private const string Prefix = "tokenizer.ggml.";

    /// <summary>Creates the tokenizer of a file.</summary>
    /// <param name="metadata">The keys and values of the file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <returns>The tokenizer, or null where the file has none (<c>no_vocab</c>, or no key at all).</returns>
    /// <exception cref="FileFormatException">The vocabulary is malformed, or of a kind that is not understood: the message names it.</exception>
    public static Tokenizer? Create(GgufMetadata metadata, string file = "gguf")
    {
        switch (metadata.GetString(Prefix + "model"))
        {
            case null or "no_vocab" or "none":
                return null;
            case "llama":
                return SentencePiece(metadata, file);
            case "gpt2":
                return ByteLevel(metadata, file);
            case string other:
                throw new FileFormatException(file, $"{Prefix}model: expected llama, gpt2 or no_vocab, got {other}");
        }
    }

    private static SentencePieceTokenizer SentencePiece(GgufMetadata metadata, string file)
    {
        string[] tokens = Tokens(metadata, file);
        PieceType[]? types = Types(metadata, tokens.Length, file);
        float[] scores = metadata.GetFloats(Prefix + "scores") ?? throw new FileFormatException(file, $"{Prefix}scores: expected {tokens.Length} numbers, got none");
        if (scores.Length != tokens.Length)
        {
            throw new FileFormatException(file, $"{Prefix}scores: expected {tokens.Length} numbers, got {scores.Length}");
        }

        var model = new SentencePieceModel
        {
            ModelType = SentencePieceModel.BytePairEncoding,
            ByteFallback = true,
            NormalizerName = "identity",
            AddDummyPrefix = metadata.GetBool(Prefix + "add_space_prefix") ?? true,
            RemoveExtraWhitespaces = metadata.GetBool(Prefix + "remove_extra_whitespaces") ?? false,
            CharsMap = metadata.GetIntegers(Prefix + "precompiled_charsmap") is long[] map ? [.. map.Select(static b => unchecked((byte)b))] : [],
        };
        for (int i = 0; i < tokens.Length; i++)
        {
            byte[] piece = Encoding.UTF8.GetBytes(tokens[i]);
            model.Add(piece, scores[i], types is not null ? types[i] : SentencePieceModel.ByteValue(piece) >= 0 ? PieceType.Byte : PieceType.Normal);
        }

        OneUnknown(model, Id(metadata, "unknown_token_id", tokens.Length, file) ?? 0);
        model.Validate(file);
        TokenRoles named = SentencePieceRoles.Of(model);
        return new SentencePieceTokenizer(model, file, Roles(metadata, named, tokens.Length, addBos: true, file), allowDuplicates: true);
    }

    /// <summary>SentencePiece has exactly one unknown piece; converted vocabularies may have none, or several.</summary>
    private static void OneUnknown(SentencePieceModel model, int preferred)
    {
        int unknown = model.Types[preferred] == PieceType.Unknown ? preferred : model.Types.IndexOf(PieceType.Unknown);
        unknown = unknown >= 0 ? unknown : preferred;
        for (int i = 0; i < model.Types.Count; i++)
        {
            model.Types[i] = i == unknown ? PieceType.Unknown : model.Types[i] == PieceType.Unknown ? PieceType.Control : model.Types[i];
        }
    }

    private static ByteLevelTokenizer ByteLevel(GgufMetadata metadata, string file)
    {
        string[] tokens = Tokens(metadata, file);
        PieceType[]? types = Types(metadata, tokens.Length, file);
        string name = metadata.GetString(Prefix + "pre") ?? (Array.IndexOf(tokens, "<|begin_of_text|>") >= 0 ? PreTokenizerNames.Llama3 : "default");
        string json = PreTokenizerNames.Json(name)
            ?? throw new FileFormatException(file, $"{Prefix}pre: expected one of {string.Join(", ", PreTokenizerNames.All)}, got {name}");
        MergeVocabulary vocabulary = Vocabulary(tokens, types, metadata, file, out List<AddedToken> added);
        using JsonDocument document = JsonDocument.Parse(json);
        PreTokenizer pre = PipelineReader.PreTokenizer(new JsonSection(document.RootElement, Prefix + "pre", file));
        int? IdOf(string piece) => vocabulary.FindAny(piece) is >= 0 and int id ? id : null;
        TokenRoles roles = Roles(metadata, RoleNames.Of(IdOf), tokens.Length, addBos: PreTokenizerNames.IsMeta(name) || name == "tekken", file);
        var parts = new TokenizerParts
        {
            Vocabulary = vocabulary,
            Added = added,
            Splitter = new TextSplitter(pre.Steps),
            MetaCuts = PreTokenizerNames.IsMeta(name),
            IgnoreMerges = PreTokenizerNames.IgnoresMerges(name),
            Roles = roles,
            Json = new PipelineJson("null", json, "null", """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}"""),
        };
        return new ByteLevelTokenizer(parts, addedInAlphabet: false);
    }

    private static MergeVocabulary Vocabulary(string[] tokens, PieceType[]? types, GgufMetadata metadata, string file, out List<AddedToken> added)
    {
        string[] merges = metadata.GetStrings(Prefix + "merges") ?? throw new FileFormatException(file, $"{Prefix}merges: expected a list of pairs, got none");
        var builder = new MergeVocabulary.Builder(byteLevel: true, file);
        added = [];
        byte[] buffer = new byte[1024];
        for (int id = 0; id < tokens.Length; id++)
        {
            PieceType type = types is null ? PieceType.Normal : types[id];
            if (type is PieceType.Control or PieceType.UserDefined or PieceType.Unknown && tokens[id].Length > 0)
            {
                added.Add(new AddedToken(id, tokens[id], Special: type != PieceType.UserDefined));
            }

            builder.AddToken(Utf8(tokens[id], ref buffer, 0, out int length).AsSpan(0, length), id, type == PieceType.Normal && length > 0);
        }

        builder.EndTokens();
        byte[] right = new byte[1024];
        foreach (string merge in merges)
        {
            // A space inside a token would be written Ġ, so the only space is the one between.
            int space = merge.IndexOf(' ', StringComparison.Ordinal);
            if (space <= 0 || space == merge.Length - 1)
            {
                throw new FileFormatException(file, $"{Prefix}merges: expected two tokens with a space between, got {merge}");
            }

            Utf8(merge.AsSpan(0, space), ref buffer, 0, out int leftLength);
            Utf8(merge.AsSpan(space + 1), ref right, 0, out int rightLength);
            builder.AddMerge(buffer.AsSpan(0, leftLength), right.AsSpan(0, rightLength));
        }

        return builder.Build();
    }

    private static byte[] Utf8(ReadOnlySpan<char> text, ref byte[] buffer, int start, out int length)
    {
        int most = Encoding.UTF8.GetMaxByteCount(text.Length);
        if (buffer.Length < most)
        {
            buffer = new byte[most];
        }

        length = Encoding.UTF8.GetBytes(text, buffer.AsSpan(start));
        return buffer;
    }

    private static TokenRoles Roles(GgufMetadata metadata, TokenRoles named, int tokens, bool addBos, string file)
    {
        int? Get(string key) => Id(metadata, key, tokens, file);
        TokenRoles roles = named with
        {
            Bos = Get("bos_token_id") ?? named.Bos,
            Eos = Get("eos_token_id") ?? named.Eos,
            Eot = Get("eot_token_id") ?? named.Eot,
            Eom = Get("eom_token_id") ?? named.Eom,
            Pad = Get("padding_token_id") ?? named.Pad,
            Unk = Get("unknown_token_id") ?? named.Unk,
            FimPrefix = Get("prefix_token_id") ?? Get("fim_pre_token_id") ?? named.FimPrefix,
            FimSuffix = Get("suffix_token_id") ?? Get("fim_suf_token_id") ?? named.FimSuffix,
            FimMiddle = Get("middle_token_id") ?? Get("fim_mid_token_id") ?? named.FimMiddle,
            AddBos = metadata.GetBool(Prefix + "add_bos_token") ?? addBos,
            AddEos = metadata.GetBool(Prefix + "add_eos_token") ?? false,
        };
        return roles with { Stop = RoleNames.Stop(roles.Eos, roles.Eot, roles.Eom) };
    }

    private static int? Id(GgufMetadata metadata, string key, int tokens, string file) => metadata.GetInteger(Prefix + key) switch
    {
        null or uint.MaxValue or -1 => null,
        long id when id >= 0 && id < tokens => (int)id,
        long id => throw new FileFormatException(file, $"{Prefix}{key}: expected 0 to {tokens - 1}, got {id}"),
    };

    private static string[] Tokens(GgufMetadata metadata, string file) => metadata.GetStrings(Prefix + "tokens") is { Length: > 0 } tokens
        ? tokens
        : throw new FileFormatException(file, $"{Prefix}tokens: expected a vocabulary, got none");

    private static PieceType[]? Types(GgufMetadata metadata, int tokens, string file)
    {
        // Usually int32; other integers are read too. Written out because a boxed number for each of 128,000 tokens takes long.
        if (!metadata.TryGet(Prefix + "token_type", out GgufValue? value))
        {
            return null;
        }

        int[] numbers = value.Value as int[] ?? [.. metadata.GetIntegers(Prefix + "token_type")!.Select(static t => (int)Math.Clamp(t, -1, 255))];
        if (numbers.Length != tokens)
        {
            throw new FileFormatException(file, $"{Prefix}token_type: expected {tokens} numbers, got {numbers.Length}");
        }

        var types = new PieceType[tokens];
        for (int i = 0; i < tokens; i++)
        {
            types[i] = numbers[i] switch
            {
                0 => PieceType.Normal,
                >= 1 and <= 6 => (PieceType)numbers[i],
                int other => throw new FileFormatException(file, $"{Prefix}token_type[{i}]: expected 0 to 6, got {other}"),
            };
        }

        return types;
    }
}
