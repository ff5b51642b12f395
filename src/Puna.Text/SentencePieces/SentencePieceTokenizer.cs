using System.Buffers;
using System.Text;
using Puna.Tensors;
using Puna.Text.Decoding;
using Puna.Text.Merging;
using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text.SentencePieces;

/// <summary>
/// SentencePiece. Byte pair encoding: Llama 1, Llama 2, Code Llama, and GGUF vocabularies of model <c>llama</c> (spec llama1-3.md 5.1): the text is normalised,
/// user-defined pieces are taken as they stand, and the characters of the rest are joined by score; what is no piece then becomes bytes. Unigram: Prompt Guard (5.5): the normalised text is cut into
/// the pieces of the greatest total score.
/// </summary>
public sealed class SentencePieceTokenizer : Tokenizer
{
    private readonly TokenTable _pieces;
    private readonly TokenTable _decoded;
    private readonly int[] _order;
    private readonly int[] _ascii = new int[128];
    private readonly int[] _byteIds = new int[256];
    private readonly int _unknown;
    private readonly bool _hasUnused;
    private readonly PieceCuts _cuts = new();
    private readonly SpecialMatcher _specials;
    private readonly SpecialMatcher _userDefined;
    private readonly PieceNormalizer _normalizer;
    private readonly UnigramSegmenter? _unigram;

    // Whether merging the characters of a piece gives the piece itself: 0 not yet known, 1 yes, 2 no. Filled as pieces are met; any thread writes the same.
    private readonly byte[] _whole;

    internal SentencePieceTokenizer(SentencePieceModel model, string file, TokenRoles? roles = null, bool allowDuplicates = false)
        : base(roles ?? SentencePieceRoles.Of(model))
    {
        Model = model;
        int count = model.Pieces.Count;
        var pieces = new TokenTable.Builder(count, count * 8);
        var decoded = new TokenTable.Builder(count, count * 8);
        var specials = new List<KeyValuePair<string, int>>();
        var userDefined = new List<KeyValuePair<string, int>>();
        Array.Fill(_byteIds, -1);
        for (int id = 0; id < count; id++)
        {
            byte[] piece = model.Pieces[id];
            PieceType type = model.Types[id];
            bool spelled = type is PieceType.Normal or PieceType.UserDefined or PieceType.Unused && piece.Length > 0;
            if (pieces.Add(id, piece, spelled) is int other && other != id && !allowDuplicates)
            {
                throw new FileFormatException(file, $"piece {Encoding.UTF8.GetString(piece)}: expected once, got it as {other} and {id}");
            }

            decoded.Add(id, Decoded(model, id), indexed: false);
            switch (type)
            {
                case PieceType.Byte:
                    _byteIds[SentencePieceModel.ByteValue(piece)] = id;
                    break;
                case PieceType.UserDefined:
                    userDefined.Add(KeyValuePair.Create(Encoding.UTF8.GetString(piece), id));
                    break;
                case PieceType.Control or PieceType.Unknown:
                    specials.Add(KeyValuePair.Create(Encoding.UTF8.GetString(piece), id));
                    _unknown = type == PieceType.Unknown ? id : _unknown;
                    break;
                default:
                    _hasUnused |= type == PieceType.Unused;
                    _cuts.Add(piece);
                    break;
            }
        }

        _pieces = pieces.Build();
        _decoded = decoded.Build();
        _order = ScoreRule.Order(model.Scores);
        _specials = new SpecialMatcher(specials);
        _userDefined = new SpecialMatcher(userDefined);
        _normalizer = new PieceNormalizer(model, model.CharsMap.Length > 0 ? new CharsMap(model.CharsMap, file) : null, _userDefined);
        _unigram = model.ModelType == SentencePieceModel.Unigram ? Segmenter(model) : null;
        _whole = new byte[count];
        for (int i = 0; i < _ascii.Length; i++)
        {
            _ascii[i] = _pieces.Find([(byte)i]);
        }
    }

    /// <inheritdoc/>
    public override TokenizerKind Kind => _unigram is null ? TokenizerKind.SentencePiece : TokenizerKind.Unigram;

    /// <inheritdoc/>
    public override int VocabularySize => _pieces.Count;

    /// <summary>Whether a text is given a space in front that it does not have.</summary>
    public bool AddsDummyPrefix => Model.AddDummyPrefix;

