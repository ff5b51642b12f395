using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.HuggingFace;
using Puna.Text.SentencePieces;

namespace Puna.Text.Tests;

public class GgufTokenizerTests
{
    /// <summary>
    /// llama.cpp's own ids. Where its splitting differs from the original tokenizers the original wins, but none of these lines is such a case: all agree.
    /// </summary>
    [Theory]
    [InlineData("f32.gguf", "vocab-spm.jsonl")]
    [InlineData("bpe-vocab-q4_0.gguf", "vocab-bpe.jsonl")]
    public void Golden_lines_encode_as_in_llama_cpp(string file, string golden)
    {
        Tokenizer tokenizer = Open(TestFiles.Golden("gguf-quants", file));
        GoldenLine.All(GoldenLine.Read(TestFiles.Golden("gguf-quants", golden)), line =>
            GoldenLine.Differ(line.Ids, tokenizer.Encode(line.Text)) ?? GoldenLine.Differ(line.IdsSpecial!, tokenizer.EncodePrompt(line.Text, SpecialTokens.All)));
    }

    /// <summary>The vocabularies inside the same files against the lines of the tokenizers they were made from.</summary>
    [Theory]
    [InlineData("f32.gguf", "tiny-spm", false)]
    [InlineData("bpe-vocab-q4_0.gguf", "tiny-byte-bpe", true)]
    public void Vocabularies_behave_as_the_tokenizers_they_come_from(string file, string name, bool special)
    {
        Tokenizer tokenizer = Open(TestFiles.Golden("gguf-quants", file));
        GoldenLine.All(GoldenLine.Read(TestFiles.Golden("tokenizers", name, "golden.jsonl")), line =>
            GoldenLine.Differ(line.Ids, tokenizer.Encode(line.Text, special ? SpecialTokens.All : null)) ?? GoldenLine.Differ(line.Decoded!, tokenizer.Decode(line.Ids)));
    }

    [Fact]
    public void Texts_of_llama_cpp_give_its_ids_with_the_SentencePiece_vocabulary() =>
        CheckTexts(Open(TestFiles.Asset("llama.cpp-vocab", "ggml-vocab-llama-spm.gguf")), "ggml-vocab-llama-spm.gguf");

    [Fact]
    public void Texts_of_llama_cpp_give_its_ids_with_the_Llama_3_vocabulary() =>
        CheckTexts(TokenizerLoader.Open(TestFiles.Asset("llama3", "tokenizer.model")), "ggml-vocab-llama-bpe.gguf");

    [Fact]
    public void A_file_may_have_no_vocabulary()
    {
        Assert.Null(GgufTokenizer.Create(new GgufMetadata()));
        Assert.Null(GgufTokenizer.Create(Metadata(("model", "no_vocab"))));
    }

    [Theory]
    [InlineData("llama-bpe", "ab 12", "a b Ġ 12")]
    [InlineData("smollm", "ab12", "a b 1 2")]
    [InlineData("gpt-2", "ab12", "a b 12")]
    [InlineData("default", "ab1234", "a b 12 3 4")]
    [InlineData("deepseek-coder", "ab12", "a b 1 2")]
    [InlineData("tekken", "ab12", "a b 1 2")]
    public void Named_splits_cut_as_their_originals(string pre, string text, string pieces)
    {
        GgufMetadata metadata = ByteLevel(pre, ["12"], ["1 2"]);
        Tokenizer tokenizer = GgufTokenizer.Create(metadata)!;
        Assert.Equal(pieces, string.Join(' ', tokenizer.Encode(text).Select(tokenizer.Piece)));
    }

    [Fact]
    public void Without_a_name_Llama_3_is_known_by_its_tokens()
    {
        GgufMetadata metadata = ByteLevel(null, ["ab", "<|begin_of_text|>"], ["a b"]);
        ByteLevelTokenizer tokenizer = (ByteLevelTokenizer)GgufTokenizer.Create(metadata)!;
        Assert.True(tokenizer.AddBos);
        Assert.Equal(tokenizer.IdOf("<|begin_of_text|>"), tokenizer.BosId);
    }

    [Fact]
    public void User_defined_tokens_are_always_found_and_control_tokens_only_where_allowed()
    {
        GgufMetadata metadata = ByteLevel("llama-bpe", ["<u>", "<c>"], []);
        int[] types = (int[])Value(metadata, "token_type");
        types[^2] = 4;
        types[^1] = 3;
        Tokenizer tokenizer = GgufTokenizer.Create(metadata)!;
        Assert.Equal(["a", "<u>", "<", "c", ">"], tokenizer.Encode("a<u><c>").Select(tokenizer.Piece));
        Assert.Equal(["a", "<u>", "<c>"], tokenizer.Encode("a<u><c>", SpecialTokens.All).Select(tokenizer.Piece));
        Assert.Equal("a<u><c>", tokenizer.Decode(tokenizer.Encode("a<u><c>", SpecialTokens.All)));
        Assert.Equal("a<u>", tokenizer.Decode(tokenizer.Encode("a<u><c>", SpecialTokens.All), skipSpecial: true));
    }

