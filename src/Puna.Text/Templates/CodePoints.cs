namespace Puna.Text.Templates;

/// <summary>Strings as Python sees them, by code points; half a surrogate pair counts as one.</summary>
internal static class CodePoints
{
    /// <summary>Number of code points.</summary>
    public static int Length(string text)
    {
        int pairs = 0;
        for (int i = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDBFF'); i >= 0 && i + 1 < text.Length; i++)
        {
            if (char.IsSurrogatePair(text[i], text[i + 1]))
            {
                pairs++;
                i++;
            }
        }

        return text.Length - pairs;
    }

    /// <summary>Whether a code point is one UTF-16 unit throughout.</summary>
    public static bool IsPlain(string text) => !text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF');

    /// <summary>The code points, each as a string.</summary>
    public static IEnumerable<object?> Each(string text)
    {
        for (int i = 0; i < text.Length; i++)
        {
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                yield return text.Substring(i, 2);
                i++;
            }
            else
            {
                yield return text[i].ToString();
            }
        }
    }

    /// <summary>The UTF-16 index of a code point; the length of the text where there are fewer.</summary>
    public static int ToUtf16(string text, int index)
    {
        if (IsPlain(text))
            return Math.Min(index, text.Length);
        int at = 0;
        for (; index > 0 && at < text.Length; index--)
            at += at + 1 < text.Length && char.IsSurrogatePair(text[at], text[at + 1]) ? 2 : 1;
        return at;
    }

    /// <summary>The number of code points before a UTF-16 index.</summary>
    public static int FromUtf16(string text, int at) => at <= 0 ? at : Length(text[..at]);

    /// <summary>Order by code points.</summary>
    public static int Compare(string x, string y)
    {
        int length = Math.Min(x.Length, y.Length);
        for (int i = 0; i < length; i++)
        {
            if (x[i] != y[i])
            {
                // Surrogates stand for code points above all other units.
                bool xPair = char.IsSurrogate(x[i]), yPair = char.IsSurrogate(y[i]);
                return xPair == yPair ? x[i].CompareTo(y[i]) : xPair ? 1 : -1;
            }
        }

        return x.Length.CompareTo(y.Length);
    }
}
