using System.Buffers;
using System.Text;
using Puna.Text.Decoding;
using Puna.Text.Merging;
using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text.HuggingFace;

/// <summary>
/// Byte-level byte pair encoding with a list of merges: <c>tokenizer.json</c> of Llama 3 style, and GGUF vocabularies of model <c>gpt2</c> (spec llama1-3.md 5.3).
/// </summary>
public sealed class ByteLevelTokenizer : MergeTokenizer
{
    private readonly MergeVocabulary _vocabulary;
    private readonly TokenTable _tokens;
    private readonly PairRule _rule;
    private readonly int[] _byteIds = new int[256];
    private readonly bool _allBytes;
    private readonly Dictionary<int, byte[]> _addedBytes = [];

    // Whether merging the bytes of a token gives the token itself: 0 not yet known, 1 yes, 2 no. Filled as tokens are met; any thread writes the same.
    private readonly byte[] _whole;

    internal ByteLevelTokenizer(TokenizerParts parts, bool addedInAlphabet)
        : base(parts)
    {
        _vocabulary = parts.Vocabulary;
        _tokens = _vocabulary.Tokens;
        _rule = new PairRule(_vocabulary.Merges);
        _whole = new byte[_tokens.Count];
        _allBytes = true;
        for (int i = 0; i < 256; i++)
        {
            _byteIds[i] = _tokens.Find([(byte)i]);
            _allBytes &= _byteIds[i] >= 0;
        }

        foreach (AddedToken token in parts.Added)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(token.Content);
            byte[] raw = new byte[bytes.Length];
            int length = addedInAlphabet ? ByteAlphabet.ToBytes(bytes, raw) : -1;
            _addedBytes.TryAdd(token.Id, length < 0 ? bytes : raw[..length]);
        }
    }

    /// <inheritdoc/>
    public override TokenizerKind Kind => TokenizerKind.ByteLevel;

    /// <inheritdoc/>
    public override IncrementalDecoder CreateDecoder(bool skipSpecial = false) => new ByteDecoder(this, skipSpecial);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> TokenBytes(int id)
    {
        CheckId(id);
        return Added(id) is not null ? _addedBytes[id] : id < _tokens.Count ? _tokens[id] : default;
    }

    private protected override void EncodeSection(ReadOnlySpan<byte> text, bool first, List<int> ids)
    {
        byte[]? rented = null;
        if (Parts.AddPrefixSpace && text[0] != ' ')
        {
            rented = ArrayPool<byte>.Shared.Rent(text.Length + 1);
            rented[0] = (byte)' ';
            text.CopyTo(rented.AsSpan(1));
            text = rented.AsSpan(0, text.Length + 1);
        }

        if (Parts.Splitter.Scanner is PieceScanner scanner)
        {
            for (int from = 0; from < text.Length;)
            {
                int to = scanner.Next(text, from);
                EncodePiece(text[from..to], ids);
                from = to;
            }
        }
        else
        {
            foreach ((int start, int end) in Parts.Splitter.Split(text))
            {
                EncodePiece(text[start..end], ids);
            }
        }

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void EncodePiece(ReadOnlySpan<byte> piece, List<int> ids)
    {
        int whole = piece.Length == 1 ? _byteIds[piece[0]] : _tokens.Find(piece);
        if (whole >= 0 && (Parts.IgnoreMerges || piece.Length == 1 || _whole[whole] == 1))
        {
            ids.Add(whole);
            return;
        }

        int before = ids.Count;
        if (_allBytes)
        {
            ByteMerges.Append(_rule, piece, _byteIds, ids);
        }
        else
        {
            EncodeWithGaps(piece, ids);
        }

        if (whole >= 0)
        {
            _whole[whole] = (byte)(ids.Count == before + 1 && ids[before] == whole ? 1 : 2);
        }
    }

    /// <summary>As the original does where some bytes are no tokens: they become the unknown token, or vanish.</summary>
    private void EncodeWithGaps(ReadOnlySpan<byte> piece, List<int> ids)
    {
        int[] symbols = ArrayPool<int>.Shared.Rent(piece.Length + 1);
        int[] starts = ArrayPool<int>.Shared.Rent(piece.Length + 2);
        int count = 0;
        bool afterUnknown = false;
        foreach (byte b in piece)
        {
            int id = _byteIds[b];
            bool unknown = id < 0;
            if (unknown && (Parts.Unknown < 0 || (afterUnknown && Parts.FuseUnknown)))
            {
                continue;
            }

            starts[count] = 0;
            symbols[count++] = unknown ? Parts.Unknown : id;
            afterUnknown = unknown;
        }

        starts[count] = 0;
        count = BpeMerger.Merge(_rule, default, starts.AsSpan(0, count + 1), symbols.AsSpan(0, count));
        ids.AddRange(symbols.AsSpan(0, count));
        ArrayPool<int>.Shared.Return(symbols);
        ArrayPool<int>.Shared.Return(starts);
    }
}
