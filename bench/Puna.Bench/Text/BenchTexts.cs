using System.Text;

namespace Puna.Bench.Text;

/// <summary>The texts of the tokenizer benchmark: what the repository itself contains, and what is generated; nothing of others.</summary>
internal static class BenchTexts
{
    private const int Megabyte = 1_000_000;

    // Meta's tokenizer code cuts texts every 400,000 characters before it splits them, and Puna does as it does; plain tiktoken would give other ids at the cuts.
    private const int Uncut = 390_000;

    /// <summary>Named texts. Of the pathological ones there is a second of twice the length, so that a ratio of 2 shows linear time.</summary>
    /// <param name="root">Root of the repository.</param>
    public static IEnumerable<(string Name, string Text)> All(string root)
    {
        yield return ("prose", Prose(root));
        yield return ("code", Code(root));
        yield return ("scripts", Scripts());
        foreach ((string name, char letter) in ((string, char)[])[("letter", 'a'), ("spaces", ' '), ("digits", '7')])
        {
            yield return (name + "-1MB", new string(letter, Megabyte));
            yield return (name + "-2MB", new string(letter, 2 * Megabyte));
        }

        yield return ("letters-1MB", RandomLetters(Megabyte));
        yield return ("letters-2MB", RandomLetters(2 * Megabyte));
    }

    /// <summary>The documentation, and the English of the comments in the sources.</summary>
    private static string Prose(string root)
    {
        var text = new StringBuilder();
        foreach (string file in Files(root, "*.md"))
        {
            text.Append(File.ReadAllText(file)).Append('\n');
        }

        foreach (string file in Files(Path.Combine(root, "src"), "*.cs"))
        {
            foreach (string line in File.ReadLines(file))
            {
                string trimmed = line.TrimStart();
                if (trimmed.StartsWith("//", StringComparison.Ordinal))
                {
                    text.Append(trimmed.TrimStart('/', ' ')).Append('\n');
                }
            }
        }

        return text.ToString(0, Math.Min(text.Length, Uncut));
    }

    private static string Code(string root)
    {
        var text = new StringBuilder();
        foreach (string file in Files(Path.Combine(root, "src"), "*.cs"))
        {
            text.Append(File.ReadAllText(file));
        }

        return text.ToString(0, Math.Min(text.Length, Uncut));
    }

    /// <summary>Made-up words of several scripts, with numbers, marks and emoji between them.</summary>
    private static string Scripts()
    {
        ReadOnlySpan<(int First, int Count)> alphabets = [(0x61, 26), (0xE0, 24), (0x3B1, 24), (0x430, 32), (0x5D0, 27), (0x627, 36), (0x905, 50), (0x3042, 80), (0x4E00, 3000), (0xAC00, 2000)];
        var random = new Random(5);
        var text = new StringBuilder();
        while (text.Length < Megabyte / 3)
        {
            (int first, int count) = alphabets[random.Next(alphabets.Length)];
            for (int words = random.Next(3, 12); words > 0; words--)
            {
                for (int letters = random.Next(1, 9); letters > 0; letters--)
                {
                    text.Append((char)(first + random.Next(count)));
                }

                text.Append(words > 1 ? ' ' : '.');
            }

            text.Append(random.Next(4) switch { 0 => "\n\n", 1 => " \U0001F999 ", 2 => $" {random.Next(100000)} ", _ => " " });
        }

        return text.ToString();
    }

    private static string RandomLetters(int count)
    {
        var random = new Random(7);
        return string.Create(count, random, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
            {
                span[i] = (char)('a' + source.Next(26));
            }
        });
    }

    private static IEnumerable<string> Files(string folder, string pattern) =>
        Directory.EnumerateFiles(folder, pattern, SearchOption.AllDirectories)
            .Where(file => !Path.GetRelativePath(folder, file).Split('/', '\\').Any(static part => part is "bin" or "obj" or "artifacts" or "node_modules"))
            .Order(StringComparer.Ordinal);
}
