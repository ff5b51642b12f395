using System.Buffers;
using System.Text;
using Puna.Text.Decoding;
using Puna.Text.Merging;
using Puna.Text.SentencePieces;
using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text.HuggingFace;

/// <summary>
/// A <c>tokenizer.json</c> whose tokens are SentencePiece's pieces. Byte pair encoding with a list of merges, as of Llama 2 (spec llama1-3.md 5.1, "HF variants"): pieces are merged in the
/// order of the list of pairs. Or a unigram model, as of Prompt Guard (5.5): the pieces of the greatest total score.
/// </summary>
public sealed class MergedPiecesTokenizer : MergeTokenizer
{
    private readonly TokenTable _tokens;
    private readonly TokenTable _decoded;
    private readonly Dictionary<int, byte[]> _firstBytes = [];
    private readonly Dictionary<int, byte[]> _addedBytes = [];
    private readonly PairRule _rule;
    private readonly PieceCuts? _cuts;
    private readonly UnigramSegmenter? _unigram;
    private readonly int[] _ascii = new int[128];
    private readonly int[] _byteIds = new int[256];
    private readonly short[] _byteOf;

    // Whether merging the characters of a token gives the token itself: 0 not yet known, 1 yes, 2 no. Filled as tokens are met; any thread writes the same.
    private readonly byte[] _whole;

    internal MergedPiecesTokenizer(TokenizerParts parts)
        : base(parts)
    {
        MergeVocabulary vocabulary = parts.Vocabulary;
        _tokens = vocabulary.Tokens;
        _rule = new PairRule(vocabulary.Merges);
        _whole = new byte[_tokens.Count];
        _byteOf = new short[VocabularySize];
        Array.Fill(_byteOf, (short)-1);
        Array.Fill(_byteIds, -1);
        var decoded = new TokenTable.Builder(_tokens.Count, _tokens.Count * 8);
        for (int id = 0; id < VocabularySize; id++)
        {
            ReadOnlySpan<byte> piece = Added(id) is AddedToken added ? Encoding.UTF8.GetBytes(added.Content) : id < _tokens.Count ? _tokens[id] : default;
            byte[] text = Decode(id, piece);
            if (Added(id) is not null)
            {
                _addedBytes[id] = text;
            }
            else if (_tokens.Exists(id))
            {
                decoded.Add(id, text, indexed: false);
                if (SentencePieceModel.ByteValue(piece) is >= 0 and int value && piece[3..5].IndexOfAnyInRange((byte)'a', (byte)'f') < 0)
                {
                    _byteIds[value] = id;
                }
            }
        }

        _decoded = decoded.Build();
        for (int i = 0; i < _ascii.Length; i++)
        {
            _ascii[i] = _tokens.Find([(byte)i]);
        }

        _cuts = Cuts();
        _unigram = parts.Scores is double[] scores ? Segmenter(_tokens, scores) : null;
    }

    /// <inheritdoc/>
    public override TokenizerKind Kind => _unigram is null ? TokenizerKind.MergedPieces : TokenizerKind.Unigram;

    /// <inheritdoc/>
    public override IncrementalDecoder CreateDecoder(bool skipSpecial = false) => new MergedPiecesDecoder(this, Parts.Decoding, skipSpecial);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> TokenBytes(int id)
    {
        CheckId(id);
        return Added(id) is not null ? _addedBytes[id] : id < _decoded.Count ? _decoded[id] : default;
    }

    /// <summary>The byte a token stands for when decoding, or -1.</summary>
    internal int ByteOf(int id)
    {
        CheckId(id);
        return _byteOf[id];
    }

    /// <summary>Whether there is a token of this id.</summary>
    internal bool Exists(int id) => Added(id) is not null || _tokens.Exists(id);

    /// <summary>The bytes of a token at the beginning of a text where they are others than elsewhere.</summary>
    internal byte[]? FirstBytes(int id) => _firstBytes.GetValueOrDefault(id);

