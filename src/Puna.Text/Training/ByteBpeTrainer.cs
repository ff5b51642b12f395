using System.Diagnostics;
using System.Text;
using System.Text.Encodings.Web;
using Puna.Tensors;
using Puna.Text.HuggingFace;
using Puna.Text.Splitting;
using Puna.Text.Splitting.Patterns;
using Puna.Text.Tiktoken;
using Puna.Text.Vocabularies;

namespace Puna.Text.Training;

/// <summary>Trains byte-level byte pair encoding in the way of tiktoken and Hugging Face's trainer (spec training.md 2.1), as Llama 3 and 4 have it.</summary>
public static class ByteBpeTrainer
{
    private const string Bytes = """{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false}""";
    private const string Decoder = """{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true}""";

    /// <summary>Trains a vocabulary.</summary>
    /// <param name="texts">The texts.</param>
    /// <param name="options">Size, pattern, special tokens.</param>
    /// <param name="threads">Threads that count words; 0 for one per core. They do not change the result.</param>
    /// <param name="progress">Told how far it is.</param>
    /// <param name="stop">Ends it.</param>
    /// <exception cref="PunaException">An option is out of range, the pattern cannot be read, there is no text, or it is not UTF-8.</exception>
    public static TrainedTokenizer Train(
        ITextSource texts, ByteBpeTrainerOptions? options = null, int threads = 0, TrainingProgress? progress = null, CancellationToken stop = default)
    {
        options ??= new();
        Validate(options);
        TextSplitter splitter = Splitter(options.Pattern);
        var clock = Stopwatch.StartNew();
        WordCounts counts = WordCounts.Count(texts, new ByteWords(splitter), threads, progress, stop);
        TimeSpan counting = clock.Elapsed;
        if (counts.Words.Count == 0)
        {
            throw new PunaException("text for a tokenizer: expected some characters, got none");
        }

        var rules = new ByteRules(options.MaxTokenBytes);
        (SymbolText text, long units) = Spell(counts.Words, rules.Symbols);
        var trainer = new BpeTrainer(text, 256, rules);
        var merges = new List<(int Left, int Right)>();
        int made = trainer.Run(options.VocabularySize - 256, (left, right) => merges.Add((left, right)), progress, stop);
        var report = new TokenizerTrainingReport(
            counts.Texts, counts.Bytes, counts.Words.Count, 256, made, units - trainer.Saved, 0, counting, clock.Elapsed - counting);
        return new TrainedTokenizer(Tokenizer(rules, merges, splitter, options), report, Ranks(rules, options));
    }

    private static void Validate(ByteBpeTrainerOptions options)
    {
        if (options.VocabularySize < 256)
        {
            throw new PunaException($"tokenizer size: expected at least 256 (the bytes), got {options.VocabularySize}");
        }

        if (options.MaxTokenBytes is < 0 or 1)
        {
            throw new PunaException($"tokenizer max token bytes: expected 0 or at least 2, got {options.MaxTokenBytes}");
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string token in options.SpecialTokens)
        {
            if (token.Length < 2 || Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(token)) != token || !seen.Add(token))
            {
                throw new PunaException($"special token {token}: expected texts of two characters or more, each once, got it {(seen.Contains(token) ? "twice" : "as it is")}");
            }
        }
    }

    private static TextSplitter Splitter(string pattern) => new(
        [KnownPatterns.Scanner(pattern) is PieceScanner scanner ? new SplitStep.ByScanner(scanner) : new SplitStep.ByPattern(new SplitPattern(pattern), SplitBehavior.Isolated, invert: false)]);

    private static (SymbolText Text, long Units) Spell(WordTable words, int[] symbols)
    {
        var text = new SymbolText();
        long units = 0;
        int[] spelled = new int[64];
        for (int word = 0; word < words.Count; word++)
        {
            ReadOnlySpan<byte> bytes = words[word];
            if (spelled.Length < bytes.Length)
            {
                spelled = new int[bytes.Length * 2];
            }

            for (int i = 0; i < bytes.Length; i++)
            {
                spelled[i] = symbols[bytes[i]];
            }

            units += words.CountOf(word) * bytes.Length;
            text.Add(spelled.AsSpan(0, bytes.Length), words.CountOf(word));
        }

        return (text, units);
    }

    private static ByteLevelTokenizer Tokenizer(ByteRules rules, List<(int Left, int Right)> merges, TextSplitter splitter, ByteBpeTrainerOptions options)
    {
        var vocabulary = new MergeVocabulary.Builder(byteLevel: true, "tokenizer");
        byte[][] names = new byte[rules.Tokens.Count][];
        for (int id = 0; id < names.Length; id++)
        {
            string name = ByteAlphabet.FromBytes(rules.Tokens[id]);
            if (options.SpecialTokens.Contains(name, StringComparer.Ordinal))
            {
                throw new PunaException($"special token {name}: expected a text that is no token, got one that the training text has made one");
            }

            names[id] = Encoding.UTF8.GetBytes(name);
            vocabulary.AddToken(names[id], id, spelled: true);
        }

        vocabulary.EndTokens();
        foreach ((int left, int right) in merges)
        {
            vocabulary.AddMerge(names[left], names[right]);
        }

        List<AddedToken> added = [.. options.SpecialTokens.Select((name, i) => new AddedToken(names.Length + i, name))];
        int begin = options.BeginOfText is null ? -1 : options.SpecialTokens.ToList().IndexOf(options.BeginOfText);
        TokenRoles roles = RoleNames.Of(name => added.Find(t => t.Content == name)?.Id);
        string split = $$"""{"type":"Split","pattern":{"Regex":"{{JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(options.Pattern)}}"},"behavior":"Isolated","invert":false}""";
        return new ByteLevelTokenizer(
            new TokenizerParts
            {
                Vocabulary = vocabulary.Build(),
                Added = added,
                Splitter = splitter,
                IgnoreMerges = true,
                Roles = begin < 0 ? roles with { Bos = null } : roles with { Bos = names.Length + begin, AddBos = true },
                Json = new PipelineJson("null", $$"""{"type":"Sequence","pretokenizers":[{{split}},{{Bytes}}]}""", "null", Decoder),
            },
            addedInAlphabet: false);
    }

    /// <summary>The file of ranks, or null where a reader of such a file would take another pattern.</summary>
    private static byte[]? Ranks(ByteRules rules, ByteBpeTrainerOptions options)
    {
        if (options.Pattern != (rules.Tokens.Count == TiktokenTokenizer.Llama4Ranks ? KnownPatterns.Llama4 : KnownPatterns.Llama3))
        {
            return null;
        }

        var table = new TokenTable.Builder(rules.Tokens.Count, rules.Tokens.Sum(static t => t.Length));
        for (int id = 0; id < rules.Tokens.Count; id++)
        {
            table.Add(id, rules.Tokens[id]);
        }

        using var output = new MemoryStream();
        RankFile.Write(table.Build(), rules.Tokens.Count, output);
        return output.ToArray();
    }
}
