using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Puna.Tensors;
using Puna.Text.HuggingFace;
using Puna.Text.SentencePieces;
using Puna.Text.Tiktoken;
using Puna.Text.Vocabularies;

namespace Puna.Text.Conversion;

/// <summary>Writes a <c>tokenizer.json</c> as the published conversions of Llama 2, 3 and 4 have it (spec llama1-3.md 5.1 and 5.3).</summary>
internal static class TokenizerJsonWriter
{
    private const string ByteLevel = """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""";

    /// <summary>The bytes of the file.</summary>
    public static byte[] Write(Tokenizer tokenizer) => tokenizer switch
    {
        { Kind: TokenizerKind.Unigram } => throw new PunaException("tokenizer: expected byte pair encoding to write as tokenizer.json, got a unigram model"),
        SentencePieceTokenizer pieces => WritePieces(pieces),
        TiktokenTokenizer tiktoken => WriteRanks(tiktoken),
        MergeTokenizer merges => WriteParts(merges),
        _ => throw new PunaException($"tokenizer: expected a kind that tokenizer.json has, got {tokenizer.Kind}"),
    };

    /// <summary>Whether the form has words for all that a SentencePiece model does.</summary>
    public static bool CanSay(SentencePieceTokenizer tokenizer) =>
        tokenizer.Model is { ModelType: SentencePieceModel.BytePairEncoding, CharsMap.Length: 0, RemoveExtraWhitespaces: false, EscapeWhitespaces: true } model && !model.Types.Contains(PieceType.Unused);

    private static byte[] WritePieces(SentencePieceTokenizer tokenizer)
    {
        SentencePieceModel model = tokenizer.Model;
        if (!CanSay(tokenizer))
        {
            throw new PunaException("tokenizer: expected ▁ for spaces and no other change of the text for a tokenizer.json, got a SentencePiece model with more");
        }

        string replace = """{"type":"Replace","pattern":{"String":" "},"content":"▁"}""";
        string steps = model.AddDummyPrefix ? $$"""{"type":"Prepend","prepend":"▁"},{{replace}}""" : replace;
        string strip = model.AddDummyPrefix ? """,{"type":"Strip","content":" ","start":1,"stop":0}""" : "";
        var json = new PipelineJson(
            $$"""{"type":"Sequence","normalizers":[{{steps}}]}""",
            "null",
            Template(tokenizer, null),
            $$"""{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"}{{strip}}]}""");
        var added = new List<AddedToken>();
        for (int id = 0; id < model.Pieces.Count; id++)
        {
            if (model.Types[id] is PieceType.Control or PieceType.Unknown or PieceType.UserDefined)
            {
                added.Add(new AddedToken(id, tokenizer.Piece(id), Special: model.Types[id] != PieceType.UserDefined));
            }
        }

        (List<int> left, List<int> right) = MergeDerivation.FromScores(model, tokenizer.Pieces);
        return Write(json, added, writer =>
        {
            Settings(writer, tokenizer.UnkId is int unknown ? tokenizer.Piece(unknown) : null, fuseUnknown: true, model.ByteFallback, ignoreMerges: false);
            Vocabulary(writer, model.Pieces.Count, tokenizer.Piece);
            Merges(writer, left, right, tokenizer.Piece);
        });
    }

    private static byte[] WriteRanks(TiktokenTokenizer tokenizer)
    {
        TokenTable ranks = tokenizer.Ranks;
        string[] tokens = new string[ranks.Count];
        for (int id = 0; id < tokens.Length; id++)
        {
            tokens[id] = ByteAlphabet.FromBytes(ranks[id]);
        }

        var added = new List<AddedToken>();
        for (int id = ranks.Count; id < tokenizer.VocabularySize; id++)
        {
            if (tokenizer.Piece(id) is { Length: > 0 } content)
            {
                added.Add(new AddedToken(id, content));
            }
        }

        string pre = PreTokenizerNames.Json(tokenizer.Family == TiktokenFamily.Llama4 ? PreTokenizerNames.Llama4 : PreTokenizerNames.Llama3)!;
        (List<int> left, List<int> right) = MergeDerivation.FromRanks(ranks);
        return Write(new PipelineJson("null", pre, Template(tokenizer, ByteLevel), ByteLevel), added, writer =>
        {
            Settings(writer, null, fuseUnknown: false, byteFallback: false, ignoreMerges: true);
            Vocabulary(writer, tokens.Length, id => tokens[id]);
            Merges(writer, left, right, id => tokens[id]);
        });
    }

