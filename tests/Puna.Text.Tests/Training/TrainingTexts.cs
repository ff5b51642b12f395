using System.Text;

namespace Puna.Text.Tests.Training;

/// <summary>Random texts of few letters, so that pairs overlap and counts tie, in several scripts.</summary>
internal static class TrainingTexts
{
    private static readonly string[] Alphabets = ["ab", "abcdef", "the quick", "a\u0301e\u0300u", "αβγ", "абв", "あアーカ漢字", "אבג", "ሀሁ", "0123", "０１", "!?.-", "'sd", "▁", "éñ", "x1y2", "A中1 ", "\t", "\0", "\r"];
    private static readonly string[] Extra = [" ", " ", " ", "  ", "   ", "\n", "\n", "\n\n", "\r\n", "<s>", "</s>", "<unk>", "<0x41>", "<<s>>", "<sep>", "aaaaaaa", "abababab", "don't", "I'LL", "--------", "1234567", "\u00A0"];

    public static string Next(Random random, int parts, bool astral)
    {
        var text = new StringBuilder();
        string[] words = [.. Enumerable.Range(0, 12).Select(_ => Word(random))];
        while (parts-- > 0)
        {
            int kind = random.Next(20);
            text.Append(kind < 12 ? words[random.Next(words.Length)] : kind < 18 ? Extra[random.Next(Extra.Length)] : astral && kind == 18 ? "🦙😀"[(2 * random.Next(2))..] : Word(random));
            text.Append(random.Next(3) == 0 ? "" : " ");
        }

        return text.ToString();
    }

    private static string Word(Random random)
    {
        string alphabet = Alphabets[random.Next(Alphabets.Length)];
        return string.Concat(Enumerable.Range(0, random.Next(1, 9)).Select(_ => alphabet[random.Next(alphabet.Length)]));
    }
}