    /// <summary>Texts of all pieces, and ids by text for those that text can become.</summary>
    internal TokenTable Pieces => _pieces;

    /// <summary>Pieces and settings.</summary>
    internal SentencePieceModel Model { get; }

    /// <summary>Reads a <c>tokenizer.model</c>.</summary>
    /// <param name="content">The file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <exception cref="FileFormatException">The file is malformed, or asks for something that is not understood.</exception>
    public static SentencePieceTokenizer Read(ReadOnlySpan<byte> content, string file) => new(SentencePieceReader.Read(content, file), file);

    /// <summary>Type of a piece.</summary>
    /// <exception cref="PunaException">The id is outside the vocabulary.</exception>
    public PieceType TypeOf(int id)
    {
        CheckId(id);
        return Model.Types[id];
    }

    /// <summary>Score of a piece.</summary>
    /// <exception cref="PunaException">The id is outside the vocabulary.</exception>
    public float ScoreOf(int id)
    {
        CheckId(id);
        return Model.Scores[id];
    }

    /// <inheritdoc/>
    public override IncrementalDecoder CreateDecoder(bool skipSpecial = false) =>
        new SentencePieceDecoder(this, Model.AddDummyPrefix || Model.RemoveExtraWhitespaces, Model.RemoveExtraWhitespaces);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> TokenBytes(int id)
    {
        CheckId(id);
        return _decoded[id];
    }

    /// <inheritdoc/>
    public override string Piece(int id)
    {
        CheckId(id);
        return Encoding.UTF8.GetString(_pieces[id]);
    }

