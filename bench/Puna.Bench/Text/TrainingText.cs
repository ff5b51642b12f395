using System.Text;

namespace Puna.Bench.Text;

/// <summary>
/// A made-up text that is like natural ones in what the training of tokenizers depends on: a few words are very frequent and most are rare (the n-th most frequent about 1/n as often as
/// the first), new ones keep coming, words share stems and endings, and there are numbers, marks and several scripts. Nothing in it is from others.
/// </summary>
internal static class TrainingText
{
    private static readonly string[] Onsets = ["", "b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "br", "st", "tr", "ch", "th", "sh", "pl", "qu"];
    private static readonly string[] Vowels = ["a", "e", "i", "o", "u", "ai", "ea", "ou"];
    private static readonly string[] Codas = ["", "", "", "n", "r", "s", "t", "l", "nd", "ng", "st", "rk"];
    private static readonly string[] Endings = ["", "", "", "s", "ed", "ing", "er", "ly", "tion", "ness"];
    private static readonly (int First, int Count)[] Scripts = [(0x430, 32), (0x3B1, 24), (0x4E00, 2000), (0x3042, 80), (0x627, 36), (0xAC00, 1000)];

    /// <summary>Writes about so many bytes.</summary>
    public static void Write(Stream output, long bytes)
    {
        var random = new Random(7);
        var words = new List<string>();
        var line = new StringBuilder();
        for (long written = 0; written < bytes;)
        {
            line.Clear();
            for (int left = random.Next(4, 30); left > 0; left--)
            {
                line.Append(Next(random, words)).Append(random.Next(12) == 0 ? ", " : left == 1 ? "." : " ");
            }

            line.Append('\n');
            byte[] utf8 = Encoding.UTF8.GetBytes(line.ToString());
            output.Write(utf8);
            written += utf8.Length;
        }
    }

    /// <summary>A word of rank n with a probability of about 1/n; one in eighty is new.</summary>
    private static string Next(Random random, List<string> words)
    {
        if (words.Count < 100 || random.Next(80) == 0)
        {
            words.Add(Make(random));
            return words[^1];
        }

        return words[(int)Math.Min(words.Count - 1, Math.Exp(random.NextDouble() * Math.Log(words.Count + 1)) - 1)];
    }

    private static string Make(Random random)
    {
        var word = new StringBuilder();
        int kind = random.Next(40);
        if (kind == 0)
        {
            return random.Next(10_000).ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        if (kind < 4)
        {
            (int first, int count) = Scripts[random.Next(Scripts.Length)];
            for (int letters = random.Next(1, 7); letters > 0; letters--)
            {
                word.Append((char)(first + random.Next(count)));
            }

            return word.ToString();
        }

        for (int syllables = random.Next(1, 4); syllables > 0; syllables--)
        {
            word.Append(Onsets[random.Next(Onsets.Length)]).Append(Vowels[random.Next(Vowels.Length)]).Append(Codas[random.Next(Codas.Length)]);
        }

        word.Append(Endings[random.Next(Endings.Length)]);
        word[0] = kind < 8 ? char.ToUpperInvariant(word[0]) : word[0];
        return word.ToString();
    }
}
