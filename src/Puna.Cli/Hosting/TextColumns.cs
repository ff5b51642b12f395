using System.Globalization;
using System.Text;

namespace Puna.Cli.Hosting;

/// <summary>How many columns of a terminal a text takes, and where in it a cursor may stand.</summary>
internal static class TextColumns
{
    // First and last of the ranges that are two columns wide: Unicode's East_Asian_Width W and F, with the gaps inside a script counted in.
    private static readonly (int First, int Last)[] Wide =
    [
        (0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0xA4CF), (0xA960, 0xA97F), (0xAC00, 0xD7A3), (0xF900, 0xFAFF), (0xFE30, 0xFE6F),
        (0xFF00, 0xFF60), (0xFFE0, 0xFFE6), (0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1F9FF), (0x1FA70, 0x1FAFF), (0x20000, 0x3FFFD),
    ];

    /// <summary>Columns of a text without line breaks.</summary>
    public static int Of(ReadOnlySpan<char> text)
    {
        int columns = 0;
        while (text.Length > 0)
        {
            int length = StringInfo.GetNextTextElementLength(text);
            columns += OfElement(text[..length]);
            text = text[length..];
        }

        return columns;
    }

    /// <summary>Columns of one character as a user sees it, however many code points it is made of.</summary>
    public static int OfElement(ReadOnlySpan<char> element)
    {
        Rune.DecodeFromUtf16(element, out Rune rune, out _);
        foreach ((int first, int last) in Wide)
        {
            if (rune.Value >= first && rune.Value <= last)
            {
                return 2;
            }
        }

        return Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format ? 0 : 1;
    }

    /// <summary>The place after the character that begins at <paramref name="at"/>.</summary>
    public static int Next(string text, int at) => at < text.Length ? at + StringInfo.GetNextTextElementLength(text.AsSpan(at)) : at;

    /// <summary>The place before the character that ends at <paramref name="at"/>.</summary>
    public static int Previous(string text, int at)
    {
        int place = 0;
        for (int next = Next(text, 0); next < at; next = Next(text, next))
        {
            place = next;
        }

        return at > 0 ? place : 0;
    }
}
