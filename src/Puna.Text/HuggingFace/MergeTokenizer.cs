using System.Buffers;
using System.Text;
using Puna.Text.Splitting;

namespace Puna.Text.HuggingFace;

/// <summary>
/// What tokenizers with a list of merges have in common: added tokens are found first, the text between them is normalised and cut, and each part is merged.
/// </summary>
public abstract class MergeTokenizer : Tokenizer
{
    private readonly Dictionary<int, AddedToken> _added = [];
    private readonly Dictionary<string, int> _addedIds = new(StringComparer.Ordinal);
    private readonly AddedTokenMatcher _raw;
    private readonly AddedTokenMatcher _normalized;
    private readonly bool[] _isAdded;

    private protected MergeTokenizer(TokenizerParts parts)
        : base(parts.Roles)
    {
        Parts = parts;
        int size = parts.Vocabulary.Tokens.Count;
        foreach (AddedToken token in parts.Added)
        {
            size = Math.Max(size, token.Id + 1);
            _added.TryAdd(token.Id, token);
            _addedIds.TryAdd(token.Content, token.Id);
        }

        _isAdded = new bool[size];
        foreach (int id in _added.Keys)
        {
            _isAdded[id] = true;
        }

        _raw = new AddedTokenMatcher(parts.Added.Where(static t => !t.Normalized).Select(static t => (t, t.Content)));
        _normalized = new AddedTokenMatcher(parts.Added.Where(static t => t.Normalized).Select(t => (t, Normalized(parts.Normalizer, t.Content))));
    }

    /// <inheritdoc/>
    public override int VocabularySize => _isAdded.Length;

    /// <summary>The tokens that are found in a text before it is cut, in the order of the file.</summary>
    public IReadOnlyList<AddedToken> AddedTokens => Parts.Added;

    /// <summary>Definition.</summary>
    internal TokenizerParts Parts { get; }

    /// <inheritdoc/>
    public override string Piece(int id)
    {
        CheckId(id);
        return Added(id)?.Content ?? (Parts.Vocabulary.Tokens.Exists(id) ? Parts.Vocabulary.Piece(id) : "");
    }

    /// <inheritdoc/>
    public override int? IdOf(string piece) =>
        _addedIds.TryGetValue(piece, out int id) ? id : Parts.Vocabulary.Find(piece) is >= 0 and int found ? found : null;

    /// <inheritdoc/>
    public override bool IsSpecial(int id)
    {
        CheckId(id);
        return Added(id) is { Special: true };
    }

    /// <summary>The added token of an id, or null.</summary>
    internal AddedToken? Added(int id) => _isAdded[id] ? _added[id] : null;

    private protected override void EncodeCore(ReadOnlySpan<byte> text, List<int> ids, SpecialTokens special)
    {
        if (!Parts.MetaCuts)
        {
            EncodeText(text, ids, special);
            return;
        }

        int blockEnd = 0;
        for (int at = 0; at < text.Length;)
        {
            int end = LongText.Next(text, at, ref blockEnd);
            EncodeText(text[at..end], ids, special);
            at = end;
        }
    }

    /// <summary>Appends the ids of a normalised stretch without added tokens; <paramref name="first"/> says that the whole text starts with it.</summary>
    private protected abstract void EncodeSection(ReadOnlySpan<byte> text, bool first, List<int> ids);

    private void EncodeText(ReadOnlySpan<byte> text, List<int> ids, SpecialTokens special)
    {
        int done = 0, at = 0, id;
        do
        {
            id = _raw.Next(text, ref at, done, special, out int start, out int end);
            if (start > done)
            {
                Normalize(text[done..start], done == 0, ids, special);
            }

            if (id >= 0)
            {
                ids.Add(id);
            }

            done = end;
        }
        while (id >= 0);
    }

    private void Normalize(ReadOnlySpan<byte> text, bool first, List<int> ids, SpecialTokens special)
    {
        if (Parts.Normalizer.IsIdentity)
        {
            EncodeNormalized(text, first, ids, special);
            return;
        }

        (byte[] buffer, int length) = Parts.Normalizer.Normalize(text);
        EncodeNormalized(buffer.AsSpan(0, length), first, ids, special);
        ArrayPool<byte>.Shared.Return(buffer);
    }

    private void EncodeNormalized(ReadOnlySpan<byte> text, bool first, List<int> ids, SpecialTokens special)
    {
        if (text.IsEmpty)
        {
            return;
        }

        if (_normalized.IsEmpty)
        {
            EncodeSection(text, first, ids);
            return;
        }

        int done = 0, at = 0, id;
        do
        {
            id = _normalized.Next(text, ref at, done, special, out int start, out int end);
            if (start > done)
            {
                EncodeSection(text[done..start], first && done == 0, ids);
            }

            if (id >= 0)
            {
                ids.Add(id);
            }

            done = end;
        }
        while (id >= 0);
    }

    private static string Normalized(TextNormalizer normalizer, string text)
    {
        (byte[] buffer, int length) = normalizer.Normalize(Encoding.UTF8.GetBytes(text));
        string normalized = Encoding.UTF8.GetString(buffer, 0, length);
        ArrayPool<byte>.Shared.Return(buffer);
        return normalized;
    }
}
