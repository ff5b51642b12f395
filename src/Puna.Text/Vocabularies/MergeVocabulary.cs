using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Puna.Tensors;

namespace Puna.Text.Vocabularies;

/// <summary>
/// Tokens and the list of merges between them. In a byte-level vocabulary the table holds the bytes that tokens stand for; a token with a character outside
/// <see cref="ByteAlphabet"/> stands for itself and cannot be spelled.
/// </summary>
internal sealed class MergeVocabulary
{
    private readonly Dictionary<int, string> _literals;
    private readonly Dictionary<string, int> _unspelled;

    private MergeVocabulary(bool byteLevel, TokenTable tokens, PairTable merges, Dictionary<int, string> literals, Dictionary<string, int> unspelled)
    {
        _unspelled = unspelled;
        ByteLevel = byteLevel;
        Tokens = tokens;
        Merges = merges;
        _literals = literals;
    }

    /// <summary>Whether tokens are bytes (else they are text).</summary>
    public bool ByteLevel { get; }

    /// <summary>Bytes by id, and ids by bytes for tokens that can be spelled.</summary>
    public TokenTable Tokens { get; }

    /// <summary>The merges, in order.</summary>
    public PairTable Merges { get; }

    /// <summary>The token as its file has it.</summary>
    public string Piece(int id) => _literals.TryGetValue(id, out string? literal) ? literal
        : ByteLevel ? ByteAlphabet.FromBytes(Tokens[id])
        : Encoding.UTF8.GetString(Tokens[id]);

    /// <summary>The id of a token as its file has it, or -1; tokens that cannot be spelled are not looked for.</summary>
    public int Find(string piece)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(piece);
        if (!ByteLevel)
        {
            return Tokens.Find(bytes);
        }

        int length = ByteAlphabet.ToBytes(bytes, bytes);
        return length < 0 ? -1 : Tokens.Find(bytes.AsSpan(0, length));
    }

    /// <summary>The id of a token as its file has it, whether or not it can be spelled, or -1.</summary>
    public int FindAny(string piece) => _unspelled.TryGetValue(piece, out int id) ? id : Find(piece);

    /// <summary>Collects first all tokens, then all merges.</summary>
    /// <param name="byteLevel">Whether tokens are written in GPT-2's alphabet.</param>
    /// <param name="file">Path for messages.</param>
    internal sealed class Builder(bool byteLevel, string file)
    {
        private readonly List<(int Id, int Start, int Length, bool Spelled)> _entries = [];
        private readonly Dictionary<int, string> _literals = [];
        private readonly Dictionary<string, int> _unspelled = new(StringComparer.Ordinal);
        private readonly List<int> _left = [];
        private readonly List<int> _right = [];
        private readonly List<int> _merged = [];
        private byte[] _blob = new byte[1 << 16];
        private int _used;
        private int _last = -1;
        private TokenTable? _tokens;
        private byte[] _scratch = new byte[512];

        /// <summary>How many tokens there are.</summary>
        public int Count => _entries.Count;

        /// <summary>Adds a token.</summary>
        /// <param name="piece">The token as its file has it, UTF-8.</param>
        /// <param name="id">Its id.</param>
        /// <param name="spelled">Whether ordinary text may become this token.</param>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void AddToken(ReadOnlySpan<byte> piece, int id, bool spelled)
        {
            if (_blob.Length - _used < piece.Length)
            {
                Array.Resize(ref _blob, checked((int)Math.Min(Array.MaxLength, Math.Max(_blob.Length * 2L, _used + (long)piece.Length))));
            }

            Span<byte> target = _blob.AsSpan(_used, piece.Length);
            int length = byteLevel ? ByteAlphabet.ToBytes(piece, target) : -1;
            if (length < 0)
            {
                piece.CopyTo(target);
                length = piece.Length;
                if (byteLevel)
                {
                    spelled = false;
                    _literals[id] = Encoding.UTF8.GetString(piece);
                }
            }

            if (!spelled)
            {
                _unspelled.TryAdd(Encoding.UTF8.GetString(piece), id);
            }

            _entries.Add((id, _used, length, spelled));
            _used += length;
            _last = Math.Max(_last, id);
        }

        /// <summary>Ends the tokens.</summary>
        /// <exception cref="FileFormatException">An id or a token comes twice, or ids are far apart.</exception>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void EndTokens()
        {
            // Some vocabularies have holes; an id far beyond their number would only take memory.
            if (_last > (4L * _entries.Count) + 65536)
            {
                throw new FileFormatException(file, $"token id: expected ids close together for {_entries.Count} tokens, got {_last}");
            }

            var table = new TokenTable.Builder(_last + 1, _used);
            foreach ((int id, int start, int length, bool spelled) in CollectionsMarshal.AsSpan(_entries))
            {
                ReadOnlySpan<byte> bytes = _blob.AsSpan(start, length);
                int added = table.Add(id, bytes, spelled);
                if (added != id)
                {
                    throw new FileFormatException(file, added < 0 ? $"token id {id}: expected once, got it again" : $"token {Encoding.UTF8.GetString(bytes)}: expected once, got it as {added} and {id}");
                }
            }

            _tokens = table.Build();
        }

        /// <summary>Adds a merge; its parts and what they become must be tokens.</summary>
        /// <exception cref="FileFormatException">One of the three is not.</exception>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void AddMerge(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
        {
            int need = left.Length + right.Length;
            if (_scratch.Length < need)
            {
                _scratch = new byte[need * 2];
            }

            Span<byte> both = _scratch.AsSpan(0, need);
            int a = byteLevel ? ByteAlphabet.ToBytes(left, both) : -1;
            int b = byteLevel && a >= 0 ? ByteAlphabet.ToBytes(right, both[a..]) : -1;
            if (b < 0)
            {
                left.CopyTo(both);
                right.CopyTo(both[left.Length..]);
                (a, b) = (left.Length, right.Length);
            }

            int first = _tokens!.Find(both[..a]);
            int second = _tokens.Find(both.Slice(a, b));
            int merged = _tokens.Find(both[..(a + b)]);
            if ((first | second | merged) < 0)
            {
                first = Unspelled(first, Encoding.UTF8.GetString(left));
                second = Unspelled(second, Encoding.UTF8.GetString(right));

                // Text never becomes a token that is not spelled: such a merge keeps its place in the list, and does nothing.
                string result = Encoding.UTF8.GetString(left) + Encoding.UTF8.GetString(right);
                if (merged < 0 && Unspelled(merged, result) >= 0)
                {
                    (first, second, merged) = (-1, -1, 0);
                }
            }

            _left.Add(first);
            _right.Add(second);
            _merged.Add(merged);
        }

        /// <summary>The finished vocabulary.</summary>
        public MergeVocabulary Build() => new(
            byteLevel, _tokens!, new PairTable(CollectionsMarshal.AsSpan(_left), CollectionsMarshal.AsSpan(_right), CollectionsMarshal.AsSpan(_merged)), _literals,
            _unspelled);

        private int Unspelled(int id, string piece) => id >= 0 || _unspelled.TryGetValue(piece, out id)
            ? id
            : throw new FileFormatException(file, $"merge {_merged.Count}: expected tokens of the vocabulary, got {piece}");
    }
}