    [Fact]
    public void Types_and_unknown_may_be_missing_in_a_SentencePiece_vocabulary()
    {
        GgufMetadata metadata = Metadata(("model", "llama"), ("tokens", (string[])["<unk>", "▁a", "b", "▁ab"]), ("scores", (float[])[0, -1, -2, -3]), ("unknown_token_id", 0u));
        var tokenizer = (SentencePieceTokenizer)GgufTokenizer.Create(metadata)!;
        Assert.Equal([3], tokenizer.Encode("ab"));
        Assert.Equal((0, true), (tokenizer.UnkId, tokenizer.AddBos));
        Assert.Equal([3, 0], tokenizer.Encode("abxyz"));
    }

    [Theory]
    [InlineData("model", "bert", "tokenizer.ggml.model: expected llama, gpt2 or no_vocab, got bert")]
    [InlineData("pre", "qwen2", "tokenizer.ggml.pre: expected one of llama-bpe")]
    [InlineData("tokens", null, "tokenizer.ggml.tokens: expected a vocabulary, got none")]
    [InlineData("merges", null, "tokenizer.ggml.merges: expected a list of pairs, got none")]
    [InlineData("bos_token_id", 999u, "tokenizer.ggml.bos_token_id: expected 0 to 257, got 999")]
    [InlineData("token_type", new[] { 1, 2 }, "tokenizer.ggml.token_type: expected 258 numbers, got 2")]
    [InlineData("merges", new[] { "ab" }, "tokenizer.ggml.merges: expected two tokens with a space between, got ab")]
    [InlineData("merges", new[] { "x yy" }, "merge 0: expected tokens of the vocabulary, got yy")]
    public void What_is_wrong_is_named(string key, object? value, string message)
    {
        GgufMetadata metadata = ByteLevel("llama-bpe", ["ab", "<s>"], ["a b"]);
        if (value is null)
        {
            metadata.Remove("tokenizer.ggml." + key);
        }
        else
        {
            metadata.Set("tokenizer.ggml." + key, value);
        }

        Assert.Contains(message, Assert.Throws<FileFormatException>(() => GgufTokenizer.Create(metadata, "f.gguf")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scores_must_be_as_many_as_tokens()
    {
        GgufMetadata metadata = Metadata(("model", "llama"), ("tokens", (string[])["<unk>", "a"]), ("scores", (float[])[0]));
        Assert.Contains("scores: expected 2 numbers, got 1", Assert.Throws<FileFormatException>(() => GgufTokenizer.Create(metadata)).Message, StringComparison.Ordinal);
        metadata.Remove("tokenizer.ggml.scores");
        Assert.Contains("scores: expected 2 numbers, got none", Assert.Throws<FileFormatException>(() => GgufTokenizer.Create(metadata)).Message, StringComparison.Ordinal);
    }

    private static Tokenizer Open(string path)
    {
        using GgufFile file = GgufFile.Open(path);
        return GgufTokenizer.Create(file.Metadata, path)!;
    }

    private static void CheckTexts(Tokenizer tokenizer, string name)
    {
        string[] texts = File.ReadAllText(TestFiles.Asset("llama.cpp-vocab", name + ".inp")).Split("\n__ggml_vocab_test__\n");
        string[] lines = File.ReadAllLines(TestFiles.Asset("llama.cpp-vocab", name + ".out"));
        Assert.Equal(46, lines.Length);
        for (int i = 0; i < lines.Length; i++)
        {
            int[] expected = [.. lines[i].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(static x => int.Parse(x, System.Globalization.CultureInfo.InvariantCulture))];
            Assert.Null(GoldenLine.Differ(expected, tokenizer.Encode(texts[i])));
        }
    }

    /// <summary>A vocabulary of all bytes and some tokens.</summary>
    private static GgufMetadata ByteLevel(string? pre, string[] more, string[] merges)
    {
        string[] tokens = [.. Enumerable.Range(0, 256).Select(static b => Text.Vocabularies.ByteAlphabet.Character((byte)b).ToString()), .. more];
        GgufMetadata metadata = Metadata(("model", "gpt2"), ("tokens", tokens), ("token_type", Enumerable.Repeat(1, tokens.Length).ToArray()), ("merges", merges));
        if (pre is not null)
        {
            metadata.Set("tokenizer.ggml.pre", pre);
        }

        return metadata;
    }

    private static GgufMetadata Metadata(params (string Key, object Value)[] values)
    {
        var metadata = new GgufMetadata();
        foreach ((string key, object value) in values)
        {
            metadata.Set("tokenizer.ggml." + key, value);
        }

        return metadata;
    }

    private static object Value(GgufMetadata metadata, string key) => metadata.TryGet("tokenizer.ggml." + key, out GgufValue? value) ? value.Value : throw new KeyNotFoundException(key);
}
