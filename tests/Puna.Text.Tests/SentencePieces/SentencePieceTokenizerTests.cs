using Puna.Tests.Shared;
using Puna.Text.SentencePieces;

namespace Puna.Text.Tests.SentencePieces;

public class SentencePieceTokenizerTests
{
    [Fact]
    public void Golden_lines_of_llama2_encode_and_decode_as_SentencePiece_does() =>
        Check(Open(TestFiles.Asset("llama2", "tokenizer.model")), TestFiles.Golden("tokenizers", "llama2.jsonl"));

    [Fact]
    public void Golden_lines_of_tiny_spm_encode_and_decode_as_SentencePiece_does() =>
        Check(Open(TestFiles.Golden("tokenizers", "tiny-spm", "tokenizer.model")), TestFiles.Golden("tokenizers", "tiny-spm", "golden.jsonl"));

    [Fact]
    public void Committed_lines_encode_and_decode_as_SentencePiece_does() =>
        Check(Open(TestFiles.Fixture("tokenizers", "tiny-spm", "tokenizer.model")), TestFiles.Fixture("tokenizers", "tiny-spm", "golden.jsonl"));

    // Spec llama1-3.md 5.1.
    [Theory]
    [InlineData("I believe the meaning of life is", 306, 4658, 278, 6593, 310, 2834, 338)]
    [InlineData("Simply put, the theory of relativity states that ", 3439, 17632, 1925, 29892, 278, 6368, 310, 14215, 537, 5922, 393, 29871)]
    [InlineData("Hello", 15043)]
    [InlineData(" Hello", 29871, 15043)]
    [InlineData("  Hello", 259, 15043)]
    [InlineData("Hello  world", 15043, 29871, 3186)]
    [InlineData("")]
    [InlineData("   ", 268)]
    [InlineData("\n", 29871, 13)]
    [InlineData("\r\n", 6756, 13)]
    [InlineData("12345", 29871, 29896, 29906, 29941, 29946, 29945)]
    [InlineData("🦙", 29871, 243, 162, 169, 156)]
    [InlineData("☺x", 29871, 31171, 29916)]
    [InlineData("Hello <s>.", 15043, 529, 29879, 15513)]
    [InlineData("def f():\n    return 1\n", 822, 285, 7295, 13, 1678, 736, 29871, 29896, 13)]
    [InlineData("Zürich naïve 中文 日本", 24931, 1055, 30085, 345, 29871, 30275, 30333, 29871, 30325, 30346)]
    public void Llama2_vectors(string text, params int[] ids) => Assert.Equal(ids, Open(TestFiles.Asset("llama2", "tokenizer.model")).Encode(text));

    /// <summary>Code Llama's infilling: without the space in front (spec llama1-3.md 5.2), from the ids of a text behind ☺.</summary>
    [Fact]
    public void Infilling_text_has_no_space_in_front() =>
        Assert.Equal([1753, 285], Open(TestFiles.Asset("llama2", "tokenizer.model")).Encode("☺def f")[2..]);

    [Fact]
    public void Roles_come_from_the_names_of_pieces()
    {
        SentencePieceTokenizer tokenizer = Open(TestFiles.Fixture("tokenizers", "tiny-spm", "tokenizer.model"));
        Assert.Equal((1, 2, 0, null, true), (tokenizer.BosId, tokenizer.EosId, tokenizer.UnkId, tokenizer.PadId, tokenizer.AddBos));
        Assert.Equal([2], tokenizer.StopIds);

        SentencePieceTokenizer infilling = ModelBuilder.Tokenizer(ModelBuilder.Model(false, "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"));
        Assert.Equal((3, 4, 5, 6), (infilling.Roles.FimPrefix, infilling.Roles.FimSuffix, infilling.Roles.FimMiddle, infilling.Roles.FimEnd));
    }

    [Fact]
    public void Decoding_follows_the_rules_for_the_first_piece_and_for_bytes()
    {
        SentencePieceTokenizer tokenizer = ModelBuilder.Tokenizer(ModelBuilder.Model(true, "▁a", "a", "▁"));
        int a = tokenizer.IdOf("▁a")!.Value, mark = tokenizer.IdOf("▁")!.Value;
        int Byte(int value) => 3 + value;
        Assert.Equal("a a", tokenizer.Decode([1, a, a, 2]));
        Assert.Equal(" a", tokenizer.Decode([mark, a]));
        Assert.Equal("A a", tokenizer.Decode([Byte('A'), a])); // a byte in front uses up the right to be stripped
        Assert.Equal(" ⁇  a", tokenizer.Decode([0, a])); // so does the unknown piece
        Assert.Equal("\uFFFD\uFFFDa", tokenizer.Decode([Byte(0xE4), Byte(0xB8), Byte('a')]));
        Assert.Equal("\uFFFD\uFFFD\uFFFD", tokenizer.Decode([Byte(0xED), Byte(0xA0), Byte(0x80)]));
        Assert.Equal("A\uFFFDB", tokenizer.Decode([Byte('A'), Byte(0xFF), Byte('B')]));
        Assert.Equal("中 a", tokenizer.Decode([Byte(0xE4), Byte(0xB8), Byte(0xAD), a]));
        Assert.Equal("a", tokenizer.Decode([a, -1])); // Code Llama's places without a token
        Assert.Equal("\uFFFD\uFFFD a", tokenizer.Decode([Byte(0xE4), Byte(0xB8), a, 1]));
    }

