using System.Text.Json.Nodes;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Text.Tests;

public sealed class TokenizerLoaderTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-text-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("tiny-spm", "tokenizer.model", TokenizerKind.SentencePiece)]
    [InlineData("tiny-ranks", "tokenizer.model", TokenizerKind.Tiktoken)]
    [InlineData("tiny-byte-bpe", "tokenizer.json", TokenizerKind.ByteLevel)]
    [InlineData("tiny-spm-json", "tokenizer.json", TokenizerKind.MergedPieces)]
    public void Files_are_known_by_their_content(string fixture, string file, TokenizerKind kind)
    {
        string other = Path.Combine(_folder, "any.name");
        File.Copy(TestFiles.Fixture("tokenizers", fixture, file), other);
        Assert.Equal(kind, TokenizerLoader.Open(other).Kind);
        Assert.Equal(kind, TokenizerLoader.Open(TestFiles.Fixture("tokenizers", fixture)).Kind);
    }

    [Fact]
    public void What_is_no_tokenizer_is_refused_in_one_line()
    {
        string missing = Path.Combine(_folder, "missing.model");
        Assert.Equal($"tokenizer {missing}: expected a file or folder, got nothing there", Assert.Throws<PunaException>(() => TokenizerLoader.Open(missing)).Message);
        Assert.Equal($"tokenizer in {_folder}: expected tokenizer.model or tokenizer.json, got neither", Assert.Throws<PunaException>(() => TokenizerLoader.Open(_folder)).Message);
        Assert.Null(TokenizerLoader.TryOpenFolder(_folder));
        foreach ((string content, string got) in (ReadOnlySpan<(string, string)>)[("", "an empty file"), ("GGUF\u0003", "a GGUF file"), ("hello there", "something else"), ("\n\n", "something else")])
        {
            Write("tokenizer.model", content);
            FileFormatException error = Assert.Throws<FileFormatException>(() => TokenizerLoader.Open(_folder));
            Assert.Contains($"expected a SentencePiece model, tiktoken ranks or a tokenizer.json, got {got}", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_original_model_file_is_preferred()
    {
        Copy("tiny-spm", "tokenizer.model");
        Copy("tiny-spm-json", "tokenizer.json");
        Assert.Equal(TokenizerKind.SentencePiece, TokenizerLoader.Open(_folder).Kind);
    }

    [Fact]
    public void Where_fine_tuning_added_tokens_tokenizer_json_is_used()
    {
        Copy("tiny-spm", "tokenizer.model");
        JsonNode json = JsonNode.Parse(File.ReadAllText(TestFiles.Fixture("tokenizers", "tiny-spm-json", "tokenizer.json")))!;
        json["added_tokens"]!.AsArray().Add(JsonNode.Parse("""{"id":512,"content":"<|im_end|>","special":true,"normalized":false,"single_word":false,"lstrip":false,"rstrip":false}"""));
        Write("tokenizer.json", json.ToJsonString());
        Tokenizer tokenizer = TokenizerLoader.Open(_folder);
        Assert.Equal((TokenizerKind.MergedPieces, 512, 513), (tokenizer.Kind, tokenizer.EotId, tokenizer.VocabularySize));
        Assert.Equal([2, 512], tokenizer.StopIds);
    }

    [Fact]
    public void Without_tokenizer_json_added_tokens_extend_the_pieces()
    {
        Copy("tiny-spm", "tokenizer.model");
        Write("added_tokens.json", """{"<|im_start|>": 512, "<|im_end|>": 513, "<unk>": 0}""");
        Write("tokenizer_config.json", """{"added_tokens_decoder": {"513": {"content": "<|im_end|>", "special": true}}, "eos_token": {"content": "<|im_end|>"}}""");
        Tokenizer tokenizer = TokenizerLoader.Open(_folder);
        Assert.Equal(514, tokenizer.VocabularySize);
        Assert.Equal(512, Assert.Single(tokenizer.Encode("<|im_start|><|im_end|>"), static id => id >= 512));
        Assert.Equal([512, 513], tokenizer.Encode("<|im_start|><|im_end|>", SpecialTokens.All).Where(static id => id >= 512));
        Assert.Equal(513, tokenizer.EosId);
        Write("added_tokens.json", """{"<|im_start|>": 515}""");
        Assert.Contains("without a hole", Assert.Throws<FileFormatException>(() => TokenizerLoader.Open(_folder)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_of_special_tokens_come_from_tokenizer_json()
    {
        Copy("tiny-ranks", "tokenizer.model");
        Write("tokenizer.json", """{"added_tokens": [{"id": 600, "content": "<|begin_of_text|>", "special": true}, {"id": 856, "content": "<|image|>", "special": true}], "rest": "is not read" """);
        Tokenizer tokenizer = TokenizerLoader.Open(_folder);
        Assert.Equal((TokenizerKind.Tiktoken, 857), (tokenizer.Kind, tokenizer.VocabularySize));
        Assert.Equal("<|image|>", tokenizer.Piece(856));
    }

    [Fact]
    public void Roles_come_from_the_files_beside_it()
    {
        Copy("tiny-byte-bpe", "tokenizer.json");
        Assert.Equal((600, 601, 604, false), Roles());
        Write("config.json", """{"bos_token_id": 3, "eos_token_id": 4, "pad_token_id": -1, "text_config": null}""");
        Assert.Equal((3, 4, 604, false), Roles());
        Write("generation_config.json", """{"eos_token_id": [601, 604, 999999], "pad_token_id": 5}""");
        Tokenizer tokenizer = TokenizerLoader.Open(_folder);
        Assert.Equal((601, 5), (tokenizer.EosId, tokenizer.PadId));
        Assert.Equal([4, 601, 604], tokenizer.StopIds);
        Write("special_tokens_map.json", """{"bos_token": "<|begin_of_text|>", "eos_token": {"content": "<|eot_id|>"}, "pad_token": "no such token"}""");
        Assert.Equal((600, 604, 604, false), Roles());
        Write("tokenizer_config.json", """{"eos_token": "<|end_of_text|>", "tokenizer_class": "PreTrainedTokenizerFast"}""");
        Assert.Equal((600, 601, 604, false), Roles());
        Write("tokenizer_config.json", """{"add_bos_token": true}""");
        Assert.Equal((600, 604, 604, true), Roles());
        Write("tokenizer_config.json", """{"tokenizer_class": "LlamaTokenizerFast"}""");
        Assert.Equal((600, 604, 604, true), Roles());
        Write("tokenizer_config.json", """{"tokenizer_class": "LlamaTokenizer", "add_bos_token": false}""");
        Assert.Equal((600, 604, 604, false), Roles());
    }

    [Theory]
    [InlineData("config.json", "{", "JSON")]
    [InlineData("generation_config.json", "[]", "generation_config.json: expected an object, got Array")]
    [InlineData("tokenizer_config.json", "{\"add_bos_token\": 3}", "tokenizer_config.json.add_bos_token: expected true or false, got Number")]
    [InlineData("special_tokens_map.json", "{\"bos_token\": \"\\ud800\"}", "expected whole characters, got half a surrogate pair")]
    public void Malformed_files_beside_it_are_refused(string file, string content, string message)
    {
        Copy("tiny-byte-bpe", "tokenizer.json");
        Write(file, content);
        Assert.Contains(message, Assert.Throws<FileFormatException>(() => TokenizerLoader.Open(_folder)).Message, StringComparison.Ordinal);
    }

    private (int? Bos, int? Eos, int? Eot, bool AddBos) Roles()
    {
        TokenRoles roles = TokenizerLoader.Open(_folder).Roles;
        return (roles.Bos, roles.Eos, roles.Eot, roles.AddBos);
    }

    private void Copy(string fixture, string file) => File.Copy(TestFiles.Fixture("tokenizers", fixture, file), Path.Combine(_folder, file));

    private void Write(string file, string content) => File.WriteAllText(Path.Combine(_folder, file), content);
}
