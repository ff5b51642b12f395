using System.Text;

namespace Puna.Text.Decoding;

/// <summary>
/// Decoder of byte-level vocabularies: the bytes of all tokens are one UTF-8 text, with one U+FFFD per maximal ill-formed part (spec llama1-3.md 5.3).
/// </summary>
internal sealed class ByteDecoder(Tokenizer tokenizer, bool skipSpecial) : IncrementalDecoder
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private char[] _chars = new char[64];

    /// <inheritdoc/>
    public override void Push(int id, StringBuilder text)
    {
        ReadOnlySpan<byte> bytes = tokenizer.TokenBytes(id);
        if (!(skipSpecial && tokenizer.IsSpecial(id)))
        {
            Append(bytes, text, flush: false);
        }
    }

    /// <inheritdoc/>
    public override void Flush(StringBuilder text)
    {
        Append([], text, flush: true);
        _utf8.Reset();
    }

    private void Append(ReadOnlySpan<byte> bytes, StringBuilder text, bool flush)
    {
        int most = Encoding.UTF8.GetMaxCharCount(bytes.Length + 4);
        if (_chars.Length < most)
        {
            _chars = new char[most];
        }

        int count = _utf8.GetChars(bytes, _chars, flush);
        text.Append(_chars, 0, count);
    }
}
