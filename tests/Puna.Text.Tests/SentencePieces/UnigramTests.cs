using Puna.Tests.Shared;
using Puna.Text.SentencePieces;

namespace Puna.Text.Tests.SentencePieces;

/// <summary>The unigram model of SentencePiece: Prompt Guard's tokenizer (spec llama1-3.md 5.5).</summary>
public sealed class UnigramTests
{
    private static SentencePieceTokenizer Golden { get; } = Open(TestFiles.Fixture("goldens", "prompt-guard", "spm.model"));

    [Fact]
    public void Golden_lines_encode_as_SentencePiece_does()
    {
        SentencePieceTokenizer tokenizer = Open(TestFiles.Golden("prompt-guard", "spm.model"));
        GoldenLine.All(GoldenLine.Read(TestFiles.Golden("prompt-guard", "tokenizer.jsonl")), line => GoldenLine.Differ(line.Ids, tokenizer.Encode(line.Text)));
    }

    [Fact]
    public void Committed_lines_encode_as_SentencePiece_does() =>
        GoldenLine.All(GoldenLine.Read(TestFiles.Fixture("goldens", "prompt-guard", "tokenizer.jsonl")), static line => GoldenLine.Differ(line.Ids, Golden.Encode(line.Text)));

    [Fact]
    public void A_folder_gives_the_tokens_around_a_text()
    {
        Tokenizer tokenizer = TokenizerLoader.Open(TestFiles.Fixture("goldens", "prompt-guard"));
        Assert.Equal((TokenizerKind.Unigram, 600), (tokenizer.Kind, tokenizer.VocabularySize));
        Assert.Equal((1, 2, 0, 3, true, true), (tokenizer.BosId, tokenizer.EosId, tokenizer.PadId, tokenizer.UnkId, tokenizer.AddBos, tokenizer.AddEos));
        Assert.Equal([1, 72, 2], tokenizer.EncodePrompt("a"));
        Assert.Equal([1, 2], tokenizer.EncodePrompt(" \n"));
        Assert.Equal("Hello, world!", tokenizer.Decode(tokenizer.EncodePrompt("Hello, world!")));
    }

    /// <summary>Against the definition: of all ways to cut a text, the one of the greatest sum.</summary>
    [Fact]
    public void The_pieces_are_those_of_the_greatest_sum()
    {
        var random = new Random(5);
        for (int round = 0; round < 300; round++)
        {
            var pieces = new Dictionary<string, double>();
            for (int i = 0; i < 12; i++)
            {
                // Multiples of 1/8: sums are exact in float32, so ties are ties.
                pieces[Word(random, random.Next(1, 4))] = -random.Next(1, 40) / 8.0;
            }

            var model = new SentencePieceModel { AddDummyPrefix = false, RemoveExtraWhitespaces = false };
            model.Add("<unk>"u8.ToArray(), 0, PieceType.Unknown);
            foreach ((string piece, double score) in pieces)
            {
                model.Add(System.Text.Encoding.UTF8.GetBytes(piece), (float)score, PieceType.Normal);
            }

            SentencePieceTokenizer tokenizer = ModelBuilder.Tokenizer(model);
            string text = Word(random, random.Next(0, 9));
            (double best, double second) = (double.NegativeInfinity, double.NegativeInfinity);
            string[] cut = [];
            foreach (string[] one in Cuts(text, pieces))
            {
                double sum = one.Sum(p => pieces.TryGetValue(p, out double score) ? score : pieces.Values.Min() - 10);
                if (sum > best)
                {
                    (best, second, cut) = (sum, best, one);
                }
                else
                {
                    second = Math.Max(second, sum);
                }
            }

            if (best > second)
            {
                var ids = new List<int>();
                foreach (string piece in cut)
                {
                    int id = pieces.ContainsKey(piece) ? tokenizer.IdOf(piece)!.Value : 0;
                    if (id > 0 || ids.Count == 0 || ids[^1] != 0)
                    {
                        ids.Add(id); // a run of unknown characters is one
                    }
                }

                Assert.Equal(ids, tokenizer.Encode(text));
            }
        }
    }

