using System.Globalization;
using System.Runtime.CompilerServices;

namespace Puna.Text.Splitting;

/// <summary>
/// What the split patterns ask of a character, one byte of flags per Unicode scalar. Categories are those of the runtime (Unicode 16 in .NET 10, as in
/// tiktoken 0.14: spec llama1-3.md 5.3); white space is Unicode White_Space, so U+0085 is in and U+001C to U+001F are out.
/// </summary>
internal static class CharClasses
{
    /// <summary><c>\p{L}</c></summary>
    public const int Letter = 1;

    /// <summary><c>\p{N}</c></summary>
    public const int Number = 2;

    /// <summary><c>\s</c></summary>
    public const int Space = 4;

    /// <summary><c>[\r\n]</c></summary>
    public const int NewLine = 8;

    /// <summary><c>[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]</c>: may stand in the upper part of a Llama 4 word.</summary>
    public const int Upper = 16;

    /// <summary><c>[\p{Ll}\p{Lm}\p{Lo}\p{M}]</c>: may stand in the lower part of a Llama 4 word.</summary>
    public const int Lower = 32;

    /// <summary>Any of letter, number, space: what <c>[^\s\p{L}\p{N}]</c> leaves out.</summary>
    public const int Named = Letter | Number | Space;

    private static readonly byte[]?[] Pages = new byte[0x1100][];
    private static readonly byte[] AsciiFlags = Fill(0)[..128];

    /// <summary>Flags of the 128 ASCII characters.</summary>
    public static ReadOnlySpan<byte> Ascii => AsciiFlags;

    /// <summary>Flags of a Unicode scalar.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Of(int scalar)
    {
        byte[] page = Pages[scalar >> 8] ?? Fill(scalar >> 8);
        return page[scalar & 0xFF];
    }

    /// <summary>Flags of the character at <paramref name="at"/> in well-formed UTF-8, and how many bytes it has.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int At(ReadOnlySpan<byte> text, int at, out int length)
    {
        byte first = text[at];
        if (first < 0x80)
        {
            length = 1;
            return AsciiFlags[first];
        }

        return Of(Utf8Text.Scalar(text, at, out length));
    }

    // Two threads may fill the same page; both write the same bytes, and one of the arrays stays.
    private static byte[] Fill(int page)
    {
        byte[] flags = new byte[256];
        for (int i = 0; i < flags.Length; i++)
        {
            flags[i] = (byte)Classify((page << 8) | i);
        }

        return Pages[page] = flags;
    }

    private static int Classify(int scalar)
    {
        int flags = CharUnicodeInfo.GetUnicodeCategory(scalar) switch
        {
            UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => Letter | Upper,
            UnicodeCategory.LowercaseLetter => Letter | Lower,
            UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => Letter | Upper | Lower,
            UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => Upper | Lower,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => Number,
            _ => 0,
        };
        bool space = scalar <= 0xFFFF && char.IsWhiteSpace((char)scalar);
        return flags | (space ? Space : 0) | (scalar is '\r' or '\n' ? NewLine : 0);
    }
}
