using System.Diagnostics;
using System.Text;
using Puna.Tensors;
using Puna.Text.SentencePieces;

namespace Puna.Text.Training;

/// <summary>
/// Trains byte pair encoding in the way of SentencePiece (spec training.md 2.1), as Llama 1 and 2 have it: identity normaliser, a space in front, extra spaces kept. The vocabulary is
/// <c>&lt;unk&gt;</c>, <c>&lt;s&gt;</c>, <c>&lt;/s&gt;</c>, the symbols asked for, the bytes, the merges and at last the characters.
/// </summary>
public static class SentencePieceTrainer
{
    private const int Wall = SymbolText.Wall;

    /// <summary>Trains a vocabulary.</summary>
    /// <param name="texts">The texts; every line of them counts on its own.</param>
    /// <param name="options">Size and rules.</param>
    /// <param name="threads">Threads that count words; 0 for one per core. They do not change the result.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="PunaException">An option is out of range, there is no text, it is not UTF-8, or the size is too small for its characters.</exception>
    public static TrainedTokenizer Train(
        ITextSource texts, SentencePieceTrainerOptions? options = null, int threads = 0, TrainingProgress? progress = null, CancellationToken stop = default)
    {
        options ??= new();
        options.Validate();
        List<(string Piece, PieceType Type)> meta = MetaPieces(options);
        var clock = Stopwatch.StartNew();
        WordCounts counts = WordCounts.Count(texts, new SentencePieceWords(options.SpacePieces, options.MaxLineBytes), threads, progress, stop);
        TimeSpan counting = clock.Elapsed;
        var walls = new MetaWalls(meta.Select(static m => m.Piece));
        List<int> characters = Characters(counts.Words, walls, options);
        int merges = options.VocabularySize - meta.Count - characters.Count;
        if (merges < 0)
        {
            throw new PunaException(
                $"tokenizer size: expected at least {meta.Count + characters.Count} ({meta.Count} meta pieces and {characters.Count} characters), got {options.VocabularySize}; a lower coverage needs fewer");
        }

        var rules = new PieceRules(characters, options);
        (SymbolText text, long units) = Spell(counts.Words, walls, characters, options);
        var trainer = new BpeTrainer(text, characters.Count, rules);
        int made = trainer.Run(merges, static (_, _) => { }, progress, stop);
        var tokenizer = new SentencePieceTokenizer(Model(meta, rules, characters.Count, made, options), "tokenizer");
        return new TrainedTokenizer(tokenizer, new TokenizerTrainingReport(
            counts.Texts, counts.Bytes, counts.Words.Count, characters.Count, made, units - trainer.Saved, counts.Words.LinesLeftOut, counting, clock.Elapsed - counting));
    }

    private static List<(string Piece, PieceType Type)> MetaPieces(SentencePieceTrainerOptions options)
    {
        List<(string, PieceType)> meta = [("<unk>", PieceType.Unknown), ("<s>", PieceType.Control), ("</s>", PieceType.Control)];
        meta.AddRange(options.ControlSymbols.Select(static s => (s, PieceType.Control)));
        meta.AddRange(options.UserDefinedSymbols.Select(static s => (s, PieceType.UserDefined)));
        for (int i = 0; options.ByteFallback && i < 256; i++)
        {
            meta.Add(($"<0x{i:X2}>", PieceType.Byte));
        }

        return meta;
    }

    /// <summary>
    /// The characters that words are spelled in, the most frequent first. The original has a tab where a wall is, which is no character of the vocabulary but counts as one of the text
    /// when shares are taken (seen in models that version 0.1.97 trained); it matters only where a text is full of them.
    /// </summary>
    private static List<int> Characters(WordTable words, MetaWalls walls, SentencePieceTrainerOptions options)
    {
        long[] counts = new long[0x110000];
        long total = 0;
        var scalars = new List<int>();
        for (int word = 0; word < words.Count; word++)
        {
            walls.Spell(words[word], scalars);
            foreach (int scalar in scalars)
            {
                if (scalar != 0)
                {
                    counts[scalar == Wall ? '\t' : scalar] += words.CountOf(word);
                    total += words.CountOf(word);
                }
            }
        }

        if (total == 0)
        {
            throw new PunaException("text for a tokenizer: expected some characters, got none");
        }

        List<int> all = [.. Enumerable.Range(1, counts.Length - 1).Where(c => counts[c] > 0).OrderByDescending(c => counts[c]).ThenBy(static c => c)];
        long covered = 0;
        int taken = 0;

        // In single precision, as the original compares.
        while (taken < all.Count && (options.Coverage >= 1 || (float)((double)covered / total) < (float)options.Coverage))
        {
            covered += counts[all[taken++]];
        }

        List<int> characters = all[..taken];
        characters.Remove('\t');
        return characters;
    }

    private static (SymbolText Text, long Units) Spell(WordTable words, MetaWalls walls, List<int> characters, SentencePieceTrainerOptions options)
    {
        int[] symbols = new int[0x110000];
        Array.Fill(symbols, Wall);
        for (int i = 0; i < characters.Count; i++)
        {
            symbols[characters[i]] = i;
        }

        var text = new SymbolText();
        long units = 0;
        var scalars = new List<int>();
        int[] spelled = new int[64];
        for (int word = 0; word < words.Count; word++)
        {
            walls.Spell(words[word], scalars);
            if (spelled.Length < scalars.Count)
            {
                spelled = new int[scalars.Count * 2];
            }

            for (int i = 0; i < scalars.Count; i++)
            {
                spelled[i] = scalars[i] < 0 ? Wall : symbols[scalars[i]];
                units += words.CountOf(word) * (spelled[i] >= 0 || scalars[i] < 0 || !options.ByteFallback ? 1 : new Rune(scalars[i]).Utf8SequenceLength);
            }

            text.Add(spelled.AsSpan(0, scalars.Count), words.CountOf(word));
        }

        return (text, units);
    }

    private static SentencePieceModel Model(List<(string Piece, PieceType Type)> meta, PieceRules rules, int characters, int merges, SentencePieceTrainerOptions options)
    {
        var model = new SentencePieceModel
        {
            ModelType = SentencePieceModel.BytePairEncoding,
            ByteFallback = options.ByteFallback,
            NormalizerName = "identity",
            RemoveExtraWhitespaces = false,
        };
        foreach ((string piece, PieceType type) in meta)
        {
            model.Add(Encoding.UTF8.GetBytes(piece), 0, type);
        }

        for (int i = 0; i < merges + characters; i++)
        {
            model.Add(rules.Piece(i < merges ? characters + i : i - merges), -i, PieceType.Normal);
        }

        return model;
    }
}
