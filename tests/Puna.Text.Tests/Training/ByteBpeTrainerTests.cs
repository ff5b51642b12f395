using System.Diagnostics;
using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Text.Chat;
using Puna.Text.Tiktoken;
using Puna.Text.Training;

namespace Puna.Text.Tests.Training;

/// <summary>What comes out of training is a tokenizer that can be written, read and used, whatever the text.</summary>
public sealed class ByteBpeTrainerTests : IDisposable
{
    private const string Special = "<|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>";
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-bpe-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>
    /// A small vocabulary with the first 16 of Llama 3's special tokens: as ranks and tokenizer.json together, as either alone, and inside a GGUF file it gives the same ids, has the same
    /// roles, begins with BOS, and has the chat format of Llama 3.
    /// </summary>
    [Fact]
    public void A_small_Llama_3_vocabulary_is_read_in_every_form()
    {
        TrainedTokenizer trained = Trainers.Bytes(TrainingTexts.Next(new Random(1), 3000, astral: true), Small(600));
        Dictionary<string, byte[]> files = trained.Files(Llama3ChatFormat.Template);
        Assert.Equal(["tokenizer.json", "tokenizer.model", "tokenizer_config.json"], files.Keys.Order(StringComparer.Ordinal));
        Same(trained.Tokenizer, Open(files), 616);
        Same(trained.Tokenizer, TokenizerLoader.Read(files["tokenizer.json"], "tokenizer.json"), 616);

        // Ranks alone do not say how many special tokens there are: Llama 3's 256 follow, the 16 among them at the same ids.
        Same(trained.Tokenizer, TokenizerLoader.Read(files["tokenizer.model"], "tokenizer.model"), 856);
        foreach (Tokenizer tokenizer in (Tokenizer[])[trained.Tokenizer, Open(files)])
        {
            var metadata = new GgufMetadata();
            TokenizerWriter.WriteGguf(tokenizer, metadata);
            Same(trained.Tokenizer, GgufTokenizer.Create(metadata, "model.gguf")!, 616);
        }

        string? template = ChatTemplateFile.Find(_folder);
        Assert.Equal(Llama3ChatFormat.Template, template);
        Assert.Same(Llama3ChatFormat.Llama31, ChatFormats.Detect(template, trained.Tokenizer).Format);
    }

    [Fact]
    public void Special_tokens_are_found_only_where_they_may_be()
    {
        Tokenizer tokenizer = Trainers.Bytes("user hi " + Special, Small(280)).Tokenizer;
        Assert.All(tokenizer.Encode(Special), static id => Assert.True(id < 280));
        Assert.Equal([286, 287, 289], tokenizer.Encode(Special, SpecialTokens.All).Where(static id => id >= 280));
    }

    /// <summary>Without special tokens nothing is put in front; with a pattern that no file of ranks stands for there is none.</summary>
    [Fact]
    public void Other_patterns_are_written_as_json_only()
    {
        var options = new ByteBpeTrainerOptions { VocabularySize = 300, Pattern = @"\w+|\W", SpecialTokens = [] };
        TrainedTokenizer trained = Trainers.Bytes("some words, some marks; some words", options);
        Dictionary<string, byte[]> files = trained.Files();
        Assert.Equal(["tokenizer.json", "tokenizer_config.json"], files.Keys.Order(StringComparer.Ordinal));
        Tokenizer read = Open(files);
        Assert.False(read.AddBos);
        Assert.Equal(trained.Tokenizer.Encode("some new words"), read.Encode("some new words"));
        Assert.Equal(trained.Tokenizer.EncodePrompt("some new words"), read.EncodePrompt("some new words"));
    }

    /// <summary>AC-13 of the specification: 100,000 random byte strings, as far as they are text.</summary>
    [Fact]
    public void Any_text_comes_back() =>
        RoundTrips.Check(Trainers.Bytes(TrainingTexts.Next(new Random(2), 2000, astral: true), Small(500)).Tokenizer, 100_000, static text => text);

    [Fact]
    public void Threads_do_not_change_the_result()
    {
        string text = TrainingTexts.Next(new Random(3), 150_000, astral: true);
        Dictionary<string, byte[]> one = Trainers.Bytes(text, Small(2000), threads: 1).Files(), four = Trainers.Bytes(text, Small(2000), threads: 4).Files();
        Assert.Equal(one["tokenizer.model"], four["tokenizer.model"]);
        Assert.Equal(one["tokenizer.json"], four["tokenizer.json"]);
    }

