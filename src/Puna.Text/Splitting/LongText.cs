namespace Puna.Text.Splitting;

/// <summary>
/// Meta's guard around tiktoken (spec llama1-3.md 5.3): a text is encoded in blocks of 400,000 characters, and a block is cut wherever a run of only white
/// space or only other characters would exceed 25,000. White space is what Python's <c>str.isspace</c> says, U+001C to U+001F included.
/// </summary>
internal static class LongText
{
    /// <summary>Characters in a block.</summary>
    public const int BlockCharacters = 400_000;

    /// <summary>Characters in a run before it is cut.</summary>
    public const int RunCharacters = 25_000;

    /// <summary>Where the part that starts at <paramref name="start"/> ends.</summary>
    /// <param name="text">Well-formed UTF-8.</param>
    /// <param name="start">Start of the part.</param>
    /// <param name="blockEnd">End of the current block; pass 0 at first, and the same variable ever after.</param>
    public static int Next(ReadOnlySpan<byte> text, int start, ref int blockEnd)
    {
        if (start >= blockEnd)
        {
            blockEnd = BlockEnd(text, start);
        }

        // A run has at least as many bytes as characters.
        if (blockEnd - start <= RunCharacters)
        {
            return blockEnd;
        }

        int run = 0;
        bool space = false;
        for (int at = start; at < blockEnd;)
        {
            byte first = text[at];
            int length = 1;
            bool isSpace = first < 0x80 ? first is 32 or (>= 9 and <= 13) or (>= 28 and <= 31) : IsWideSpace(text, at, out length);
            if (isSpace != space)
            {
                run = 1;
                space = isSpace;
            }
            else if (++run > RunCharacters)
            {
                return at;
            }

            at += length;
        }

        return blockEnd;
    }

    private static bool IsWideSpace(ReadOnlySpan<byte> text, int at, out int length)
    {
        int scalar = Utf8Text.Scalar(text, at, out length);
        return scalar <= 0xFFFF && char.IsWhiteSpace((char)scalar);
    }

    private static int BlockEnd(ReadOnlySpan<byte> text, int start)
    {
        if (text.Length - start <= BlockCharacters)
        {
            return text.Length;
        }

        int characters = 0, at = start;
        for (; at < text.Length; at++)
        {
            if ((text[at] & 0xC0) != 0x80 && ++characters > BlockCharacters)
            {
                break;
            }
        }

        return at;
    }
}