    private static byte[] WriteParts(MergeTokenizer tokenizer)
    {
        TokenizerParts parts = tokenizer.Parts;
        MergeVocabulary vocabulary = parts.Vocabulary;
        PipelineJson json = parts.Json.PostProcessor == "null" && tokenizer.AddBos ? parts.Json with { PostProcessor = Template(tokenizer, null) } : parts.Json;
        return Write(json, parts.Added, writer =>
        {
            Settings(writer, parts.Unknown >= 0 ? tokenizer.Piece(parts.Unknown) : null, parts.FuseUnknown, parts.ByteFallback, parts.IgnoreMerges);
            Vocabulary(writer, vocabulary.Tokens.Count, id => vocabulary.Tokens.Exists(id) ? vocabulary.Piece(id) : "");
            List<int> left = [], right = [];
            for (int rank = 0; rank < vocabulary.Merges.Count; rank++)
            {
                if (vocabulary.Merges.Left(rank) >= 0)
                {
                    left.Add(vocabulary.Merges.Left(rank));
                    right.Add(vocabulary.Merges.Right(rank));
                }
            }

            Merges(writer, left, right, vocabulary.Piece);
        });
    }

    private static byte[] Write(PipelineJson json, IReadOnlyList<AddedToken> added, Action<Utf8JsonWriter> model)
    {
        var buffer = new ArrayBufferWriter<byte>(1 << 20);
        using var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, Indented = true });
        writer.WriteStartObject();
        writer.WriteString("version", "1.0");
        writer.WriteNull("truncation");
        writer.WriteNull("padding");
        writer.WriteStartArray("added_tokens");
        foreach (AddedToken token in added)
        {
            writer.WriteStartObject();
            writer.WriteNumber("id", token.Id);
            writer.WriteString("content", token.Content);
            writer.WriteBoolean("single_word", token.SingleWord);
            writer.WriteBoolean("lstrip", token.StripLeft);
            writer.WriteBoolean("rstrip", token.StripRight);
            writer.WriteBoolean("normalized", token.Normalized);
            writer.WriteBoolean("special", token.Special);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        foreach ((string name, string text) in (ReadOnlySpan<(string, string)>)
            [("normalizer", json.Normalizer), ("pre_tokenizer", json.PreTokenizer), ("post_processor", json.PostProcessor), ("decoder", json.Decoder)])
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(text);
        }

        writer.WriteStartObject("model");
        model(writer);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    private static void Settings(Utf8JsonWriter writer, string? unknown, bool fuseUnknown, bool byteFallback, bool ignoreMerges)
    {
        writer.WriteString("type", "BPE");
        writer.WriteNull("dropout");
        writer.WriteString("unk_token", unknown);
        writer.WriteNull("continuing_subword_prefix");
        writer.WriteNull("end_of_word_suffix");
        writer.WriteBoolean("fuse_unk", fuseUnknown);
        writer.WriteBoolean("byte_fallback", byteFallback);
        writer.WriteBoolean("ignore_merges", ignoreMerges);
    }

    private static void Vocabulary(Utf8JsonWriter writer, int count, Func<int, string> piece)
    {
        writer.WriteStartObject("vocab");
        for (int id = 0; id < count; id++)
        {
            if (piece(id) is { Length: > 0 } text)
            {
                writer.WriteNumber(text, id);
            }
        }

        writer.WriteEndObject();
    }

    private static void Merges(Utf8JsonWriter writer, List<int> left, List<int> right, Func<int, string> piece)
    {
        writer.WriteStartArray("merges");
        for (int i = 0; i < left.Count; i++)
        {
            writer.WriteStartArray();
            writer.WriteStringValue(piece(left[i]));
            writer.WriteStringValue(piece(right[i]));
            writer.WriteEndArray();
        }

        writer.WriteEndArray();
    }

    /// <summary>The post-processor that puts BOS in front (and EOS behind) where the tokenizer does so by default, perhaps behind another.</summary>
    private static string Template(Tokenizer tokenizer, string? first)
    {
        int? bos = tokenizer.AddBos ? tokenizer.BosId : null, eos = tokenizer.AddEos ? tokenizer.EosId : null;
        if (bos is null && eos is null)
        {
            return first ?? "null";
        }

        string Item(int? id, int type) => id is int value ? $$$"""{"SpecialToken":{"id":{{{Quote(tokenizer.Piece(value))}}},"type_id":{{{type}}}}}""" : "";
        string Around(string sequence, int type) => string.Join(',', new[] { Item(bos, type), sequence, Item(eos, type) }.Where(static s => s.Length > 0));
        string one = Around("""{"Sequence":{"id":"A","type_id":0}}""", 0), two = Around("""{"Sequence":{"id":"B","type_id":1}}""", 1);
        IEnumerable<string> tokens = new[] { bos, eos }.OfType<int>().Distinct().Select(id =>
            $$"""{{Quote(tokenizer.Piece(id))}}:{"id":{{Quote(tokenizer.Piece(id))}},"ids":[{{id}}],"tokens":[{{Quote(tokenizer.Piece(id))}}]}""");
        string special = string.Join(',', tokens);
        string template = $$$"""{"type":"TemplateProcessing","single":[{{{one}}}],"pair":[{{{one}}},{{{two}}}],"special_tokens":{{{{special}}}}}""";
        return first is null ? template : $$"""{"type":"Sequence","processors":[{{first}},{{template}}]}""";
    }

    private static string Quote(string text) => $"\"{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(text)}\"";
}
