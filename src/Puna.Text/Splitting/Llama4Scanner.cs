namespace Puna.Text.Splitting;

/// <summary>
/// The split pattern of Llama 4 (spec llama4.md 6.1): a word is an optional non-letter, then letters of which capitals come first, then perhaps a
/// contraction. With U for <c>[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]</c>, W for <c>[\p{Ll}\p{Lm}\p{Lo}\p{M}]</c> and C for <c>(?i:'s|'t|'re|'ve|'m|'ll|'d)</c>:
/// <c>[^\r\n\p{L}\p{N}]?U*W+C?|[^\r\n\p{L}\p{N}]?U+W*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+</c>.
/// </summary>
internal sealed class Llama4Scanner : PieceScanner
{
    /// <summary>The only instance.</summary>
    public static Llama4Scanner Instance { get; } = new();

    /// <inheritdoc/>
    public override int Next(ReadOnlySpan<byte> text, int start)
    {
        int flags = CharClasses.At(text, start, out int length);
        if ((flags & CharClasses.Number) != 0)
        {
            return UpToThreeNumbers(text, start);
        }

        int end = Word(text, start, flags, length);
        if (end > start)
        {
            return Contraction(text, end);
        }

        int at = start + length;
        if ((flags & CharClasses.Space) != 0)
        {
            if (text[start] != ' ' || at == text.Length || (CharClasses.At(text, at, out length) & CharClasses.Named) != 0)
            {
                return WhiteSpace(text, start);
            }

            at += length;
        }

        at = RunWithout(text, at, CharClasses.Named);
        while (at < text.Length && text[at] is (byte)'\r' or (byte)'\n' or (byte)'/')
        {
            at++;
        }

        return at;
    }

    /// <summary>The end of a word that starts here, or <paramref name="start"/>; the order of the alternatives and their ways back are kept.</summary>
    private static int Word(ReadOnlySpan<byte> text, int start, int flags, int length)
    {
        const int Word = CharClasses.Upper | CharClasses.Lower;
        if ((flags & CharClasses.Letter) != 0)
        {
            int end = Cased(text, start, out int capitals);
            return end > start ? end : capitals;
        }

        // With the optional character in front, if a word follows it.
        int second = start + length;
        int withPrefix = start;
        if ((flags & CharClasses.NewLine) == 0 && second < text.Length && (CharClasses.At(text, second, out _) & Word) != 0)
        {
            int end = Cased(text, second, out withPrefix);
            if (end > second)
            {
                return end;
            }
        }

        // A mark may be the optional character, but it may also be the whole lower part; the first alternative is tried to its end before the second.
        if ((flags & Word) != 0)
        {
            int end = Cased(text, start, out _);
            if (end > start)
            {
                return end;
            }
        }

        return withPrefix;
    }

    /// <summary>
    /// <c>U*W+</c> at <paramref name="start"/>: its end, or <paramref name="start"/> where it does not match. U* first takes all it can; where no W follows,
    /// it gives back down to the last character that is both. <paramref name="capitals"/> is the end of <c>U+</c>.
    /// </summary>
    private static int Cased(ReadOnlySpan<byte> text, int start, out int capitals)
    {
        int at = start, lastOfBoth = start;
        while (at < text.Length)
        {
            int flags = CharClasses.At(text, at, out int length);
            if ((flags & CharClasses.Upper) == 0)
            {
                if ((flags & CharClasses.Lower) != 0)
                {
                    capitals = at;
                    return Run(text, at + length, CharClasses.Lower);
                }

                break;
            }

            at += length;
            if ((flags & CharClasses.Lower) != 0)
            {
                lastOfBoth = at;
            }
        }

        capitals = at;
        return lastOfBoth;
    }
}
