using System.Diagnostics;
using Puna.Tensors;
using Puna.Text.Training;

namespace Puna.Text.Tests.Training;

/// <summary>What comes out of training is a tokenizer that can be written, read and used, whatever the text.</summary>
public sealed class SentencePieceTrainerTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-spm-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Written_files_give_the_same_ids(bool byteFallback, bool userDefined)
    {
        string text = TrainingTexts.Next(new Random(1), 3000, astral: true);
        TrainedTokenizer trained = Trainers.Pieces(text, new SentencePieceTrainerOptions { VocabularySize = 700, ByteFallback = byteFallback, ControlSymbols = ["<sep>"], UserDefinedSymbols = userDefined ? ["[x]"] : [] });
        Dictionary<string, byte[]> files = trained.Files();
        string[] names = userDefined ? ["tokenizer.model"] : ["tokenizer.json", "tokenizer.model"];
        Assert.Equal([.. names, "tokenizer_config.json"], files.Keys.Order(StringComparer.Ordinal));
        foreach (string name in names)
        {
            Tokenizer read = TokenizerLoader.Read(files[name], name);
            Assert.Equal(trained.Tokenizer.VocabularySize, read.VocabularySize);
            Assert.Equal((1, 2, 0), (read.BosId, read.EosId, read.UnkId));
            Assert.Equal(3, read.IdOf("<sep>"));
            for (int seed = 0; seed < 200; seed++)
            {
                string x = TextArbitrary.Next(new Random(seed)).Replace("▁", "", StringComparison.Ordinal).Replace("<sep>", "", StringComparison.Ordinal) + "a[x]b";
                Assert.Equal(trained.Tokenizer.Encode(x), read.Encode(x));
            }
        }
    }

    /// <summary>AC-13 of the specification: 100,000 random byte strings, as far as they are text. ▁ is a space by design.</summary>
    [Fact]
    public void Any_text_comes_back()
    {
        Tokenizer tokenizer = Trainers.Pieces(TrainingTexts.Next(new Random(2), 2000, astral: true), new SentencePieceTrainerOptions { VocabularySize = 600 }).Tokenizer;
        RoundTrips.Check(tokenizer, 100_000, static text => text.Replace('▁', ' '));
    }

    [Fact]
    public void Threads_do_not_change_the_result()
    {
        string text = TrainingTexts.Next(new Random(3), 150_000, astral: true);
        var options = new SentencePieceTrainerOptions { VocabularySize = 2000 };
        Dictionary<string, byte[]> one = Trainers.Pieces(text, options, threads: 1).Files(), four = Trainers.Pieces(text, options, threads: 4).Files();
        Assert.Equal(one["tokenizer.model"], four["tokenizer.model"]);
        Assert.Equal(one["tokenizer.json"], four["tokenizer.json"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n\n")]
    public void Without_text_there_is_no_tokenizer(string text) =>
        Assert.Equal("text for a tokenizer: expected some characters, got none", Assert.Throws<PunaException>(() => Trainers.Pieces(text)).Message);

    [Theory]
    [InlineData("a", new[] { "▁a", "a", "▁" })]
    [InlineData(" ", new[] { "▁▁", "▁" })]
    [InlineData("<s>", new[] { "▁" })]
    [InlineData("\t", new[] { "▁" })]
    [InlineData("a<s>a</s><unk><0x41>a", new[] { "▁a", "a", "▁" })]
    [InlineData("11", new[] { "1", "▁" })]
    public void Tiny_texts_give_tiny_vocabularies(string text, string[] expected) => Assert.Equal(expected, Trainers.Vocabulary(Trainers.Pieces(text))[259..]);

    [Fact]
    public void A_size_too_small_for_the_alphabet_is_refused()
    {
        string message = Assert.Throws<PunaException>(() => Trainers.Pieces("abc", new SentencePieceTrainerOptions { VocabularySize = 262 })).Message;
        Assert.StartsWith("tokenizer size: expected at least 263 (259 meta pieces and 4 characters), got 262", message, StringComparison.Ordinal);
        Assert.Equal(["a", "b", "c", "▁"], Trainers.Vocabulary(Trainers.Pieces("abc", new SentencePieceTrainerOptions { VocabularySize = 263 }))[259..]);
    }

    [Fact]
    public void Options_out_of_range_are_refused()
    {
        foreach (SentencePieceTrainerOptions options in (SentencePieceTrainerOptions[])
            [
                new() { Coverage = 0 }, new() { Coverage = 1.5 }, new() { Coverage = double.NaN }, new() { MaxPieceLength = 0 }, new() { MaxPieceLength = 513 }, new() { MaxLineBytes = -1 },
                new() { ControlSymbols = ["a b"] }, new() { ControlSymbols = [""] }, new() { UserDefinedSymbols = ["<s>"] }, new() { UserDefinedSymbols = ["x", "x"] },
                new() { ControlSymbols = ["<0x41>"] }, new() { UserDefinedSymbols = ["\ud800"] },
            ])
        {
            string message = Assert.Throws<PunaException>(() => Trainers.Pieces("text", options)).Message;
            Assert.StartsWith("tokenizer ", message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }

    /// <summary>Work is proportional to what is merged: twice the line takes about twice the time. A quadratic trainer would need hours for this one; the limit is generous for slow machines.</summary>
    [Theory]
    [InlineData("a")]
    [InlineData("漢字かな")]
    public void A_line_of_10_MB_without_spaces_does_not_take_long(string part)
    {
        var clock = Stopwatch.StartNew();
        string line = string.Concat(Enumerable.Repeat(part, 10_000_000 / System.Text.Encoding.UTF8.GetByteCount(part)));
        TrainedTokenizer trained = Trainers.Pieces(line, new SentencePieceTrainerOptions { VocabularySize = 1000 });
        Assert.InRange(trained.Report.Merges, 1, 700);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(60), $"{clock.Elapsed}");
    }

    [Fact]
    public void The_report_counts_the_tokens_that_encoding_gives()
    {
        string text = TrainingTexts.Next(new Random(5), 3000, astral: true).Replace('\t', ' ').Replace("<", "", StringComparison.Ordinal).Replace("\0", "", StringComparison.Ordinal);
        TrainedTokenizer trained = Trainers.Pieces(text, new SentencePieceTrainerOptions { VocabularySize = 900, Coverage = 0.99 });
        Assert.Equal(text.Split('\n').Where(static l => l.Length > 0).Sum(line => trained.Tokenizer.Encode(line).Length), trained.Report.Tokens);
    }
}
