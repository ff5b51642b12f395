namespace Puna.Cli.Parsing;

/// <summary>Finds the word that was probably meant.</summary>
internal static class Suggestions
{
    /// <summary>The candidate nearest to <paramref name="word"/>, or null where none is near.</summary>
    public static string? Nearest(string word, IEnumerable<string> candidates)
    {
        const int LongestWord = 40;
        if (word.Length is 0 or > LongestWord)
        {
            return null;
        }

        string? best = null;
        int bestDistance = int.MaxValue;
        foreach (string candidate in candidates)
        {
            // Someone who types the beginning of a long name means that name; a slip changes a third of a word at most.
            int distance = candidate.StartsWith(word, StringComparison.OrdinalIgnoreCase) && word.Length > 1 ? 1 : Distance(word, candidate);
            if (distance < bestDistance && distance <= Math.Max(1, Math.Max(word.Length, candidate.Length) / 3))
            {
                (best, bestDistance) = (candidate, distance);
            }
        }

        return best;
    }

    /// <summary>Edit distance with swaps of neighbours counted once (optimal string alignment), letter case aside.</summary>
    public static int Distance(string a, string b)
    {
        int[,] cost = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    cost[i, j] = i + j;
                    continue;
                }

                bool same = Same(a[i - 1], b[j - 1]);
                int least = Math.Min(cost[i - 1, j - 1] + (same ? 0 : 1), Math.Min(cost[i - 1, j], cost[i, j - 1]) + 1);
                bool swapped = i > 1 && j > 1 && Same(a[i - 1], b[j - 2]) && Same(a[i - 2], b[j - 1]);
                cost[i, j] = swapped ? Math.Min(least, cost[i - 2, j - 2] + 1) : least;
            }
        }

        return cost[a.Length, b.Length];
    }

    private static bool Same(char a, char b) => char.ToLowerInvariant(a) == char.ToLowerInvariant(b);
}
