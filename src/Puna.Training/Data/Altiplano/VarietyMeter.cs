namespace Puna.Training.Data.Altiplano;

/// <summary>Measures how varied texts are. N-grams are kept as 64-bit hashes: of ten million, two meet by chance about once in 400000 measurements.</summary>
public sealed class VarietyMeter
{
    private readonly HashSet<string> _texts = [];
    private readonly Dictionary<string, int> _firsts = [];
    private readonly HashSet<string> _sentences = [];
    private readonly HashSet<string> _vocabulary = [];
    private readonly HashSet<ulong> _pairs = [];
    private readonly HashSet<ulong> _fours = [];
    private readonly Dictionary<ulong, int> _eights = [];
    private readonly HashSet<ulong> _inText = [];
    private int _count;
    private long _words, _sentenceCount, _pairCount, _fourCount, _eightCount;

    /// <summary>Adds a text.</summary>
    public void Add(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        _count++;
        _texts.Add(text);
        List<string> sentences = Sentences(text);
        if (sentences.Count > 0)
        {
            _firsts[sentences[0]] = _firsts.GetValueOrDefault(sentences[0]) + 1;
        }

        _sentenceCount += sentences.Count;
        _sentences.UnionWith(sentences);
        List<string> words = Puna.Training.Data.Altiplano.Words.Of(text);
        _words += words.Count;
        _vocabulary.UnionWith(words);
        _pairCount += Grams(words, 2, _pairs);
        _fourCount += Grams(words, 4, _fours);
        _inText.Clear();
        Grams(words, 8, _inText);
        _eightCount += _inText.Count;
        foreach (ulong gram in _inText)
        {
            _eights[gram] = _eights.GetValueOrDefault(gram) + 1;
        }
    }

    /// <summary>What was measured so far.</summary>
    public VarietyReport Report()
    {
        long shared = 0;
        foreach (int texts in _eights.Values)
        {
            shared += texts > 1 ? texts : 0;
        }

        int unique = 0;
        foreach (int texts in _firsts.Values)
        {
            unique += texts == 1 ? 1 : 0;
        }

        return new VarietyReport(
            _count, _texts.Count, _words, _vocabulary.Count, _sentenceCount, Share(_sentences.Count, _sentenceCount), Share(unique, _count), Share(_pairs.Count, _pairCount), Share(_fours.Count, _fourCount),
            Share(shared, _eightCount));
    }

    /// <summary>The sentences of a text: they end with a full stop, a question or exclamation mark (and a closing quotation mark) before a space and a capital letter, a digit or a quotation mark.</summary>
    public static List<string> Sentences(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var sentences = new List<string>();
        int start = 0;
        for (int i = 0; i < text.Length; i++)
        {
            bool end = text[i] is '\n' || (text[i] == ' ' && i > 0 && i + 1 < text.Length
                && (text[i - 1] is '.' or '!' or '?' || (text[i - 1] == '"' && i > 1 && text[i - 2] is '.' or '!' or '?'))
                && (char.IsUpper(text[i + 1]) || char.IsDigit(text[i + 1]) || text[i + 1] == '"'));
            if (end || i == text.Length - 1)
            {
                string sentence = text[start..(end ? i : i + 1)].Trim();
                if (sentence.Length > 0)
                {
                    sentences.Add(sentence);
                }

                start = i + 1;
            }
        }

        return sentences;
    }

    private static double Share(long part, long whole) => whole == 0 ? 0 : (double)part / whole;

    private static int Grams(List<string> words, int n, HashSet<ulong> into)
    {
        // FNV-1a over the letters, a space after each word.
        for (int i = 0; i + n <= words.Count; i++)
        {
            ulong hash = 14695981039346656037;
            for (int j = i; j < i + n; j++)
            {
                foreach (char c in words[j])
                {
                    hash = unchecked((hash ^ c) * 1099511628211);
                }

                hash = unchecked((hash ^ ' ') * 1099511628211);
            }

            into.Add(hash);
        }

        return Math.Max(0, words.Count - n + 1);
    }
}
