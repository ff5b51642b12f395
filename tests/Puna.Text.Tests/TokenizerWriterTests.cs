using System.Text;
using System.Text.Json.Nodes;
using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Tests.Shared;
using Puna.Text.Conversion;
using Puna.Text.HuggingFace;
using Puna.Text.SentencePieces;
using Puna.Text.Tiktoken;

namespace Puna.Text.Tests;

/// <summary>A tokenizer written in another form and read again gives the same ids.</summary>
public sealed class TokenizerWriterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-text-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("tiny-spm", TokenizerKind.SentencePiece)]
    [InlineData("tiny-spm-json", TokenizerKind.SentencePiece)]
    [InlineData("tiny-ranks", TokenizerKind.ByteLevel)]
    [InlineData("tiny-byte-bpe", TokenizerKind.ByteLevel)]
    public void Gguf_keys_keep_the_ids(string fixture, TokenizerKind kind)
    {
        Tokenizer tokenizer = Fixture(fixture), again = ThroughGguf(tokenizer);
        Assert.Equal(kind, again.Kind);
        Same(tokenizer, again);
        Assert.Equal(tokenizer.Roles with { Stop = [] }, again.Roles with { Stop = [] });
    }

    [Theory]
    [InlineData("tiny-spm", TokenizerKind.MergedPieces)]
    [InlineData("tiny-spm-json", TokenizerKind.MergedPieces)]
    [InlineData("tiny-ranks", TokenizerKind.ByteLevel)]
    [InlineData("tiny-byte-bpe", TokenizerKind.ByteLevel)]
    public void Json_keeps_the_ids(string fixture, TokenizerKind kind)
    {
        Tokenizer tokenizer = Fixture(fixture), again = ThroughJson(tokenizer);
        Assert.Equal(kind, again.Kind);
        Same(tokenizer, again);
        Assert.Equal((tokenizer.BosId, tokenizer.EosId, tokenizer.UnkId, tokenizer.AddBos), (again.BosId, again.EosId, again.UnkId, again.AddBos));
    }

    [Theory]
    [InlineData("tiny-spm", TokenizerKind.SentencePiece)]
    [InlineData("tiny-spm-json", TokenizerKind.SentencePiece)]
    [InlineData("tiny-ranks", TokenizerKind.Tiktoken)]
    public void Model_files_keep_the_ids(string fixture, TokenizerKind kind)
    {
        Tokenizer tokenizer = Fixture(fixture);
        Assert.True(TokenizerWriter.CanWriteModel(tokenizer));
        TokenizerWriter.WriteModel(tokenizer, Path.Combine(_folder, "tokenizer.model"));
        Tokenizer again = TokenizerLoader.Open(_folder);
        Assert.Equal(kind, again.Kind);
        Same(tokenizer, again);
    }

    /// <summary>From Meta's form to GGUF and to JSON, and from each of these back to the same bytes.</summary>
    [Fact]
    public void Ranks_come_back_from_gguf_and_json()
    {
        Tokenizer tokenizer = Fixture("tiny-ranks");
        byte[] original = File.ReadAllBytes(TestFiles.Fixture("tokenizers", "tiny-ranks", "tokenizer.model"));
        foreach (Tokenizer other in (Tokenizer[])[ThroughGguf(tokenizer), ThroughJson(tokenizer), ThroughJson(ThroughGguf(tokenizer)), ThroughGguf(ThroughJson(tokenizer))])
        {
            Assert.True(TokenizerWriter.CanWriteModel(other));
            string path = Path.Combine(_folder, "tokenizer.model");
            TokenizerWriter.WriteModel(other, path);
            Assert.Equal(original, File.ReadAllBytes(path));
        }
    }

    [Fact]
    public void A_list_of_merges_that_does_not_follow_from_ranks_is_kept_as_json()
    {
        Tokenizer tokenizer = Fixture("tiny-byte-bpe");
        Assert.False(TokenizerWriter.CanWriteModel(tokenizer));
        Assert.Throws<PunaException>(() => TokenizerWriter.WriteModel(tokenizer, Path.Combine(_folder, "tokenizer.model")));
        Assert.Empty(Directory.GetFiles(_folder));
        TokenizerWriter.WriteMetaFolder(ThroughGguf(tokenizer), _folder);
        Assert.Equal(["tokenizer.json"], Directory.GetFiles(_folder).Select(Path.GetFileName));
        Same(tokenizer, TokenizerLoader.Open(_folder));
    }

    /// <summary>
    /// The committed tokenizer.json was made from the committed model by the published converter: ours derives the same merges, and their results in the same order. (Which of
    /// several ways to the same piece comes first has changed between its versions.)
    /// </summary>
    [Fact]
    public void Merges_from_scores_are_those_of_the_published_converter()
    {
        JsonNode expected = JsonNode.Parse(File.ReadAllText(TestFiles.Fixture("tokenizers", "tiny-spm-json", "tokenizer.json")))!;
        JsonNode written = JsonNode.Parse(TokenizerJsonWriter.Write(Fixture("tiny-spm")))!;
        string[] theirs = Merges(expected), ours = Merges(written);
        Assert.Equal(theirs.Order(), ours.Order());
        Assert.Equal(theirs.Select(static m => m.Replace(" ", "")).Distinct(), ours.Select(static m => m.Replace(" ", "")).Distinct());
        Assert.Equal(expected["model"]!["vocab"]!.ToJsonString(), written["model"]!["vocab"]!.ToJsonString());
        Assert.Equal(expected["normalizer"]!.ToJsonString(), written["normalizer"]!.ToJsonString());
        Assert.Equal(expected["decoder"]!.ToJsonString(), written["decoder"]!.ToJsonString());
        Assert.Equal(expected["added_tokens"]!.ToJsonString(), written["added_tokens"]!.ToJsonString());
    }

    /// <summary>280,147 is the number of merges in the published tokenizer.json of Llama 3.</summary>
    [Theory]
    [InlineData("llama3", 280_147)]
    [InlineData("llama4", 0)]
    public void Published_ranks_keep_their_ids_through_gguf_and_back(string name, int merges)
    {
        string path = TestFiles.Asset(name, "tokenizer.model");
        Tokenizer tokenizer = TokenizerLoader.Open(path);
        var metadata = new GgufMetadata();
        TokenizerWriter.WriteGguf(tokenizer, metadata);
        if (merges > 0)
        {
            Assert.Equal(merges, metadata.GetStrings("tokenizer.ggml.merges")!.Length);
        }

        var again = (ByteLevelTokenizer)GgufTokenizer.Create(metadata)!;
        GoldenLine.All(GoldenLine.Read(TestFiles.Golden("tokenizers", name + ".jsonl")), line =>
            GoldenLine.Differ(line.Ids, again.Encode(line.Text))
            ?? GoldenLine.Differ(line.IdsSpecialAllowed ?? line.Ids, again.Encode(line.Text, SpecialTokens.All))
            ?? GoldenLine.Differ(line.Text, again.Decode(line.IdsSpecialAllowed ?? line.Ids)));
        Assert.Equal(tokenizer.Roles with { Stop = [] }, again.Roles with { Stop = [] });
        Assert.Equal(tokenizer.StopIds, again.StopIds);
        string copy = Path.Combine(_folder, "tokenizer.model");
        TokenizerWriter.WriteModel(again, copy);
        Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(copy));
    }

    [Fact]
    public void Llama_2_keeps_its_ids_through_json_and_gguf()
    {
        Tokenizer tokenizer = TokenizerLoader.Open(TestFiles.Asset("llama2", "tokenizer.model"));
        Tokenizer json = ThroughJson(tokenizer), gguf = ThroughGguf(tokenizer), both = ThroughGguf(json);
        GoldenLine.All(GoldenLine.Read(TestFiles.Golden("tokenizers", "llama2.jsonl")), line =>
            GoldenLine.Differ(line.Ids, json.Encode(line.Text))
            ?? GoldenLine.Differ(line.Ids, gguf.Encode(line.Text))
            ?? GoldenLine.Differ(line.Ids, both.Encode(line.Text))
            ?? GoldenLine.Differ(line.Decoded!, gguf.Decode(line.Ids))
            ?? GoldenLine.Differ(line.Decoded!, json.Decode(line.Ids)));
    }

    [Fact]
    public void Rows_without_a_token_are_padded()
    {
        var metadata = new GgufMetadata();
        Tokenizer tokenizer = Fixture("tiny-spm");
        TokenizerWriter.WriteGguf(tokenizer, metadata, rows: 520);
        Assert.Equal(520, metadata.GetStrings("tokenizer.ggml.tokens")!.Length);
        Assert.Equal(520, metadata.GetFloats("tokenizer.ggml.scores")!.Length);
        Assert.Equal("[PAD519]", metadata.GetStrings("tokenizer.ggml.tokens")![519]);
        Assert.Equal(5, metadata.GetIntegers("tokenizer.ggml.token_type")![519]);
        Tokenizer again = GgufTokenizer.Create(metadata)!;
        Assert.Equal(520, again.VocabularySize);
        Assert.Equal(tokenizer.Encode("salt [PAD519]"), again.Encode("salt [PAD519]"));
    }

    [Fact]
    public void Infilling_and_turn_roles_reach_gguf()
    {
        SentencePieceModel model = SentencePieces.ModelBuilder.Model(false, "▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>");
        var metadata = new GgufMetadata();
        TokenizerWriter.WriteGguf(SentencePieces.ModelBuilder.Tokenizer(model), metadata);
        Assert.Equal((3, 4, 5), (metadata.GetInteger("tokenizer.ggml.prefix_token_id"), metadata.GetInteger("tokenizer.ggml.suffix_token_id"), metadata.GetInteger("tokenizer.ggml.middle_token_id")));
    }

    [Fact]
    public void A_Hugging_Face_folder_opens_with_its_roles()
    {
        foreach (string fixture in (string[])["tiny-spm", "tiny-ranks", "tiny-byte-bpe", "tiny-spm-json"])
        {
            string folder = Directory.CreateDirectory(Path.Combine(_folder, fixture)).FullName;
            Tokenizer tokenizer = Fixture(fixture);
            TokenizerWriter.WriteHuggingFaceFolder(tokenizer, folder, chatTemplate: "{{ bos_token }}");
            Assert.DoesNotContain(Directory.GetFiles(folder), static f => f.EndsWith(".tmp", StringComparison.Ordinal));
            Tokenizer again = TokenizerLoader.Open(folder);
            Same(tokenizer, again);
            Assert.Equal((tokenizer.BosId, tokenizer.EosId, tokenizer.UnkId, tokenizer.PadId, tokenizer.AddBos, tokenizer.AddEos), (again.BosId, again.EosId, again.UnkId, again.PadId, again.AddBos, again.AddEos));
            Assert.Equal("{{ bos_token }}", (string)JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "tokenizer_config.json")))!["chat_template"]!);
        }
    }

    [Fact]
    public void What_a_form_cannot_say_is_refused()
    {
        SentencePieceModel trimming = SentencePieces.ModelBuilder.Model(false, "a");
        trimming.RemoveExtraWhitespaces = true;
        Assert.Contains("no other change of the text", Assert.Throws<PunaException>(() => TokenizerWriter.WriteJson(SentencePieces.ModelBuilder.Tokenizer(trimming), Path.Combine(_folder, "t.json"))).Message, StringComparison.Ordinal);

        JsonNode json = JsonNode.Parse(File.ReadAllText(TestFiles.Fixture("tokenizers", "tiny-byte-bpe", "tokenizer.json")))!;
        json["pre_tokenizer"]!["pretokenizers"]![0]!["pattern"]!["Regex"] = "[a-z]+";
        Tokenizer odd = TokenizerJsonReader.Read(Encoding.UTF8.GetBytes(json.ToJsonString()), "odd");
        Assert.Contains("a split that GGUF has a name for", Assert.Throws<PunaException>(() => TokenizerWriter.WriteGguf(odd, new GgufMetadata())).Message, StringComparison.Ordinal);
    }

    private static void Same(Tokenizer tokenizer, Tokenizer again)
    {
        string[] lines = [.. GoldenLine.Read(TestFiles.Fixture("tokenizers", "tiny-spm", "golden.jsonl")).Select(static l => l.Text), "a" + new string(' ', 30_000) + "b"];
        foreach (string text in lines)
        {
            Assert.Equal(tokenizer.Encode(text), again.Encode(text));
            Assert.Equal(tokenizer.Encode(text, SpecialTokens.All), again.Encode(text, SpecialTokens.All));
            Assert.Equal(tokenizer.Decode(tokenizer.Encode(text)), again.Decode(tokenizer.Encode(text)));
        }

        for (int id = 0; id < tokenizer.VocabularySize; id++)
        {
            Assert.Equal(tokenizer.IsSpecial(id), again.IsSpecial(id));
        }
    }

    private static string[] Merges(JsonNode json) => [.. json["model"]!["merges"]!.AsArray().Select(static m => $"{m![0]} {m[1]}")];

    private static Tokenizer Fixture(string name) => TokenizerLoader.Open(TestFiles.Fixture("tokenizers", name));

    private static Tokenizer ThroughGguf(Tokenizer tokenizer)
    {
        var metadata = new GgufMetadata();
        TokenizerWriter.WriteGguf(tokenizer, metadata);
        return GgufTokenizer.Create(metadata)!;
    }

    private static Tokenizer ThroughJson(Tokenizer tokenizer) => TokenizerJsonReader.Read(TokenizerJsonWriter.Write(tokenizer), "written");
}
