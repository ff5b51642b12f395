using System.Runtime.CompilerServices;

namespace Puna.Text.Splitting;

/// <summary>
/// A split pattern written out by hand: cuts well-formed UTF-8 into pieces of which every byte belongs to exactly one. Stateless and thread-safe.
/// Each call looks at a run of white space at most twice, so that a whole text takes linear time.
/// </summary>
internal abstract class PieceScanner
{
    /// <summary>Where the piece that starts at <paramref name="start"/> ends; always greater than <paramref name="start"/>.</summary>
    public abstract int Next(ReadOnlySpan<byte> text, int start);

    /// <summary>End of a run of characters that have any of <paramref name="flags"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static int Run(ReadOnlySpan<byte> text, int at, int flags)
    {
        ReadOnlySpan<byte> ascii = CharClasses.Ascii;
        while ((uint)at < (uint)text.Length)
        {
            byte first = text[at];
            if (first < ascii.Length)
            {
                if ((ascii[first] & flags) == 0)
                {
                    break;
                }

                at++;
            }
            else
            {
                if ((CharClasses.Of(Utf8Text.Scalar(text, at, out int length)) & flags) == 0)
                {
                    break;
                }

                at += length;
            }
        }

        return at;
    }

    /// <summary>End of a run of characters that have none of <paramref name="flags"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static int RunWithout(ReadOnlySpan<byte> text, int at, int flags)
    {
        ReadOnlySpan<byte> ascii = CharClasses.Ascii;
        while ((uint)at < (uint)text.Length)
        {
            byte first = text[at];
            if (first < ascii.Length)
            {
                if ((ascii[first] & flags) != 0)
                {
                    break;
                }

                at++;
            }
            else
            {
                if ((CharClasses.Of(Utf8Text.Scalar(text, at, out int length)) & flags) != 0)
                {
                    break;
                }

                at += length;
            }
        }

        return at;
    }

    /// <summary><c>\p{N}{1,3}</c>: the number at <paramref name="at"/> has been seen.</summary>
    protected static int UpToThreeNumbers(ReadOnlySpan<byte> text, int at)
    {
        for (int i = 0; i < 3 && at < text.Length && (CharClasses.At(text, at, out int length) & CharClasses.Number) != 0; i++)
        {
            at += length;
        }

        return at;
    }

    /// <summary><c>\s*[\r\n]+|\s+(?!\S)|\s+</c> at a white space: through the last line break of the run, else all but the last before a word.</summary>
    protected static int WhiteSpace(ReadOnlySpan<byte> text, int start, bool lines = true)
    {
        int at = start, last = start, line = -1;
        while (at < text.Length)
        {
            int flags = CharClasses.At(text, at, out int length);
            if ((flags & CharClasses.Space) == 0)
            {
                break;
            }

            last = at;
            at += length;
            if ((flags & CharClasses.NewLine) != 0)
            {
                line = at;
            }
        }

        return lines && line >= 0 ? line
            : at == text.Length || last == start ? at
            : last;
    }

    /// <summary><c>(?i:'s|'t|'re|'ve|'m|'ll|'d)</c> at <paramref name="at"/>: its end, or <paramref name="at"/>. U+017F folds to s (spec llama1-3.md 5.3).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    protected static int Contraction(ReadOnlySpan<byte> text, int at) => at + 1 < text.Length && text[at] == '\'' ? ContractionAfterQuote(text, at) : at;

    private static int ContractionAfterQuote(ReadOnlySpan<byte> text, int at)
    {
        int second = at + 2 < text.Length ? text[at + 2] | 0x20 : 0;
        switch (text[at + 1])
        {
            case (byte)'s' or (byte)'S' or (byte)'t' or (byte)'T' or (byte)'m' or (byte)'M' or (byte)'d' or (byte)'D':
                return at + 2;
            case (byte)'r' or (byte)'R' or (byte)'v' or (byte)'V' when second == 'e':
                return at + 3;
            case (byte)'l' or (byte)'L' when second == 'l':
                return at + 3;
            case 0xC5 when at + 2 < text.Length && text[at + 2] == 0xBF:
                return at + 3;
            default:
                return at;
        }
    }
}