    /// <inheritdoc/>
    public override int? IdOf(string piece)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(piece);
        int id = _pieces.Find(bytes);
        id = id >= 0 ? id : _specials.IdOf(bytes);
        id = id < 0 && SentencePieceModel.ByteValue(bytes) is >= 0 and int value && _byteIds[value] >= 0 && Piece(_byteIds[value]) == piece ? _byteIds[value] : id;
        return id >= 0 ? id : null;
    }

    /// <inheritdoc/>
    public override bool IsSpecial(int id) => TypeOf(id) is PieceType.Control or PieceType.Unknown;

    /// <summary>Whether a piece begins with ▁.</summary>
    internal bool StartsWithSpaceMark(int id) => _pieces[id].StartsWith("▁"u8);

    private protected override void EncodeCore(ReadOnlySpan<byte> text, List<int> ids, SpecialTokens special)
    {
        for (int at = 0; at < text.Length;)
        {
            int id = _specials.Next(text, at, special, out int start, out int length);
            if (start > at)
            {
                (byte[] normalized, int used) = _normalizer.Normalize(text[at..start]);
                EncodeNormalized(normalized.AsSpan(0, used), ids);
                ArrayPool<byte>.Shared.Return(normalized);
            }

            if (id >= 0)
            {
                ids.Add(id);
            }

            at = start + length;
        }
    }

    /// <summary>Malformed bytes become U+FFFD one at a time.</summary>
    private protected override byte[] Repair(ReadOnlySpan<byte> text)
    {
        var repaired = new List<byte>(text.Length + 16);
        while (text.Length > 0)
        {
            bool valid = Rune.DecodeFromUtf8(text, out _, out int length) == OperationStatus.Done;
            repaired.AddRange(valid ? text[..length] : "\uFFFD"u8);
            text = text[(valid ? length : 1)..];
        }

        return [.. repaired];
    }

    private void EncodeNormalized(ReadOnlySpan<byte> text, List<int> ids)
    {
        int before = ids.Count;
        if (_unigram is not null)
        {
            EncodeUnigram(_unigram, text, ids, before);
            return;
        }

        for (int at = 0; at < text.Length;)
        {
            int frozen = _userDefined.Next(text, at, SpecialTokens.All, out int start, out int length);
            for (int from = at; from < start;)
            {
                int to = _hasUnused ? start : _cuts.Next(text[..start], from);
                EncodeWord(text[from..to], ids, before);
                from = to;
            }

            if (frozen >= 0)
            {
                ids.Add(frozen);
            }

            at = start + length;
        }
    }

    private void EncodeUnigram(UnigramSegmenter unigram, ReadOnlySpan<byte> text, List<int> ids, int before)
    {
        int[] pieces = ArrayPool<int>.Shared.Rent(text.Length), ends = ArrayPool<int>.Shared.Rent(text.Length);
        int count = unigram.Cut(text, pieces, ends);
        for (int i = 0, start = 0; i < count; start = ends[i++])
        {
            Append(pieces[i], text[start..ends[i]], ids, before);
        }

        ArrayPool<int>.Shared.Return(pieces);
        ArrayPool<int>.Shared.Return(ends);
    }

    private void EncodeWord(ReadOnlySpan<byte> word, List<int> ids, int before)
    {
        int whole = word.Length == 1 ? _ascii[word[0]] : _pieces.Find(word);
        if (whole >= 0 && _whole[whole] == 1)
        {
            ids.Add(whole);
            return;
        }

        const int OnStack = 256;
        int[]? rented = null;
        Span<int> space = word.Length <= OnStack ? stackalloc int[(OnStack * 2) + 1] : (rented = ArrayPool<int>.Shared.Rent(checked((word.Length * 2) + 1)));
        Span<int> symbols = space[..word.Length];
        Span<int> starts = space[word.Length..];
        int count = 0;
        for (int at = 0; at < word.Length; count++)
        {
            int length = Utf8Text.Length(word[at]);
            starts[count] = at;
            symbols[count] = length == 1 ? _ascii[word[at]] : _pieces.Find(word.Slice(at, length));
            at += length;
        }

        starts[count] = word.Length;
        symbols = symbols[..count];
        var rule = new ScoreRule(_pieces, _order);
        if (_hasUnused)
        {
            var leftLengths = new Dictionary<int, int>();
            count = BpeMerger.MergeLong(new UnusedRule(rule, Model.Types, leftLengths), word, starts, symbols);
            UnusedPieces.Append(word, starts[..(count + 1)], _pieces, Model.Types, leftLengths, this, ids, before);
        }
        else
        {
            count = BpeMerger.Merge(rule, word, starts, symbols);
            for (int i = 0; i < count; i++)
            {
                Append(symbols[i], word[starts[i]..starts[i + 1]], ids, before);
            }
        }

        if (whole >= 0)
        {
            _whole[whole] = (byte)(count == 1 && symbols[0] == whole && !_hasUnused ? 1 : 2);
        }

        if (rented is not null)
        {
            ArrayPool<int>.Shared.Return(rented);
        }
    }

    /// <summary>Appends a symbol: its id, else its bytes, else unknown, of which a run is one token.</summary>
    internal void Append(int symbol, ReadOnlySpan<byte> text, List<int> ids, int before)
    {
        if (symbol >= 0)
        {
            ids.Add(symbol);
            return;
        }

        foreach (byte b in text)
        {
            int id = _byteIds[b];
            if (id >= 0)
            {
                ids.Add(id);
            }
            else if (ids.Count == before || ids[^1] != _unknown)
            {
                ids.Add(_unknown);
            }
        }
    }

    /// <summary>Scores as SentencePiece has them; a user-defined piece costs next to nothing, however long it is.</summary>
    private static UnigramSegmenter Segmenter(SentencePieceModel model)
    {
        var segmenter = new UnigramSegmenter(single: true);
        float worst = float.MaxValue, best = 1.17549435e-38f; // the smallest normal number: no score is taken to be below it
        for (int id = 0; id < model.Pieces.Count; id++)
        {
            if (model.Types[id] == PieceType.Normal)
            {
                (worst, best) = (Math.Min(worst, model.Scores[id]), Math.Max(best, model.Scores[id]));
            }
        }

        segmenter.SetWorst(worst == float.MaxValue ? 0 : worst);
        for (int id = 0; id < model.Pieces.Count; id++)
        {
            byte[] piece = model.Pieces[id];
            if (model.Types[id] is PieceType.Normal or PieceType.UserDefined && piece.Length > 0)
            {
                segmenter.Add(piece, id, model.Types[id] == PieceType.Normal ? model.Scores[id] : (piece.Length * best) - 0.1);
            }
        }

        return segmenter;
    }

    private static byte[] Decoded(SentencePieceModel model, int id) => model.Types[id] switch
    {
        PieceType.Byte => [(byte)SentencePieceModel.ByteValue(model.Pieces[id])],
        PieceType.Control => [],
        PieceType.Unknown => Encoding.UTF8.GetBytes(model.UnknownSurface),
        _ => PieceText.WithSpaces(model.Pieces[id]),
    };
}
