using System.Text;
using Puna.Tensors;
using Puna.Text.Decoding;
using Puna.Text.Merging;
using Puna.Text.Splitting;
using Puna.Text.Vocabularies;

namespace Puna.Text.Tiktoken;

/// <summary>
/// Byte pair encoding over ranks, as Meta's Llama 3 and Llama 4 tokenizers do it (spec llama1-3.md 5.3 and 5.4, llama4.md 6): the text is cut into
/// pieces by a split pattern; a piece that is a token is taken whole, any other starts as single bytes, and the pair whose bytes are the token of least rank is
/// joined again and again. Long texts are cut as Meta's wrapper does it.
/// </summary>
public sealed class TiktokenTokenizer : Tokenizer
{
    /// <summary>Ranks of Llama 3.</summary>
    internal const int Llama3Ranks = 128_000;

    /// <summary>Ranks of Llama 4; a file with so many is taken for one of its own.</summary>
    internal const int Llama4Ranks = 200_000;

    private readonly TokenTable _ranks;
    private readonly PieceScanner _scanner;
    private readonly SpecialMatcher _specials;
    private readonly byte[]?[] _specialBytes;
    private readonly int[] _bytes = new int[256];

    private TiktokenTokenizer(TokenTable ranks, TiktokenFamily family, IEnumerable<KeyValuePair<string, int>> specials, TokenRoles roles)
        : base(roles)
    {
        _ranks = ranks;
        Family = family;
        _scanner = family == TiktokenFamily.Llama4 ? Llama4Scanner.Instance : Llama3Scanner.Instance;
        List<KeyValuePair<string, int>> list = [.. specials];
        _specials = new SpecialMatcher(list);
        _specialBytes = new byte[list.Count == 0 ? 0 : list.Max(static s => s.Value) + 1 - ranks.Count][];
        foreach ((string name, int id) in list)
        {
            _specialBytes[id - ranks.Count] ??= Encoding.UTF8.GetBytes(name);
        }

        for (int i = 0; i < 256; i++)
        {
            _bytes[i] = ranks.Find([(byte)i]);
        }
    }

    /// <summary>Which split pattern and special tokens are used.</summary>
    public TiktokenFamily Family { get; }

    /// <summary>How many ranks there are; special tokens follow.</summary>
    public int RankCount => _ranks.Count;

    /// <inheritdoc/>
    public override TokenizerKind Kind => TokenizerKind.Tiktoken;

    /// <inheritdoc/>
    public override int VocabularySize => _ranks.Count + _specialBytes.Length;

    /// <summary>All tokens by rank.</summary>
    internal TokenTable Ranks => _ranks;

    /// <summary>Reads a file of ranks.</summary>
    /// <param name="content">The file.</param>
    /// <param name="file">Its path, for messages.</param>
    /// <param name="family">Split pattern and special tokens; by default Llama 4 for 200,000 ranks, else Llama 3.</param>
    /// <param name="specials">
    /// Names and ids of special tokens. In Meta's own vocabularies (128,000 or 200,000 ranks) they replace or extend those of the family (names differ between editions; ids decide); of any
    /// other vocabulary they are all there are, and their names say which part they play. Without them the special tokens of the family follow the ranks.
    /// </param>
    /// <exception cref="FileFormatException">The file is malformed (ranks not 0 to n-1, duplicates, bad base64), or a special token has the id of a rank.</exception>
    public static TiktokenTokenizer Read(ReadOnlySpan<byte> content, string file, TiktokenFamily? family = null, IEnumerable<KeyValuePair<string, int>>? specials = null)
    {
        TokenTable ranks = RankFile.Read(content, file);
        TiktokenFamily known = family ?? (ranks.Count == Llama4Ranks ? TiktokenFamily.Llama4 : TiktokenFamily.Llama3);
        List<KeyValuePair<string, int>> given = [.. specials ?? []];
        bool own = given.Count > 0 && family is null && ranks.Count is not (Llama3Ranks or Llama4Ranks);
        IReadOnlyList<string> names = own ? [] : TiktokenSpecials.Names(known);
        var byId = new SortedDictionary<int, string>();
        for (int i = 0; i < names.Count; i++)
        {
            byId[ranks.Count + i] = names[i];
        }

        foreach ((string name, int id) in given)
        {
            if (id < ranks.Count || id >= ranks.Count + 65536)
            {
                throw new FileFormatException(file, $"special token {name}: expected an id from {ranks.Count} to {ranks.Count + 65535}, got {id}");
            }

            byId[id] = name;
        }

        return new TiktokenTokenizer(ranks, known, byId.Select(static s => KeyValuePair.Create(s.Value, s.Key)), own ? RolesByName(given) : TiktokenSpecials.Roles(known, ranks.Count));
    }

    private static TokenRoles RolesByName(List<KeyValuePair<string, int>> specials)
    {
        TokenRoles roles = RoleNames.Of(name => specials.FindIndex(s => s.Key == name) is >= 0 and int i ? specials[i].Value : null);
        return roles with { AddBos = roles.Bos is not null };
    }

    /// <inheritdoc/>
    public override IncrementalDecoder CreateDecoder(bool skipSpecial = false) => new ByteDecoder(this, skipSpecial);

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> TokenBytes(int id)
    {
        CheckId(id);
        return id < _ranks.Count ? _ranks[id] : _specialBytes[id - _ranks.Count];
    }

    /// <inheritdoc/>
    public override string Piece(int id) => TokenText(id);

    /// <inheritdoc/>
    public override int? IdOf(string piece)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(piece);
        int id = _specials.IdOf(bytes);
        id = id >= 0 ? id : _ranks.Find(bytes);
        return id >= 0 ? id : null;
    }

    /// <inheritdoc/>
    public override bool IsSpecial(int id)
    {
        CheckId(id);
        return id >= _ranks.Count;
    }

    private protected override void EncodeCore(ReadOnlySpan<byte> text, List<int> ids, SpecialTokens special)
    {
        int blockEnd = 0;
        for (int at = 0; at < text.Length;)
        {
            int end = LongText.Next(text, at, ref blockEnd);
            EncodePart(text[at..end], ids, special);
            at = end;
        }
    }

    private void EncodePart(ReadOnlySpan<byte> text, List<int> ids, SpecialTokens special)
    {
        for (int at = 0; at < text.Length;)
        {
            int id = _specials.Next(text, at, special, out int start, out int length);
            ReadOnlySpan<byte> plain = text[at..start];
            for (int from = 0; from < plain.Length;)
            {
                int to = _scanner.Next(plain, from);
                EncodePiece(plain[from..to], ids);
                from = to;
            }

            if (id >= 0)
            {
                ids.Add(id);
            }

            at = start + length;
        }
    }

    private void EncodePiece(ReadOnlySpan<byte> piece, List<int> ids)
    {
        int id = piece.Length == 1 ? _bytes[piece[0]] : _ranks.Find(piece);
        if (id >= 0)
        {
            ids.Add(id);
        }
        else
        {
            ByteMerges.Append(new RankRule(_ranks), piece, _bytes, ids);
        }
    }
}
