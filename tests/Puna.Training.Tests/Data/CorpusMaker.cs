namespace Puna.Training.Tests.Data;

/// <summary>Synthetic documents: words without meaning, drawn with a seed.</summary>
internal static class CorpusMaker
{
    /// <summary>A document of so many random words out of 5000.</summary>
    public static string[] Words(Random random, int count)
    {
        string[] words = new string[count];
        for (int i = 0; i < count; i++)
        {
            words[i] = Word(random.Next(5000));
        }

        return words;
    }

    /// <summary>A copy whose last words are others, so that the sets of 5-grams have about this Jaccard similarity: with g grams of which w are replaced it is (g-w)/(g+w).</summary>
    public static string[] Near(Random random, string[] words, double jaccard)
    {
        int grams = words.Length - 4;
        int replaced = (int)Math.Round(grams * (1 - jaccard) / (1 + jaccard));
        return [.. words[..^replaced], .. Words(random, replaced)];
    }

    /// <summary>The Jaccard similarity of the sets of 5-grams, by definition.</summary>
    public static double Jaccard(string[] a, string[] b)
    {
        HashSet<string> Grams(string[] words) => [.. Enumerable.Range(0, words.Length - 4).Select(i => string.Join(' ', words[i..(i + 5)]))];
        HashSet<string> one = Grams(a), other = Grams(b);
        int shared = one.Count(other.Contains);
        return shared / (double)(one.Count + other.Count - shared);
    }

    private static string Word(int number)
    {
        Span<char> letters = stackalloc char[4];
        for (int i = 0; i < letters.Length; i++)
        {
            letters[i] = (char)('a' + (number % 9) + (i % 2 * 9));
            number /= 9;
        }

        return new string(letters);
    }
}
