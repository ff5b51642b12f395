using System.Buffers;
using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text.SentencePieces;

/// <summary>
/// SentencePiece's normaliser: replaces by the character map, removes extra spaces where asked to, puts a dummy space in front of what is not empty, and
/// writes spaces as ▁ (spec llama1-3.md 5.1 step 1 and 5.5 steps 1 and 2). User-defined pieces in the text are left as they are.
/// </summary>
internal sealed class PieceNormalizer(SentencePieceModel model, CharsMap? map, SpecialMatcher userDefined)
{
    private readonly byte[] _space = model.EscapeWhitespaces ? "▁"u8.ToArray() : " "u8.ToArray();

    /// <summary>Normalises well-formed UTF-8 into a rented array.</summary>
    /// <returns>The array, to be given back to the shared pool, and how much of it is used.</returns>
    public (byte[] Buffer, int Length) Normalize(ReadOnlySpan<byte> text)
    {
        if (map is not null || model.RemoveExtraWhitespaces)
        {
            return Slow(text, ArrayPool<byte>.Shared.Rent((text.Length * 2) + 16));
        }

        return SpaceMarks.Write(text, text.Length > 0 && model.AddDummyPrefix ? _space : [], _space);
    }

    private (byte[] Buffer, int Length) Slow(ReadOnlySpan<byte> text, byte[] output)
    {
        int length = 0;
        int at = 0;
        bool trim = model.RemoveExtraWhitespaces;
        while (trim && at < text.Length)
        {
            ReadOnlySpan<byte> leading = Chunk(text[at..], out int used);
            if (!leading.SequenceEqual(" "u8))
            {
                break;
            }

            at += used;
        }

        if (at == text.Length)
        {
            return (output, 0);
        }

        if (model.AddDummyPrefix)
        {
            Append(ref output, ref length, _space);
        }

        bool afterSpace = trim;
        while (at < text.Length)
        {
            ReadOnlySpan<byte> chunk = Chunk(text[at..], out int used);
            at += used;
            if (afterSpace)
            {
                chunk = chunk.TrimStart((byte)' ');
            }

            if (!chunk.IsEmpty)
            {
                foreach (byte b in chunk)
                {
                    Append(ref output, ref length, b == ' ' ? _space : [b]);
                }

                afterSpace = trim && chunk[^1] == ' ';
            }
        }

        while (trim && output.AsSpan(0, length).EndsWith(_space))
        {
            length -= _space.Length;
        }

        return (output, length);
    }

    /// <summary>The next sequence as it goes on: a user-defined piece, a replacement, or one character.</summary>
    private ReadOnlySpan<byte> Chunk(ReadOnlySpan<byte> text, out int used)
    {
        if (userDefined.Count > 0 && userDefined.Longest(text, 0, SpecialTokens.All, out used) >= 0)
        {
            return text[..used];
        }

        if (map is not null)
        {
            used = map.Longest(text, out ReadOnlySpan<byte> replacement);
            if (used > 0)
            {
                return replacement;
            }
        }

        used = Utf8Text.Length(text[0]);
        return text[..used];
    }

    private static void Append(ref byte[] output, ref int length, ReadOnlySpan<byte> bytes)
    {
        if (output.Length - length < bytes.Length)
        {
            byte[] larger = ArrayPool<byte>.Shared.Rent(checked(output.Length * 2));
            output.AsSpan(0, length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(output);
            output = larger;
        }

        bytes.CopyTo(output.AsSpan(length));
        length += bytes.Length;
    }
}
