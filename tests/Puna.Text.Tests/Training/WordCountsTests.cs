using System.Text;
using Puna.Tensors;
using Puna.Text.Splitting;
using Puna.Text.Training;

namespace Puna.Text.Tests.Training;

/// <summary>Words are counted in blocks and on threads as if the text was looked at whole.</summary>
public sealed class WordCountsTests
{
    /// <summary>Several blocks of a megabyte, compared with one scan over the whole text.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public void Cuts_and_threads_change_no_byte_level_word(int threads)
    {
        foreach (PieceScanner scanner in (PieceScanner[])[Llama3Scanner.Instance, Llama4Scanner.Instance, Gpt2Scanner.Instance])
        {
            byte[] text = Encoding.UTF8.GetBytes(TrainingTexts.Next(new Random(3), 400_000, astral: true));
            Assert.True(text.Length > 2 * TextBlocks.Usual);
            var expected = new SortedDictionary<string, long>(StringComparer.Ordinal);
            for (int at = 0; at < text.Length;)
            {
                int next = scanner.Next(text, at);
                string word = Encoding.UTF8.GetString(text[at..next]);
                expected[word] = expected.GetValueOrDefault(word) + 1;
                at = next;
            }

            Assert.Equal(expected, Count(new ByteWords(new TextSplitter([new SplitStep.ByScanner(scanner)])), threads, text));
        }
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(3, true)]
    [InlineData(3, false)]
    public void Cuts_and_threads_change_no_SentencePiece_word(int threads, bool lines)
    {
        // Without line breaks all is one line, cut before spaces.
        string text = TrainingTexts.Next(new Random(4), 400_000, astral: true);
        text = lines ? text : text.Replace('\n', ' ');
        var expected = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n').Where(static l => l.Length > 0))
        {
            foreach (string word in System.Text.RegularExpressions.Regex.Matches("▁" + line.Replace(' ', '▁'), "▁+[^▁]*").Select(static m => m.Value))
            {
                expected[word] = expected.GetValueOrDefault(word) + 1;
            }
        }

        var got = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach ((string word, long count) in Count(new SentencePieceWords(runs: true), threads, Encoding.UTF8.GetBytes(text)))
        {
            string marked = word.Replace(' ', '▁');
            got[marked] = got.GetValueOrDefault(marked) + count;
        }

        Assert.Equal(expected, got);
    }

    /// <summary>Texts are cut apart from each other: a word never goes from one into the next, and each starts a line.</summary>
    [Fact]
    public void Texts_do_not_run_together()
    {
        byte[][] texts = [.. ((string[])["ab", "", "cd", "\n", "  e"]).Select(Encoding.UTF8.GetBytes)];
        Assert.Equal(new Dictionary<string, long> { ["ab"] = 1, ["cd"] = 1, ["\n"] = 1, [" "] = 1, [" e"] = 1 }, Count(new ByteWords(Llama3), 2, texts).ToDictionary());
        Assert.Equal(new Dictionary<string, long> { [" ab"] = 1, [" cd"] = 1, ["   e"] = 1 }, Count(new SentencePieceWords(runs: true), 2, texts).ToDictionary());
    }

    [Fact]
    public void Long_lines_are_left_out_where_that_is_asked_for()
    {
        string text = "abc def\nabcdefg\n" + string.Concat(Enumerable.Repeat("word ", 600_000)) + "tail\nend";
        Assert.Equal(new Dictionary<string, long> { [" abcdefg"] = 1, [" abc"] = 1, [" def"] = 1, [" end"] = 1 }, Count(new SentencePieceWords(runs: true, maxLine: 7), 2, Encoding.UTF8.GetBytes(text)).ToDictionary());
        Assert.Equal(new Dictionary<string, long> { [" end"] = 1 }, Count(new SentencePieceWords(runs: true, maxLine: 6), 2, Encoding.UTF8.GetBytes(text)).ToDictionary());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(3_000_000)]
    public void Bytes_that_are_not_UTF8_are_named_with_their_place(int before)
    {
        byte[] text = new byte[before + 3];
        text.AsSpan().Fill((byte)'a');
        text[before] = 0xFF;
        PunaException error = Assert.Throws<PunaException>(() => Count(new ByteWords(Llama3), 2, text));
        Assert.Equal($"text text 1: expected UTF-8, got byte 0xFF (at byte {before})", error.Message);
    }

    [Fact]
    public void A_character_that_is_cut_off_at_the_end_is_not_UTF8() =>
        Assert.Contains("expected UTF-8, got byte 0xE4 (at byte 1)", Assert.Throws<PunaException>(() => Count(new ByteWords(Llama3), 1, [0x61, 0xE4, 0xB8])).Message, StringComparison.Ordinal);

    [Fact]
    public void Counting_can_be_stopped()
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => WordCounts.Count(new MemoryTexts("some text"), new ByteWords(Llama3), 1, null, stop.Token));
    }

    private static TextSplitter Llama3 => new([new SplitStep.ByScanner(Llama3Scanner.Instance)]);

    private static SortedDictionary<string, long> Count(WordSplitter splitter, int threads, params byte[][] texts)
    {
        WordCounts counts = WordCounts.Count(new MemoryTexts(texts.Select(static t => (ReadOnlyMemory<byte>)t)), splitter, threads, null, TestContext.Current.CancellationToken);
        Assert.Equal(texts.Length, counts.Texts);
        Assert.Equal(texts.Sum(static t => t.Length), counts.Bytes);
        var words = new SortedDictionary<string, long>(StringComparer.Ordinal);
        for (int i = 0; i < counts.Words.Count; i++)
        {
            words.Add(Encoding.UTF8.GetString(counts.Words[i]), counts.Words.CountOf(i));
        }

        return words;
    }
}
