using System.Runtime.CompilerServices;

namespace Puna.Text.Splitting;

/// <summary>Walking well-formed UTF-8.</summary>
internal static class Utf8Text
{
    /// <summary>The Unicode scalar at <paramref name="at"/> of well-formed UTF-8, and how many bytes it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Scalar(ReadOnlySpan<byte> text, int at, out int length)
    {
        int first = text[at];
        if (first < 0x80)
        {
            length = 1;
            return first;
        }

        if (first < 0xE0)
        {
            length = 2;
            return ((first & 0x1F) << 6) | (text[at + 1] & 0x3F);
        }

        if (first < 0xF0)
        {
            length = 3;
            return ((first & 0xF) << 12) | ((text[at + 1] & 0x3F) << 6) | (text[at + 2] & 0x3F);
        }

        length = 4;
        return ((first & 7) << 18) | ((text[at + 1] & 0x3F) << 12) | ((text[at + 2] & 0x3F) << 6) | (text[at + 3] & 0x3F);
    }

    /// <summary>Bytes of the character that starts with this byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Length(byte first) => first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

    /// <summary>Where the character before <paramref name="at"/> starts.</summary>
    public static int Previous(ReadOnlySpan<byte> text, int at)
    {
        do
        {
            at--;
        }
        while (at > 0 && (text[at] & 0xC0) == 0x80);

        return at;
    }
}
