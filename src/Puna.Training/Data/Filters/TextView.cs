using System.Text.RegularExpressions;

namespace Puna.Training.Data;

/// <summary>A text cut into words and lines, and what can be measured on it. Reused from text to text; not for several threads at once.</summary>
public sealed partial class TextView
{
    private const int ShortLine = 30;

    private readonly List<(int Start, int Length)> _tokens = [];
    private readonly List<ulong> _hashes = [];
    private readonly List<(int Start, int Length)> _lines = [];
    private readonly HashSet<ulong> _seen = [];
    private readonly Dictionary<ulong, int> _counts = [];
    private int _words;
    private int _alphabetic;
    private long _wordCharacters;

    /// <summary>The text.</summary>
    public string Text { get; private set; } = "";

    /// <summary>Its language, for the stop words.</summary>
    public string Language { get; private set; } = LanguageIdentifier.Unknown;

    /// <summary>Takes another text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="language">Its language as <see cref="LanguageIdentifier"/> names it.</param>
    public void Take(string text, string language)
    {
        Text = text;
        Language = language;
        _tokens.Clear();
        _hashes.Clear();
        _lines.Clear();
        _words = _alphabetic = 0;
        _wordCharacters = 0;
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            // FineWeb and Gopher leave empty lines out of what they count.
            if (!text.AsSpan()[range].IsWhiteSpace())
            {
                _lines.Add((range.Start.Value, range.End.Value - range.Start.Value));
            }
        }

