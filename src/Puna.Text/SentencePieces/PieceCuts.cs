using System.Runtime.CompilerServices;
using Puna.Text.Splitting;

namespace Puna.Text.SentencePieces;

/// <summary>
/// Cuts text where merging can never join: between two characters that are not next to each other in any piece. Characters are told apart as far as they are
/// ASCII or ▁; all others count as one. With the pieces of Llama 2 this cuts before every ▁ behind a letter, and around most punctuation and digits,
/// so that merging works on short parts with the same result.
/// </summary>
internal sealed class PieceCuts
{
    private const int Mark = 128;
    private const int Other = 129;
    private const int Classes = 130;

    private readonly bool[] _joined = new bool[Classes * Classes];

    /// <summary>Notes the neighbours in a piece that merging may make.</summary>
    public void Add(ReadOnlySpan<byte> piece)
    {
        int previous = -1;
        for (int at = 0; at < piece.Length;)
        {
            int next = Class(piece, at, out int length);
            if (previous >= 0)
            {
                _joined[(previous * Classes) + next] = true;
            }

            previous = next;
            at += length;
        }
    }

    /// <summary>End of the part that starts at <paramref name="start"/>; the text is well-formed UTF-8.</summary>
    public int Next(ReadOnlySpan<byte> text, int start)
    {
        bool[] joined = _joined;
        int previous = Class(text, start, out int length);
        int at = start + length;
        while (at < text.Length)
        {
            int next = Class(text, at, out length);
            if (!joined[(previous * Classes) + next])
            {
                break;
            }

            previous = next;
            at += length;
        }

        return at;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Class(ReadOnlySpan<byte> text, int at, out int length)
    {
        byte first = text[at];
        if (first < 0x80)
        {
            length = 1;
            return first;
        }

        length = Utf8Text.Length(first);
        return first == 0xE2 && text[at + 1] == 0x96 && text[at + 2] == 0x81 ? Mark : Other;
    }
}
