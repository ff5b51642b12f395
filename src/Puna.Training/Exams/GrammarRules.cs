using Puna.Training.Data.Altiplano;

namespace Puna.Training.Exams;

/// <summary>
/// Rules that every English sentence of the Altiplano world keeps, for counting how often a model breaks one. They find broken spelling and form (an article that does not fit, a word said twice, a
/// sentence without an end), not nonsense.
/// </summary>
public static class GrammarRules
{
    private static readonly HashSet<string> MayRepeat = new(StringComparer.OrdinalIgnoreCase) { "that", "had", "very", "far", "round", "again" };

    /// <summary>Share of sentences without a problem.</summary>
    /// <param name="texts">Stories; a last sentence that was cut off by a limit is left out.</param>
    public static double Share(IEnumerable<string> texts)
    {
        int sentences = 0, right = 0;
        foreach (string text in texts)
        {
            foreach (string paragraph in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                List<string> list = VarietyMeter.Sentences(paragraph);
                int count = list.Count > 0 && !IsEnded(list[^1]) && text.TrimEnd().EndsWith(list[^1], StringComparison.Ordinal) ? list.Count - 1 : list.Count;
                sentences += count;
                right += list.Take(count).Count(static s => Problem(s) is null);
            }
        }

        return sentences == 0 ? 0 : (double)right / sentences;
    }

    /// <summary>The first rule that a sentence breaks, in words; null where it breaks none.</summary>
    public static string? Problem(string sentence)
    {
        string text = sentence.Trim();
        if (text.Length == 0 || !IsEnded(text))
        {
            return "no end";
        }

        string start = text.TrimStart('"', '\'');
        if (start.Length > 0 && char.IsLower(start[0]))
        {
            return "no capital";
        }

        if (text.Contains("  ", StringComparison.Ordinal) || text.Contains(" ,", StringComparison.Ordinal) || text.Contains(" .", StringComparison.Ordinal) || text.Contains('\uFFFD', StringComparison.Ordinal))
        {
            return "spaces";
        }

        string[] words = text.Split([' ', ',', '.', '!', '?', '"', ';', ':'], StringSplitOptions.RemoveEmptyEntries);
        for (int i = 0; i + 1 < words.Length; i++)
        {
            if (words[i].Equals(words[i + 1], StringComparison.OrdinalIgnoreCase) && !MayRepeat.Contains(words[i]) && text.Contains($"{words[i]} {words[i + 1]}", StringComparison.Ordinal))
            {
                return "a word twice";
            }

            if (words[i] is "a" or "A" or "an" or "An" && char.IsLetter(words[i + 1][0]) && English.TakesAn(words[i + 1]) != words[i].EndsWith('n'))
            {
                return "article";
            }
        }

        return null;
    }

    private static bool IsEnded(string sentence) => sentence.Trim().TrimEnd('"', '\'') is { Length: > 0 } text && text[^1] is '.' or '!' or '?' or ',' or ':';
}
