using System.Text;
using System.Text.Json;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.SentencePieces;

namespace Puna.Text.Tests.HuggingFace;

/// <summary>
/// A unigram <c>tokenizer.json</c> in the form Prompt Guard is published in: DeBERTa's pipeline of Strip, the SentencePiece character map, runs of spaces, Metaspace, and [CLS] and [SEP] around a text. Made from the golden SentencePiece model.
/// </summary>
public sealed class UnigramJsonTests
{
    private static SentencePieceModel Model { get; } = SentencePieceReader.Read(File.ReadAllBytes(TestFiles.Fixture("goldens", "prompt-guard", "spm.model")), "spm.model");

    private static Tokenizer Published { get; } = TokenizerLoader.Read(Json(Model), "tokenizer.json");

    [Fact]
    public void Roles_and_template_are_those_of_the_file()
    {
        Assert.Equal((TokenizerKind.Unigram, 601), (Published.Kind, Published.VocabularySize));
        Assert.Equal((1, 2, 3, true, true), (Published.BosId, Published.EosId, Published.UnkId, Published.AddBos, Published.AddEos));
        Assert.Equal([1, 72, 2], Published.EncodePrompt("a"));
        Assert.Equal("Hello, world!", Published.Decode(Published.EncodePrompt("Hello, world!"), skipSpecial: true));
    }

    /// <summary>Both forms of one model agree on golden lines, but for lines with grapheme clusters or white space that the two pipelines treat differently by definition.</summary>
    [Fact]
    public void Golden_lines_encode_as_with_SentencePiece()
    {
        int same = 0;
        GoldenLine.All(GoldenLine.Read(TestFiles.Fixture("goldens", "prompt-guard", "tokenizer.jsonl")), line =>
        {
            string? differ = GoldenLine.Differ(line.Ids, Published.Encode(line.Text));
            same += differ is null ? 1 : 0;
            return differ is null || IsTreatedDifferently(line.Text) ? null : differ;
        });
        Assert.InRange(same, 350, 400);
    }

    [Theory]
    [InlineData("e\u0301", "é")] // in the map as a whole
    [InlineData("\uFF21\u0301", "A")] // three and two bytes: only the letter is in the map, and the accent is lost with it
    [InlineData("x\uFF21\u0301", "xA")]
    [InlineData("a\r\nb", "a b")] // one cluster
    [InlineData("\uFB01", "fi")]
    [InlineData("\uFB01\u0301", "fi")]
    [InlineData("\u0915\u094D\u0937", "\u0915\u094D\u0937")] // longer than five bytes: code point by code point, none of them in the map
    public void The_character_map_is_applied_to_grapheme_clusters(string text, string normalized) => Assert.Equal(Published.Encode(normalized), Published.Encode(text));

    [Fact]
    public void Special_tokens_are_found_only_where_they_are_allowed()
    {
        Assert.Equal([1, 72, 2], Published.Encode("[CLS]a[SEP]", SpecialTokens.All));
        Assert.DoesNotContain(1, Published.Encode("[CLS]a[SEP]"));
    }

    [Fact]
    public void Sums_are_double()
    {
        // In float32 both ways cost 100; in double the pair is better by 1e-7.
        string json = Small("""["a",-50],["b",-50],["ab",-99.9999999]""");
        Assert.Equal([3], TokenizerLoader.Read(Encoding.UTF8.GetBytes(json), "t").Encode("ab"));
        Assert.Equal([1, 2], TokenizerLoader.Read(Encoding.UTF8.GetBytes(Small("""["a",-50],["b",-50],["ab",-100.0000001]""")), "t").Encode("ab"));
    }

    [Fact]
    public void A_run_of_unknown_characters_is_one_token_or_its_bytes()
    {
        Assert.Equal([1, 0, 1], TokenizerLoader.Read(Encoding.UTF8.GetBytes(Small("""["a",-1]""")), "t").Encode("axyza"));
        string bytes = Small("""["a",-1],["<0x78>",-5],["<0x79>",-5]""").Replace("\"byte_fallback\":false", "\"byte_fallback\":true", StringComparison.Ordinal);
        Tokenizer tokenizer = TokenizerLoader.Read(Encoding.UTF8.GetBytes(bytes), "t");
        Assert.Equal([1, 2, 3, 1], tokenizer.Encode("axya"));
        Assert.Equal([1, 0, 1], tokenizer.Encode("axza")); // z has no byte, so none of the run has
    }

    [Theory]
    [InlineData("""["a",-1]""", "\"unk_id\":0", "\"unk_id\":7", "model.unk_id: expected less than 2, got 7")]
    [InlineData("""["a",-1]""", "\"unk_id\":0", "\"unk_id\":null", "model.unk_id: expected an id, got none")]
    [InlineData("""["a"]""", "", "", "model.vocab[1]: expected a piece and its score")]
    [InlineData("""["a",1e999]""", "", "", "model.vocab[1]: expected a piece and its score")]
    [InlineData("""["a",-1],["a",-2]""", "", "", "token a: expected once, got it as 1 and 2")]
    [InlineData("""["a",-1]""", "Unigram", "BPE", "model.vocab: expected an object of ids, got a list")]
    [InlineData("""["a",-1]""", "Unigram", "WordPiece", "model.type: expected BPE or Unigram, got WordPiece")]
    public void Malformed_models_are_refused(string pieces, string from, string to, string message)
    {
        string json = from.Length == 0 ? Small(pieces) : Small(pieces).Replace(from, to, StringComparison.Ordinal);
        Assert.Contains(message, Assert.Throws<FileFormatException>(() => TokenizerLoader.Read(Encoding.UTF8.GetBytes(json), "t")).Message, StringComparison.Ordinal);
    }

    private static bool IsTreatedDifferently(string text) =>
        text.EnumerateRunes().Any(static r => r.Value > 0x7E || r.Value < 0x20) || text.Contains('[', StringComparison.Ordinal);

    private static string Small(string pieces) =>
        $$"""{"added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0],{{pieces}}],"byte_fallback":false} }""";

    private static byte[] Json(SentencePieceModel model)
    {
        string[] pieces = [.. model.Pieces.Select(Encoding.UTF8.GetString)];
        string Added(int id, string name) => $$"""{"id":{{id}},"content":"{{name}}","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}""";
        string vocabulary = string.Join(',', pieces.Select((p, i) => $"[{JsonSerializer.Serialize(p)},{JsonSerializer.Serialize((double)model.Scores[i])}]"));
        return Encoding.UTF8.GetBytes($$"""
            {"version":"1.0","truncation":null,"padding":null,
            "added_tokens":[{{Added(0, "[PAD]")}},{{Added(1, "[CLS]")}},{{Added(2, "[SEP]")}},{{Added(3, "[UNK]")}},{{Added(pieces.Length, "[MASK]")}}],
            "normalizer":{"type":"Sequence","normalizers":[{"type":"Strip","strip_left":true,"strip_right":true},{"type":"Precompiled","precompiled_charsmap":"{{Convert.ToBase64String(model.CharsMap)}}"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},
            "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true}]},
            "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0} },{"Sequence":{"id":"A","type_id":0} },{"SpecialToken":{"id":"[SEP]","type_id":0} }],
            "pair":[],"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1],"tokens":["[CLS]"]},"[SEP]":{"id":"[SEP]","ids":[2],"tokens":["[SEP]"]} } },
            "decoder":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},
            "model":{"type":"Unigram","unk_id":3,"vocab":[{{vocabulary}}],"byte_fallback":false} }
            """);
    }
}
