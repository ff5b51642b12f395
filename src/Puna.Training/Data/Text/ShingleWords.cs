using System.Globalization;

namespace Puna.Training.Data;

/// <summary>
/// The words of a text as comparing texts wants them: runs of letters, marks and digits in lower case, as hashes. Where a script has no spaces between words (Han, Kana) every character is a word.
/// </summary>
internal static class ShingleWords
{
    /// <summary>Replaces <paramref name="hashes"/> by those of the text's words.</summary>
    public static void Read(ReadOnlySpan<char> text, List<ulong> hashes)
    {
        hashes.Clear();
        Span<char> lower = stackalloc char[64];
        for (int i = 0; i < text.Length;)
        {
            if (IsAlone(text[i]))
            {
                hashes.Add(TextHash.Of(text.Slice(i, 1)));
                i++;
                continue;
            }

            int start = i;
            while (i < text.Length && !IsAlone(text[i]) && IsInside(text[i]))
            {
                i++;
            }

            if (i == start)
            {
                i++;
                continue;
            }

            // A very long word is several; what matters is that equal texts have equal words.
            for (int at = start; at < i; at += lower.Length)
            {
                ReadOnlySpan<char> part = text.Slice(at, Math.Min(lower.Length, i - at));
                hashes.Add(TextHash.Of(lower[..part.ToLowerInvariant(lower)]));
            }
        }
    }

    /// <summary>The hash of consecutive words.</summary>
    public static ulong Gram(ReadOnlySpan<ulong> words)
    {
        ulong hash = (ulong)words.Length;
        foreach (ulong word in words)
        {
            hash = TextHash.Mix((hash * 0x9E3779B97F4A7C15) + word);
        }

        return hash;
    }

    private static bool IsAlone(char c) => c is (>= '\u3040' and <= '\u30FF') or (>= '\u3400' and <= '\u9FFF') or (>= '\uF900' and <= '\uFAFF');

    private static bool IsInside(char c) => char.IsLetterOrDigit(c) || char.IsSurrogate(c)
        || (c >= 0x300 && CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark);
}