    [Fact]
    public void Equal_scores_join_from_the_left()
    {
        SentencePieceModel model = ModelBuilder.Model(false, "a", "aa");
        model.AddDummyPrefix = false;
        Assert.Equal("aa aa a", ModelBuilder.Pieces(ModelBuilder.Tokenizer(model), "aaaaa"));
    }

    /// <summary>Pieces with a ▁ inside or at the end: words cannot be merged on their own.</summary>
    [Fact]
    public void Pieces_across_words_are_found()
    {
        Tokenizer tokenizer = ModelBuilder.Tokenizer(ModelBuilder.Model(false, "b▁c", "▁", "a", "b", "c", "b▁", "▁a"));
        Assert.Equal("▁a b▁c", ModelBuilder.Pieces(tokenizer, "ab c"));
    }

    [Fact]
    public void User_defined_pieces_are_taken_longest_first_and_frozen()
    {
        Tokenizer tokenizer = ModelBuilder.Tokenizer(ModelBuilder.Model(false, "ab", "abc", "u:bc", "u:bcd", "a", "b", "c", "d", "▁"));
        Assert.Equal("▁ a bcd", ModelBuilder.Pieces(tokenizer, "abcd"));
        Assert.Equal("▁ a bc ab", ModelBuilder.Pieces(tokenizer, "abcab"));
    }

    [Fact]
    public void Unused_pieces_are_split_into_what_they_were_made_of()
    {
        // ab is joined first, then ab+cd to the unused abcd, which is given back; ab is itself unused.
        Tokenizer tokenizer = ModelBuilder.Tokenizer(ModelBuilder.Model(false, "-:ab", "cd", "-:abcd", "a", "b", "c", "d", "▁"));
        Assert.Equal("▁ a b cd", ModelBuilder.Pieces(tokenizer, "abcd"));
    }

    [Fact]
    public void Without_byte_pieces_a_run_of_unknown_characters_is_one_token()
    {
        Tokenizer tokenizer = ModelBuilder.Tokenizer(ModelBuilder.Model(false, "▁", "a"));
        Assert.Equal("▁ <unk> a <unk>", ModelBuilder.Pieces(tokenizer, "中文a🦙"));
        Assert.Equal(" ⁇ a ⁇ ", tokenizer.Decode(tokenizer.Encode("中文a🦙")));
    }

    [Fact]
    public void Extra_spaces_vanish_where_the_model_says_so()
    {
        SentencePieceModel model = ModelBuilder.Model(false, "▁", "a", "b", "▁a", "▁b");
        model.RemoveExtraWhitespaces = true;
        Tokenizer tokenizer = ModelBuilder.Tokenizer(model);
        Assert.Equal("▁a ▁b", ModelBuilder.Pieces(tokenizer, "   a   b  "));
        Assert.Equal("", ModelBuilder.Pieces(tokenizer, "    "));
        Assert.Equal("a b", tokenizer.Decode([tokenizer.IdOf("▁")!.Value, tokenizer.IdOf("▁a")!.Value, tokenizer.IdOf("▁b")!.Value]));
    }

    [Fact]
    public void Without_dummy_prefix_nothing_is_added_or_stripped()
    {
        SentencePieceModel model = ModelBuilder.Model(false, "▁", "a", "▁a");
        model.AddDummyPrefix = false;
        SentencePieceTokenizer tokenizer = ModelBuilder.Tokenizer(model);
        Assert.False(tokenizer.AddsDummyPrefix);
        Assert.Equal("a ▁a", ModelBuilder.Pieces(tokenizer, "a a"));
        Assert.Equal(" a", tokenizer.Decode([tokenizer.IdOf("▁a")!.Value]));
    }

    [Fact]
    public void Special_strings_get_a_prefix_behind_them_where_they_are_parsed()
    {
        Tokenizer tokenizer = Open(TestFiles.Fixture("tokenizers", "tiny-spm", "tokenizer.model"));
        Assert.Equal([.. tokenizer.Encode("a"), 2, .. tokenizer.Encode("b")], tokenizer.Encode("a</s>b", SpecialTokens.All));
    }

    [Fact]
    public void Malformed_bytes_become_replacement_characters_one_by_one()
    {
        Tokenizer tokenizer = Open(TestFiles.Fixture("tokenizers", "tiny-spm", "tokenizer.model"));
        var ids = new List<int>();
        tokenizer.EncodeUtf8([(byte)'a', 0xE4, 0xB8, (byte)'b'], ids);
        Assert.Equal("a\uFFFD\uFFFDb", tokenizer.Decode([.. ids]));
    }

    private static void Check(Tokenizer tokenizer, string golden) =>
        GoldenLine.All(GoldenLine.Read(golden), line =>
            GoldenLine.Differ(line.Ids, tokenizer.Encode(line.Text))
            ?? GoldenLine.Differ(line.Decoded!, tokenizer.Decode(line.Ids))
            ?? GoldenLine.Differ(line.Decoded!, TextArbitrary.Incremental(tokenizer, line.Ids)));

    private static SentencePieceTokenizer Open(string path) => SentencePieceTokenizer.Read(File.ReadAllBytes(path), path);
}
