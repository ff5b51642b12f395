using System.Text;
using System.Text.RegularExpressions;
using Puna.Text.Training;
using Puna.Text.Vocabularies;

namespace Puna.Text.Tests.Training;

/// <summary>
/// The trainers as spec training.md 2.1 tells them, without any cleverness: all pairs are counted anew before every merge. Words are found with .NET's regular expressions, scripts by
/// blocks, symbols are strings.
/// </summary>
internal static class NaiveBpe
{
    /// <summary>Merges in order; <paramref name="prefer"/> decides between pairs that occur equally often.</summary>
    public static List<(string Left, string Right)> Merge(
        Dictionary<string, long> words, Func<string, List<string>> spell, int most, Comparison<(string Left, string Right)> prefer, Func<string, bool> allowed, Action<string> made)
    {
        List<(List<string> Symbols, long Count)> texts = [.. words.Select(w => (spell(w.Key), w.Value))];
        var merges = new List<(string, string)>();
        var good = new Dictionary<(string, string), bool>();
        while (merges.Count < most)
        {
            var counts = new Dictionary<(string Left, string Right), long>();
            foreach ((List<string> symbols, long count) in texts)
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                {
                    counts[(symbols[i], symbols[i + 1])] = counts.GetValueOrDefault((symbols[i], symbols[i + 1])) + count;
                }
            }

            (string Left, string Right)? best = null;
            foreach ((string Left, string Right) pair in counts.Keys)
            {
                if (!good.TryGetValue(pair, out bool fits))
                {
                    good[pair] = fits = allowed(pair.Left + pair.Right);
                }

                if (!fits)
                {
                    continue;
                }

                best = best is not { } b || counts[pair] > counts[b] || (counts[pair] == counts[b] && prefer(pair, b) < 0) ? pair : best;
            }

            if (best is not { } merge)
            {
                break;
            }

            merges.Add(merge);
            made(merge.Left + merge.Right);
            foreach ((List<string> symbols, _) in texts)
            {
                for (int i = 0; i + 1 < symbols.Count; i++)
                {
                    if (symbols[i] == merge.Left && symbols[i + 1] == merge.Right)
                    {
                        symbols[i] += merge.Right;
                        symbols.RemoveAt(i + 1);
                    }
                }
            }
        }

        return merges;
    }

    /// <summary>Tokens of a byte-level vocabulary in GPT-2's alphabet, by id. The text is of the Basic Multilingual Plane, where .NET's classes are those of scalars.</summary>
    public static List<string> Bytes(string text, int size, string pattern)
    {
        var words = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (Match match in Regex.Matches(text, pattern))
        {
            string word = ByteAlphabet.FromBytes(Encoding.UTF8.GetBytes(match.Value));
            words[word] = words.GetValueOrDefault(word) + 1;
        }

        List<string> tokens = [.. Enumerable.Range(0, 256).Select(static b => ByteAlphabet.Character((byte)b)).Order().Select(static c => c.ToString())];
        Dictionary<string, int> ids = tokens.Select((t, i) => (t, i)).ToDictionary(StringComparer.Ordinal);
        Merge(words, static w => [.. w.Select(static c => c.ToString())], size - 256, (a, b) => (ids[a.Left], ids[a.Right]).CompareTo((ids[b.Left], ids[b.Right])), static _ => true,
            token => ids.Add(token, ids.Count));
        return [.. ids.OrderBy(static t => t.Value).Select(static t => t.Key)];
    }

    /// <summary>Pieces of a SentencePiece vocabulary behind the meta pieces.</summary>
    public static List<string> Pieces(string text, SentencePieceTrainerOptions options)
    {
        string[] meta = ["<unk>", "<s>", "</s>", .. options.ControlSymbols, .. options.UserDefinedSymbols, .. options.ByteFallback ? Enumerable.Range(0, 256).Select(static i => $"<0x{i:X2}>") : []];
        var walls = new Regex(string.Join('|', meta.OrderByDescending(static m => m.Length).Select(Regex.Escape)));
        var words = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n').Where(static l => l.Length > 0))
        {
            foreach (Match match in Regex.Matches("▁" + walls.Replace(line, "\t").Replace(' ', '▁'), options.SpacePieces ? "▁+[^▁]*" : "▁[^▁]*"))
            {
                words[match.Value] = words.GetValueOrDefault(match.Value) + 1;
            }
        }

        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach ((string word, long count) in words)
        {
            foreach (string c in Characters(word).Where(static c => c != "\0"))
            {
                counts[c] = counts.GetValueOrDefault(c) + count;
            }
        }

        var alphabet = new List<string>();
        long covered = 0, total = counts.Values.Sum();
        foreach (string c in counts.Keys.OrderByDescending(c => counts[c]).ThenBy(static c => char.ConvertToUtf32(c, 0)))
        {
            if ((float)((double)covered / total) < (float)options.Coverage)
            {
                covered += counts[c];
                alphabet.Add(c);
            }
        }

        alphabet.Remove("\t");
        var pieces = new List<string>();
        Merge(words, w => [.. Characters(w).Select(c => alphabet.Contains(c) ? c : "\0")], options.VocabularySize - meta.Length - alphabet.Count,
            static (a, b) => (Characters(a.Left + a.Right).Count, 0).CompareTo((Characters(b.Left + b.Right).Count, 0)) is not 0 and int length
                ? length
                : Encoding.UTF8.GetBytes(a.Left + a.Right).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b.Left + b.Right)),
            piece => IsGood(piece, options), pieces.Add);
        return [.. pieces, .. alphabet];
    }

    private static bool IsGood(string piece, SentencePieceTrainerOptions options)
    {
        string rest = piece.TrimStart('▁');
        bool spaces = rest.Length == 0 ? options.SpacePieces : piece.Length - rest.Length < 2;
        int[] scripts = [.. Characters(rest).Select(Script).Where(static s => s != 1).Distinct()];
        return Characters(piece).Count <= options.MaxPieceLength && spaces && !rest.Contains('▁') && !rest.Contains('\0')
            && !(options.SplitDigits && rest.Any(static c => char.IsAsciiDigit(c) || c is >= '０' and <= '９')) && (!options.SplitByScript || scripts.Length < 2);
    }

    /// <summary>By blocks; enough for the characters that these tests use.</summary>
    private static int Script(string c) => char.ConvertToUtf32(c, 0) switch
    {
        (>= 'A' and <= 'Z') or (>= 'a' and <= 'z') or (>= 0xC0 and <= 0x24F and not 0xD7 and not 0xF7) => 2,
        >= 0x300 and <= 0x36F => 1,
        >= 0x3B1 and <= 0x3C9 => 3,
        >= 0x410 and <= 0x44F => 4,
        (>= 0x3041 and <= 0x3096) or (>= 0x30A1 and <= 0x30FA) or 0x30FC or (>= 0x4E00 and <= 0x9FFF) => 5,
        >= 0x5D0 and <= 0x5EA => 6,
        >= 0x1200 and <= 0x1248 => 7,
        _ => 0,
    };

    private static List<string> Characters(string text) => [.. text.EnumerateRunes().Select(static r => r.ToString())];
}