        for (int i = 0; i < text.Length;)
        {
            if (char.IsWhiteSpace(text[i]))
            {
                i++;
                continue;
            }

            int start = i;
            while (i < text.Length && !char.IsWhiteSpace(text[i]))
            {
                i++;
            }

            AddToken(text.AsSpan(start, i - start), start);
        }
    }

    /// <summary>The measure's value.</summary>
    public double Measure(TextMeasure measure) => measure switch
    {
        TextMeasure.Words => _words,
        TextMeasure.Characters => Text.Length,
        TextMeasure.MeanWordLength => Share(_wordCharacters, _words),
        TextMeasure.HashesPerWord => Share(Text.AsSpan().Count('#'), _words),
        TextMeasure.EllipsesPerWord => Share(Text.AsSpan().Count("...") + Text.AsSpan().Count('…'), _words),
        TextMeasure.BulletLines => LineShare(static line => line.TrimStart() is ['•' or '-' or '*' or '‣' or '●', ..]),
        TextMeasure.EllipsisLines => LineShare(static line => line.TrimEnd() is [.., '.', '.', '.'] or [.., '…']),
        TextMeasure.AlphabeticWords => Share(_alphabetic, _tokens.Count),
        TextMeasure.StopWords => StopWords(),
        TextMeasure.DuplicateLines => DuplicateLines().Count,
        TextMeasure.DuplicateLineCharacters => DuplicateLines().Characters,
        TextMeasure.DuplicateParagraphs => DuplicateParagraphs().Count,
        TextMeasure.DuplicateParagraphCharacters => DuplicateParagraphs().Characters,
        >= TextMeasure.Top2Gram and <= TextMeasure.Top4Gram => TopGram(2 + (measure - TextMeasure.Top2Gram)),
        >= TextMeasure.Duplicate5Grams and <= TextMeasure.Duplicate10Grams => DuplicateGrams(5 + (measure - TextMeasure.Duplicate5Grams)),
        TextMeasure.PunctuatedLines => LineShare(static line => line.TrimEnd() is [.., '.' or '!' or '?' or '\'' or '"' or '’' or '”' or '»' or '。' or '！' or '？']),
        TextMeasure.ShortLines => LineShare(static line => line.Length <= ShortLine),
        TextMeasure.NewlinesPerWord => Share(Text.AsSpan().Count('\n'), _words),
        _ => throw new ArgumentOutOfRangeException(nameof(measure), measure, null),
    };

    /// <summary>The first rule that the text does not pass, or null.</summary>
    public FilterRule? FirstBroken(IReadOnlyList<FilterRule> rules)
    {
        ArgumentNullException.ThrowIfNull(rules);
        for (int i = 0; i < rules.Count; i++)
        {
            if (!rules[i].Passes(Measure(rules[i].Measure)))
            {
                return rules[i];
            }
        }

        return null;
    }

    private static double Share(double part, double whole) => whole > 0 ? part / whole : 0;

    private void AddToken(ReadOnlySpan<char> token, int start)
    {
        int first = -1, last = -1;
        bool letter = false;
        for (int i = 0; i < token.Length; i++)
        {
            // Characters outside the basic plane count as letters or digits; most of them are.
            if (char.IsLetterOrDigit(token[i]) || char.IsSurrogate(token[i]))
            {
                first = first < 0 ? i : first;
                last = i;
                letter |= !char.IsDigit(token[i]);
            }
        }

        if (first >= 0)
        {
            _words++;
            _wordCharacters += last - first + 1;
            _alphabetic += letter ? 1 : 0;
        }

        _tokens.Add((start, token.Length));
        _hashes.Add(TextHash.Of(token));
    }

    private double LineShare(LineTest test)
    {
        int count = 0;
        foreach ((int start, int length) in _lines)
        {
            count += test(Text.AsSpan(start, length)) ? 1 : 0;
        }

        return Share(count, _lines.Count);
    }

    private (double Count, double Characters) DuplicateLines()
    {
        _seen.Clear();
        int count = 0;
        long characters = 0;
        foreach ((int start, int length) in _lines)
        {
            if (!_seen.Add(TextHash.Of(Text.AsSpan(start, length))))
            {
                count++;
                characters += length;
            }
        }

        return (Share(count, _lines.Count), Share(characters, Text.Length - Text.AsSpan().Count('\n')));
    }

    private (double Count, double Characters) DuplicateParagraphs()
    {
        _seen.Clear();
        int count = 0, all = 0;
        long characters = 0;
        ReadOnlySpan<char> text = Text.AsSpan().Trim();
        int start = 0;
        foreach (ValueMatch gap in Gaps().EnumerateMatches(text))
        {
            Add(text[start..gap.Index]);
            start = gap.Index + gap.Length;
        }

        Add(text[start..]);
        return (Share(count, all), Share(characters, Text.Length));

        void Add(ReadOnlySpan<char> paragraph)
        {
            all++;
            if (!_seen.Add(TextHash.Of(paragraph)))
            {
                count++;
                characters += paragraph.Length;
            }
        }
    }

    private double StopWords()
    {
        IReadOnlyList<string> words = LanguageIdentifier.StopWords(Language);
        int seen = 0;
        foreach ((int start, int length) in _tokens)
        {
            ReadOnlySpan<char> token = Text.AsSpan(start, length).Trim(".,;:!?\"'()[]«»“”‘’…");
            for (int i = 0; i < words.Count && token.Length <= 8; i++)
            {
                seen |= token.Equals(words[i], StringComparison.OrdinalIgnoreCase) ? 1 << i : 0;
            }
        }

        return int.PopCount(seen);
    }

    /// <summary>Length of the most frequent n-gram times its count, as a share. Of n-grams that are as frequent as one another the longest counts: the order of a table decides nothing.</summary>
    private double TopGram(int n)
    {
        _counts.Clear();
        long best = 0;
        int bestCount = 0;
        for (int i = 0; i + n <= _tokens.Count; i++)
        {
            ulong hash = Gram(i, n);
            int count = _counts[hash] = _counts.GetValueOrDefault(hash) + 1;
            long covered = (long)count * GramLength(i, n);
            if (count > bestCount || (count == bestCount && covered > best))
            {
                bestCount = count;
                best = covered;
            }
        }

        // One that occurs once repeats nothing; a very short text would be all n-gram otherwise.
        return bestCount > 1 ? Share(best, Text.Length) : 0;
    }

    private double DuplicateGrams(int n)
    {
        _seen.Clear();
        long characters = 0;
        for (int i = 0; i + n <= _tokens.Count;)
        {
            if (_seen.Add(Gram(i, n)))
            {
                i++;
            }
            else
            {
                for (int k = 0; k < n; k++)
                {
                    characters += _tokens[i + k].Length;
                }

                i += n;
            }
        }

        return Share(characters, Text.Length);
    }

    private ulong Gram(int first, int n)
    {
        ulong hash = 0;
        for (int k = 0; k < n; k++)
        {
            hash = TextHash.Mix((hash * 0x9E3779B97F4A7C15) + _hashes[first + k]);
        }

        return hash;
    }

    /// <summary>The words with one space between neighbours.</summary>
    private int GramLength(int first, int n)
    {
        int length = n - 1;
        for (int k = 0; k < n; k++)
        {
            length += _tokens[first + k].Length;
        }

        return length;
    }

    [GeneratedRegex("\n{2,}")]
    private static partial Regex Gaps();

    private delegate bool LineTest(ReadOnlySpan<char> line);
}