    private protected override void EncodeSection(ReadOnlySpan<byte> text, bool first, List<int> ids)
    {
        byte[]? rented = null;
        if (Parts.Metaspace is Metaspace metaspace)
        {
            bool marked = text[0] == ' ' || text.StartsWith(metaspace.Mark);
            bool prepend = !marked && (metaspace.Scheme == PrependScheme.Always || (metaspace.Scheme == PrependScheme.First && first));
            (rented, int length) = SpaceMarks.Write(text, prepend ? metaspace.Mark : [], metaspace.Mark);
            text = rented.AsSpan(0, length);
        }

        if (Parts.Splitter.IsWhole)
        {
            EncodePart(text, ids);
        }
        else
        {
            foreach ((int start, int end) in Parts.Splitter.Split(text))
            {
                EncodePart(text[start..end], ids);
            }
        }

        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void EncodePart(ReadOnlySpan<byte> text, List<int> ids)
    {
        if (_unigram is not null)
        {
            EncodeUnigram(_unigram, text, ids);
            return;
        }

        if (Parts.IgnoreMerges && _tokens.Find(text) is >= 0 and int id)
        {
            ids.Add(id);
            return;
        }

        for (int from = 0; from < text.Length;)
        {
            int to = _cuts is null ? text.Length : _cuts.Next(text, from);
            EncodeWord(text[from..to], ids);
            from = to;
        }
    }

    private void EncodeUnigram(UnigramSegmenter unigram, ReadOnlySpan<byte> text, List<int> ids)
    {
        int[] pieces = ArrayPool<int>.Shared.Rent(text.Length), ends = ArrayPool<int>.Shared.Rent(text.Length);
        int count = unigram.Cut(text, pieces, ends);
        for (int i = 0, start = 0; i < count; start = ends[i++])
        {
            if (pieces[i] >= 0)
            {
                ids.Add(pieces[i]);
                continue;
            }

            // A run of unknown characters is one token, or all its bytes.
            while (i + 1 < count && pieces[i + 1] < 0)
            {
                i++;
            }

            ReadOnlySpan<byte> run = text[start..ends[i]];
            if (!Parts.ByteFallback || !AllBytes(run))
            {
                ids.Add(Parts.Unknown);
                continue;
            }

            foreach (byte b in run)
            {
                ids.Add(_byteIds[b]);
            }
        }

        ArrayPool<int>.Shared.Return(pieces);
        ArrayPool<int>.Shared.Return(ends);
    }

    private void EncodeWord(ReadOnlySpan<byte> word, List<int> ids)
    {
        int whole = word.Length == 1 ? _ascii[word[0]] : _tokens.Find(word);
        if (whole >= 0 && _whole[whole] == 1)
        {
            ids.Add(whole);
            return;
        }

        // A character is one symbol, or as many as it has bytes; an unknown one that is held back may come behind.
        const int OnStack = 256;
        int most = word.Length + 2;
        int[]? rented = null;
        Span<int> space = most <= OnStack ? stackalloc int[OnStack * 2] : (rented = ArrayPool<int>.Shared.Rent(checked(most * 2)));
        Span<int> symbols = space[..most];
        Span<int> starts = space.Slice(most, most);
        int count = Symbols(word, symbols);
        starts[..(count + 1)].Clear();
        count = BpeMerger.Merge(_rule, default, starts[..(count + 1)], symbols[..count]);
        ids.AddRange(symbols[..count]);
        if (whole >= 0)
        {
            _whole[whole] = (byte)(count == 1 && symbols[0] == whole ? 1 : 2);
        }

        if (rented is not null)
        {
            ArrayPool<int>.Shared.Return(rented);
        }
    }

    private static UnigramSegmenter Segmenter(TokenTable tokens, double[] scores)
    {
        var segmenter = new UnigramSegmenter(single: false);
        segmenter.SetWorst(scores.Min());
        for (int id = 0; id < scores.Length; id++)
        {
            // Special tokens are not in the index, for text must not become them.
            if (tokens.Exists(id) && tokens[id].Length > 0 && tokens.Find(tokens[id]) == id)
            {
                segmenter.Add(tokens[id], id, scores[id]);
            }
        }

        return segmenter;
    }

    /// <summary>
    /// The symbols merging starts from, in the order of the original: an unknown character is held back until a known one, so that bytes of others may overtake it.
    /// </summary>
    private int Symbols(ReadOnlySpan<byte> word, Span<int> symbols)
    {
        int count = 0;
        bool unknown = false;
        for (int at = 0; at < word.Length;)
        {
            int length = Utf8Text.Length(word[at]);
            ReadOnlySpan<byte> character = word.Slice(at, length);
            int id = length == 1 ? _ascii[word[at]] : _tokens.Find(character);
            at += length;
            if (id >= 0)
            {
                if (unknown)
                {
                    symbols[count++] = Parts.Unknown;
                    unknown = false;
                }

                symbols[count++] = id;
            }
            else if (Parts.ByteFallback && AllBytes(character))
            {
                foreach (byte b in character)
                {
                    symbols[count++] = _byteIds[b];
                }
            }
            else if (Parts.Unknown >= 0)
            {
                if (unknown && !Parts.FuseUnknown)
                {
                    symbols[count++] = Parts.Unknown;
                }

                unknown = true;
            }
        }

        if (unknown)
        {
            symbols[count++] = Parts.Unknown;
        }

        return count;
    }

    private bool AllBytes(ReadOnlySpan<byte> character)
    {
        foreach (byte b in character)
        {
            if (_byteIds[b] < 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Where a text may be cut before merging, or null: only where every character has symbols of its own, and merges join text with text (not bytes, not the unknown).
    /// </summary>
    private PieceCuts? Cuts()
    {
        if (!Parts.ByteFallback || Array.IndexOf(_byteIds, -1) >= 0)
        {
            return null;
        }

        var cuts = new PieceCuts();
        PairTable merges = Parts.Vocabulary.Merges;
        for (int rank = 0; rank < merges.Count; rank++)
        {
            int left = merges.Left(rank), right = merges.Right(rank);
            if (left < 0)
            {
                continue;
            }

            if (IsByteToken(left) || IsByteToken(right) || left == Parts.Unknown || right == Parts.Unknown)
            {
                return null;
            }

            cuts.Add(_tokens[merges.Merged(rank)]);
        }

        return cuts;
    }

    private bool IsByteToken(int id) => SentencePieceModel.ByteValue(_tokens[id]) >= 0;

    /// <summary>The text of a token behind others, after the replacements of the decoder; notes what is different for bytes and at the beginning.</summary>
    private byte[] Decode(int id, ReadOnlySpan<byte> piece)
    {
        PieceDecoding decoding = Parts.Decoding;
        string text = Encoding.UTF8.GetString(piece);
        foreach ((string from, string to) in decoding.Replace)
        {
            text = text.Replace(from, to, StringComparison.Ordinal);
        }

        if (decoding.Metaspace is Metaspace metaspace)
        {
            string mark = Encoding.UTF8.GetString(metaspace.Mark);
            if (metaspace.Scheme != PrependScheme.Never && text.Contains(mark, StringComparison.Ordinal))
            {
                _firstBytes[id] = Encoding.UTF8.GetBytes(text.Replace(mark, "", StringComparison.Ordinal));
            }

            text = text.Replace(mark, " ", StringComparison.Ordinal);
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text);
        if (decoding.ByteFallback && SentencePieceModel.ByteValue(bytes) is >= 0 and int value)
        {
            _byteOf[id] = (short)value;
            return [(byte)value];
        }

        return bytes;
    }
}
