using System.Globalization;

namespace Puna.Training.Data.Altiplano;

/// <summary>The few rules of English that are the same for every word.</summary>
internal static class English
{
    private static readonly string[] Small =
    [
        "no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
        "nineteen", "twenty",
    ];

    /// <summary>A number in words up to twenty, in digits above or where wanted.</summary>
    public static string Number(int value, bool digits) => digits || value is < 0 or > 20 ? Digits(value) : Small[value];

    /// <summary>A number in digits.</summary>
    public static string Digits(int value) => value.ToString(CultureInfo.InvariantCulture);

    /// <summary>Whether a word that begins here takes <c>an</c>. By sound: an hour, a useful thing.</summary>
    public static bool TakesAn(ReadOnlySpan<char> word)
    {
        if (word.IsEmpty)
        {
            return false;
        }

        if (word.StartsWith("hour") || word.StartsWith("honest"))
        {
            return true;
        }

        if (word.StartsWith("use") || word.StartsWith("one") || word.StartsWith("uni"))
        {
            return false;
        }

        return "aeiouAEIOU".Contains(word[0]) || word.StartsWith("8") || word.StartsWith("11 ") || word.StartsWith("18 ");
    }

    /// <summary>A name's possessive.</summary>
    public static string Possessive(string name) => name + "'s";

    /// <summary>The text with its first letter as a capital.</summary>
    public static string Capital(string text)
    {
        int i = 0;
        while (i < text.Length && !char.IsLetterOrDigit(text[i]))
        {
            i++;
        }

        return i == text.Length ? text : string.Concat(text.AsSpan(0, i), char.ToUpperInvariant(text[i]).ToString(), text.AsSpan(i + 1));
    }
}
