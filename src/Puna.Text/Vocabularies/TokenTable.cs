using System.Numerics;
using System.Runtime.CompilerServices;

namespace Puna.Text.Vocabularies;

/// <summary>
/// Byte strings by id, and ids by byte string: one block of bytes, a start and a length per id, and an open-addressing index. Not every id needs to
/// be in the index (control pieces cannot be spelled), and not every id needs to exist.
/// </summary>
internal sealed class TokenTable
{
    private readonly byte[] _bytes;
    private readonly int[] _starts;
    private readonly int[] _lengths;
    private readonly ulong[] _slots;

    private TokenTable(byte[] bytes, int[] starts, int[] lengths, ulong[] slots, int longest)
    {
        _bytes = bytes;
        _starts = starts;
        _lengths = lengths;
        _slots = slots;
        LongestIndexed = longest;
    }

    /// <summary>One more than the greatest id.</summary>
    public int Count => _starts.Length;

    /// <summary>Bytes of the longest string in the index.</summary>
    public int LongestIndexed { get; }

    /// <summary>The bytes of an id; empty where the id does not exist.</summary>
    public ReadOnlySpan<byte> this[int id] => _bytes.AsSpan(_starts[id], Math.Max(0, _lengths[id]));

    /// <summary>Whether an id was added.</summary>
    public bool Exists(int id) => (uint)id < (uint)_lengths.Length && _lengths[id] >= 0;

    /// <summary>The id of a byte string in the index, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(ReadOnlySpan<byte> bytes)
    {
        ulong hash = ByteHash.Of(bytes);
        ulong[] slots = _slots;
        int mask = slots.Length - 1;
        for (int i = (int)hash & mask; ; i = (i + 1) & mask)
        {
            ulong slot = slots[i];
            if (slot == 0)
            {
                return -1;
            }

            if ((uint)(slot >> 32) == (uint)(hash >> 32))
            {
                int id = (int)(uint)slot - 1;
                if (_lengths[id] == bytes.Length && bytes.SequenceEqual(_bytes.AsSpan(_starts[id], bytes.Length)))
                {
                    return id;
                }
            }
        }
    }

    /// <summary>Collects strings with their ids.</summary>
    /// <param name="ids">One more than the greatest id that will come.</param>
    /// <param name="bytes">How many bytes to expect; grows as needed.</param>
    internal sealed class Builder(int ids, int bytes)
    {
        private readonly int[] _starts = new int[ids];
        private readonly int[] _lengths = Filled(ids);
        private readonly ulong[] _slots = new ulong[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, ids * 2L))];
        private byte[] _bytes = new byte[Math.Max(16, bytes)];
        private int _used;
        private int _longest;

        /// <summary>Adds a string under an id that has none yet, and to the index unless the string is there already.</summary>
        /// <returns>The id that the index has for this string: another one where the string is a duplicate; -1 where <paramref name="id"/> is taken.</returns>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public int Add(int id, ReadOnlySpan<byte> token, bool indexed = true)
        {
            if (_lengths[id] >= 0)
            {
                return -1;
            }

            if (token.Length > _bytes.Length - _used)
            {
                Array.Resize(ref _bytes, checked((int)Math.Max(_used + (long)token.Length, Math.Min(_bytes.Length * 2L, Array.MaxLength))));
            }

            token.CopyTo(_bytes.AsSpan(_used));
            _starts[id] = _used;
            _lengths[id] = token.Length;
            _used += token.Length;
            return indexed ? Index(id, token) : id;
        }

        public TokenTable Build() => new(_bytes, _starts, _lengths, _slots, _longest);

        private static int[] Filled(int count)
        {
            int[] lengths = new int[count];
            Array.Fill(lengths, -1);
            return lengths;
        }

        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        private int Index(int id, ReadOnlySpan<byte> token)
        {
            ulong hash = ByteHash.Of(token);
            int mask = _slots.Length - 1;
            int i = (int)hash & mask;
            for (; _slots[i] != 0; i = (i + 1) & mask)
            {
                int other = (int)(uint)_slots[i] - 1;
                if ((uint)(_slots[i] >> 32) == (uint)(hash >> 32) && token.SequenceEqual(_bytes.AsSpan(_starts[other], _lengths[other])))
                {
                    return other;
                }
            }

            _slots[i] = (hash & 0xFFFFFFFF00000000) | (uint)(id + 1);
            _longest = Math.Max(_longest, token.Length);
            return id;
        }
    }
}
