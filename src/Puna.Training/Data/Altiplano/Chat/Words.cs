namespace Puna.Training.Data.Altiplano;

/// <summary>Takes replies apart.</summary>
internal static class Words
{
    /// <summary>The words, in lower case, without punctuation; digits are words.</summary>
    public static List<string> Of(string text)
    {
        var words = new List<string>();
        int start = -1;
        for (int i = 0; i <= text.Length; i++)
        {
            bool inside = i < text.Length && (char.IsLetterOrDigit(text[i]) || (text[i] == '\'' && start >= 0));
            if (inside && start < 0)
            {
                start = i;
            }
            else if (!inside && start >= 0)
            {
                words.Add(text[start..i].TrimEnd('\'').ToLowerInvariant());
                start = -1;
            }
        }

        return words;
    }

    /// <summary>Whether the words of a phrase follow each other somewhere in a text; a number counts in words and in digits.</summary>
    public static bool Contains(string text, string phrase)
    {
        List<string> words = Of(text), wanted = Of(phrase);
        for (int i = 0; i + wanted.Count <= words.Count; i++)
        {
            int k = 0;
            while (k < wanted.Count && Same(words[i + k], wanted[k]))
            {
                k++;
            }

            if (k == wanted.Count)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The number that a word is, or null.</summary>
    public static int? Number(string word)
    {
        if (int.TryParse(word, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out int value))
        {
            return value;
        }

        for (int i = 1; i <= 20; i++)
        {
            if (English.Number(i, false) == word)
            {
                return i;
            }
        }

        return null;
    }

    private static bool Same(string word, string wanted) => word == wanted || (Number(word) is { } number && number == Number(wanted));
}
