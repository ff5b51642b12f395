using System.Buffers;
using System.Text;
using Puna.Text.SentencePieces;

namespace Puna.Text.Decoding;

/// <summary>
/// Decoder of SentencePiece (spec llama1-3.md 5.1): control pieces vanish, the first piece that is not control loses one ▁, runs of byte pieces are
/// UTF-8 in which every byte outside a character is one U+FFFD.
/// </summary>
internal sealed class SentencePieceDecoder(SentencePieceTokenizer tokenizer, bool stripFirst, bool stripAll) : IncrementalDecoder
{
    private readonly byte[] _pending = new byte[4];
    private int _pendingCount;
    private bool _first = true;

    /// <inheritdoc/>
    public override void Push(int id, StringBuilder text)
    {
        // Meta's Code Llama marks places without a token by -1.
        if (id == -1)
        {
            return;
        }

        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
        PieceType type = tokenizer.TypeOf(id);
        if (type == PieceType.Byte)
        {
            PushByte(bytes[0], text);
            _first = false;
            return;
        }

        EndRun(text);
        if (type == PieceType.Control)
        {
            return;
        }

        if (_first && type != PieceType.Unknown && stripFirst && tokenizer.StartsWithSpaceMark(id))
        {
            bytes = bytes[1..];
            _first = stripAll && bytes.IsEmpty;
        }
        else
        {
            _first = _first && bytes.IsEmpty;
        }

        Append(bytes, text);
    }

    /// <inheritdoc/>
    public override void Flush(StringBuilder text)
    {
        EndRun(text);
        _first = true;
    }

    private void PushByte(byte value, StringBuilder text)
    {
        _pending[_pendingCount++] = value;
        while (_pendingCount > 0)
        {
            OperationStatus status = Rune.DecodeFromUtf8(_pending.AsSpan(0, _pendingCount), out Rune rune, out int used);
            if (status == OperationStatus.NeedMoreData)
            {
                break;
            }

            text.Append(status == OperationStatus.Done ? rune.ToString() : "\uFFFD");
            Drop(status == OperationStatus.Done ? used : 1);
        }
    }

    private void EndRun(StringBuilder text)
    {
        while (_pendingCount > 0)
        {
            OperationStatus status = Rune.DecodeFromUtf8(_pending.AsSpan(0, _pendingCount), out Rune rune, out int used);
            text.Append(status == OperationStatus.Done ? rune.ToString() : "\uFFFD");
            Drop(status == OperationStatus.Done ? used : 1);
        }
    }

    private void Drop(int count)
    {
        _pending.AsSpan(count, _pendingCount - count).CopyTo(_pending);
        _pendingCount -= count;
    }

    private static void Append(ReadOnlySpan<byte> bytes, StringBuilder text)
    {
        Span<char> chars = bytes.Length <= 256 ? stackalloc char[256] : new char[bytes.Length];
        text.Append(chars[..Encoding.UTF8.GetChars(bytes, chars)]);
    }
}