    [Fact]
    public void Without_text_there_is_no_tokenizer() =>
        Assert.Equal("text for a tokenizer: expected some characters, got none", Assert.Throws<PunaException>(() => Trainers.Bytes("")).Message);

    [Fact]
    public void Tiny_texts_give_tiny_vocabularies()
    {
        Assert.Equal(256, Trainers.Bytes("a", Small(1000)).Report.Alphabet);
        Assert.Equal([], Trainers.Vocabulary(Trainers.Bytes("a", Bare(1000)))[256..]);
        Assert.Equal(["aa", "aaa"], Trainers.Vocabulary(Trainers.Bytes("aaa", Bare(1000)))[256..]);
        Assert.Equal([], Trainers.Vocabulary(Trainers.Bytes("aaa", Bare(256)))[256..]);
        Assert.Equal(["aa"], Trainers.Vocabulary(Trainers.Bytes("aaa", Bare(1000) with { MaxTokenBytes = 2 }))[256..]);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        foreach (ByteBpeTrainerOptions options in (ByteBpeTrainerOptions[])
            [
                Bare(255), Bare(300) with { MaxTokenBytes = 1 }, Bare(300) with { MaxTokenBytes = -1 }, Bare(300) with { Pattern = "(" }, Bare(300) with { SpecialTokens = [""] },
                Bare(300) with { SpecialTokens = ["<x>", "<x>"] }, Bare(300) with { SpecialTokens = ["ex"] },
            ])
        {
            Assert.DoesNotContain('\n', Assert.Throws<PunaException>(() => Trainers.Bytes("text text", options)).Message);
        }
    }

    /// <summary>As for SentencePiece: the time is proportional, the limit generous.</summary>
    [Theory]
    [InlineData("a")]
    [InlineData("abcdefghijklm")]
    public void A_run_of_10_MB_does_not_take_long(string part)
    {
        var clock = Stopwatch.StartNew();
        string run = string.Concat(Enumerable.Repeat(part, 10_000_000 / System.Text.Encoding.UTF8.GetByteCount(part)));
        Assert.InRange(Trainers.Bytes(run, Bare(1000)).Report.Merges, 1, 744);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{clock.Elapsed}");
    }

    [Fact]
    public void The_report_counts_the_tokens_that_encoding_gives()
    {
        string text = TrainingTexts.Next(new Random(5), 3000, astral: true);
        TrainedTokenizer trained = Trainers.Bytes(text, Bare(700));
        Assert.Equal(trained.Tokenizer.Encode(text).Length, trained.Report.Tokens);
    }

    private static ByteBpeTrainerOptions Small(int size) => Bare(size) with { SpecialTokens = [.. TiktokenSpecials.Names(TiktokenFamily.Llama3).Take(16)] };

    private static ByteBpeTrainerOptions Bare(int size) => new() { VocabularySize = size, SpecialTokens = [] };

    /// <summary>Opens the files as a folder.</summary>
    private Tokenizer Open(Dictionary<string, byte[]> files)
    {
        foreach ((string name, byte[] bytes) in files)
        {
            File.WriteAllBytes(Path.Combine(_folder, name), bytes);
        }

        return TokenizerLoader.Open(_folder);
    }

    private static void Same(Tokenizer expected, Tokenizer got, int size)
    {
        Assert.Equal(size, got.VocabularySize);
        Assert.Equal((600, 601, 609, 608), (got.BosId, got.EosId, got.EotId, got.EomId));
        Assert.Equal([601, 608, 609], got.StopIds);
        Assert.True(got.AddBos);
        for (int id = 600; id < 616; id++)
        {
            Assert.Equal(expected.Piece(id), got.Piece(id));
            Assert.True(got.IsSpecial(id));
        }

        Assert.Equal(expected.EncodePrompt(Special, SpecialTokens.All), got.EncodePrompt(Special, SpecialTokens.All));
        for (int seed = 0; seed < 100; seed++)
        {
            string text = TextArbitrary.Next(new Random(seed)) + TrainingTexts.Next(new Random(seed), 4, astral: true);
            Assert.Equal(expected.Encode(text), got.Encode(text));
            Assert.Equal(text, got.Decode(got.Encode(text)));
        }
    }
}
