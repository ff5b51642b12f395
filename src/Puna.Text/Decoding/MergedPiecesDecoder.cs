using System.Text;
using Puna.Text.HuggingFace;

namespace Puna.Text.Decoding;

/// <summary>
/// Decoder of a Llama 2 style <c>tokenizer.json</c> (spec llama1-3.md 5.1, "HF variants"): special tokens stay unless skipped; a run of byte tokens is text as a whole, or
/// one U+FFFD for each; the whole loses a space in front. A run is therefore held back until it ends.
/// </summary>
internal sealed class MergedPiecesDecoder(MergedPiecesTokenizer tokenizer, PieceDecoding decoding, bool skipSpecial) : IncrementalDecoder
{
    private static readonly UTF8Encoding Strict = new(false, true);

    private readonly List<byte> _run = [];
    private int _strip = decoding.StripStart;
    private bool _first = true;

    /// <inheritdoc/>
    public override void Push(int id, StringBuilder text)
    {
        int value = tokenizer.ByteOf(id);
        if ((skipSpecial && tokenizer.IsSpecial(id)) || !tokenizer.Exists(id))
        {
            return;
        }

        if (value >= 0)
        {
            _run.Add((byte)value);
            _first = false;
            return;
        }

        EndRun(text);
        ReadOnlySpan<byte> bytes = _first && tokenizer.FirstBytes(id) is byte[] first ? first : tokenizer.TokenBytes(id);
        if (decoding.Spaced && !_first)
        {
            text.Append(' ');
        }

        _first = false;
        Append(Encoding.UTF8.GetString(bytes), text);
    }

    /// <inheritdoc/>
    public override void Flush(StringBuilder text)
    {
        EndRun(text);
        _first = true;
        _strip = decoding.StripStart;
    }

    private void EndRun(StringBuilder text)
    {
        if (_run.Count == 0)
        {
            return;
        }

        string run;
        try
        {
            run = Strict.GetString([.. _run]);
        }
        catch (DecoderFallbackException)
        {
            run = new string('\uFFFD', _run.Count);
        }

        _run.Clear();
        Append(run, text);
    }

    private void Append(string part, StringBuilder text)
    {
        int skip = 0;
        while (_strip > 0 && skip < part.Length)
        {
            if (string.CompareOrdinal(part, skip, decoding.StripCharacter, 0, decoding.StripCharacter.Length) != 0)
            {
                _strip = 0;
                break;
            }

            _strip--;
            skip += decoding.StripCharacter.Length;
        }

        text.Append(part, skip, part.Length - skip);
    }
}