    [Fact]
    public void Of_equal_sums_the_longer_last_piece_stays()
    {
        SentencePieceTokenizer tokenizer = Small(("a", -1), ("b", -1), ("c", -1), ("ab", -2), ("bc", -2));
        Assert.Equal("a bc", ModelBuilder.Pieces(tokenizer, "abc"));
        Assert.Equal("ab", ModelBuilder.Pieces(tokenizer, "ab"));
    }

    [Fact]
    public void User_defined_pieces_cost_next_to_nothing_and_unused_ones_are_never_taken()
    {
        var model = new SentencePieceModel { AddDummyPrefix = false, RemoveExtraWhitespaces = false };
        model.Add("<unk>"u8.ToArray(), 0, PieceType.Unknown);
        model.Add("ab"u8.ToArray(), 0, PieceType.UserDefined);
        model.Add("abab"u8.ToArray(), 0, PieceType.Unused);
        model.Add("a"u8.ToArray(), -3, PieceType.Normal);
        model.Add("ba"u8.ToArray(), -0.5f, PieceType.Normal);
        model.Add("b"u8.ToArray(), -3, PieceType.Normal);
        SentencePieceTokenizer tokenizer = ModelBuilder.Tokenizer(model);
        Assert.Equal("ab ab", ModelBuilder.Pieces(tokenizer, "abab"));
        Assert.Equal("b ab", ModelBuilder.Pieces(tokenizer, "bab")); // costs 3.1, ba b 3.5
    }

    [Fact]
    public void Bytes_stand_in_for_unknown_characters_where_the_model_has_them()
    {
        var model = new SentencePieceModel { ByteFallback = true, AddDummyPrefix = false };
        model.Add("<unk>"u8.ToArray(), 0, PieceType.Unknown);
        for (int i = 0; i < 256; i++)
        {
            model.Add(System.Text.Encoding.ASCII.GetBytes($"<0x{i:X2}>"), 0, PieceType.Byte);
        }

        model.Add("a"u8.ToArray(), -1, PieceType.Normal);
        Assert.Equal([257, 1 + 0xC3, 1 + 0xA9, 257], ModelBuilder.Tokenizer(model).Encode("aéa"));
    }

    [Fact]
    public void Another_form_is_refused_where_it_has_no_words_for_the_model()
    {
        Assert.Throws<Tensors.PunaException>(() => TokenizerWriter.WriteGguf(Golden, new Formats.Gguf.GgufMetadata()));
        Dictionary<string, byte[]> files = TokenizerWriter.HuggingFaceFiles(Golden);
        Assert.DoesNotContain("tokenizer.json", files.Keys);
        Assert.Equal(Golden.Encode("The llama crossed the pass."), TokenizerLoader.Read(files["tokenizer.model"], "again").Encode("The llama crossed the pass."));
    }

    [Fact]
    public void A_long_text_takes_time_in_proportion()
    {
        // 400,000 characters in well under a second; a text without a place to cut it would take hours in quadratic time.
        string text = new('a', 400_000);
        Assert.Equal(text, Small(("a", -1), ("aa", -1.5f)).Decode(Small(("a", -1), ("aa", -1.5f)).Encode(text)));
    }

    private static SentencePieceTokenizer Small(params (string Piece, float Score)[] pieces)
    {
        var model = new SentencePieceModel { AddDummyPrefix = false, RemoveExtraWhitespaces = false };
        model.Add("<unk>"u8.ToArray(), 0, PieceType.Unknown);
        foreach ((string piece, float score) in pieces)
        {
            model.Add(System.Text.Encoding.UTF8.GetBytes(piece), score, PieceType.Normal);
        }

        return ModelBuilder.Tokenizer(model);
    }

    private static string Word(Random random, int length) => string.Concat(Enumerable.Range(0, length).Select(_ => "abcé"[random.Next(4)]));

    private static IEnumerable<string[]> Cuts(string text, Dictionary<string, double> pieces)
    {
        if (text.Length == 0)
        {
            yield return [];
        }

        for (int length = 1; length <= text.Length; length++)
        {
            if (pieces.ContainsKey(text[..length]) || length == 1)
            {
                foreach (string[] rest in Cuts(text[length..], pieces))
                {
                    yield return [text[..length], .. rest];
                }
            }
        }
    }

    private static SentencePieceTokenizer Open(string path) => SentencePieceTokenizer.Read(File.ReadAllBytes(path), path);
}
