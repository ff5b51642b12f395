using System.Runtime.CompilerServices;

namespace Puna.Text.Training;

/// <summary>
/// Words of SentencePiece (spec training.md 2.1): each non-empty line gets a space in front and is cut before every space, or before every run of them. Words are
/// counted as they stand in the text, with spaces; ▁ in the text counts as a space.
/// </summary>
/// <param name="runs">Whether a run of spaces stays together.</param>
/// <param name="maxLine">Lines of more bytes are left out; 0 for none, otherwise less than a block.</param>
internal sealed class SentencePieceWords(bool runs, int maxLine = 0) : WordSplitter
{
    /// <inheritdoc/>
    public override int Cut(ReadOnlySpan<byte> text, int from)
    {
        int line = text[from..].LastIndexOf((byte)'\n');
        if (line >= 0)
        {
            return from + line + 1;
        }

        // In a very long line: before spaces.
        for (int at = text.Length - 1; at > from; at--)
        {
            if (Space(text, at) > 0 && text[at - 1] != ' ' && (at < 3 || Space(text, at - 3) == 0))
            {
                return at;
            }
        }

        return 0;
    }

    /// <inheritdoc/>
    public override bool CutBegins(ReadOnlySpan<byte> part) => part[^1] == '\n';

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public override void Count(byte[] bytes, int start, int end, bool begins, WordTable words)
    {
        for (int at = start; at < end;)
        {
            int length = bytes.AsSpan(at, end - at).IndexOf((byte)'\n');
            int lineEnd = length < 0 ? end : at + length;
            if (lineEnd > at && maxLine > 0 && (!begins || lineEnd - at > maxLine))
            {
                // Only of a line that fills a block there is a part that does not begin.
                words.LinesLeftOut += begins ? 1 : 0;
            }
            else if (lineEnd > at)
            {
                if (begins)
                {
                    bytes[--at] = (byte)' ';
                }

                Line(bytes.AsSpan(at, lineEnd - at), words);
            }

            at = lineEnd + 1;
            begins = true;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Line(ReadOnlySpan<byte> line, WordTable words)
    {
        for (int start = 0; start < line.Length;)
        {
            int at = start, space = Space(line, at);
            while (space > 0)
            {
                at += space;
                space = runs && at < line.Length ? Space(line, at) : 0;
            }

            while (at < line.Length && Space(line, at) == 0)
            {
                at++;
            }

            words.Add(line[start..at]);
            start = at;
        }
    }

    /// <summary>Bytes of the space at a place: 1, 3 for ▁, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Space(ReadOnlySpan<byte> text, int at) =>
        text[at] == ' ' ? 1 : text[at] == 0xE2 && at + 2 < text.Length && text[at + 1] == 0x96 && text[at + 2] == 0x81 ? 3 : 0;
}
