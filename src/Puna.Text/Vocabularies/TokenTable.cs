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
    private readonly Place[] _places;
    private readonly ulong[] _slots;
    private readonly int[] _pairs;
    private readonly ulong[] _filter;

    private TokenTable(byte[] bytes, Place[] places, ulong[] slots, int longest, bool merging)
    {
        _bytes = bytes;
        _places = places;
        _slots = slots;
        LongestIndexed = longest;
        _pairs = new int[merging ? 1 << 16 : 0];
        Span<byte> pair = stackalloc byte[2];
        for (int i = 0; i < _pairs.Length; i++)
        {
            (pair[0], pair[1]) = ((byte)(i >> 8), (byte)i);
            _pairs[i] = Find(pair);
        }

        // Eight bits or more per string: one in eight of the bytes that are no token passes.
        _filter = new ulong[merging ? Math.Max(1, slots.Length >> 4) : 0];
        foreach (ulong slot in merging ? slots : [])
        {
            if (slot != 0)
            {
                _filter[(slot >> 38) & (uint)(_filter.Length - 1)] |= 1UL << (int)((slot >> 32) & 63);
            }
        }
    }

    /// <summary>One more than the greatest id.</summary>
    public int Count => _places.Length;

    /// <summary>Bytes of the longest string in the index.</summary>
    public int LongestIndexed { get; }

    /// <summary>The bytes of an id; empty where the id does not exist.</summary>
    public ReadOnlySpan<byte> this[int id] => _bytes.AsSpan(_places[id].Start, Math.Max(0, _places[id].Length));

    /// <summary>Whether an id was added.</summary>
    public bool Exists(int id) => (uint)id < (uint)_places.Length && _places[id].Length >= 0;

    /// <summary>The id of a byte string in the index, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(ReadOnlySpan<byte> bytes) => Find(bytes, ByteHash.Of(bytes));

    /// <summary>
    /// As <see cref="Find(ReadOnlySpan{byte})"/>, of a table that was built for merging, and quick where the bytes are no token, as most that merging asks for are not: pairs of bytes have
    /// a table of their own, and a filter that fits in a near cache sorts out most others.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int FindMerged(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length == 2)
        {
            return _pairs[(bytes[0] << 8) | bytes[1]];
        }

        if (bytes.Length > LongestIndexed)
        {
            return -1;
        }

        ulong hash = ByteHash.Of(bytes);
        return (_filter[(hash >> 38) & (uint)(_filter.Length - 1)] >> (int)((hash >> 32) & 63) & 1) != 0 ? Find(bytes, hash) : -1;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Find(ReadOnlySpan<byte> bytes, ulong hash)
    {
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
                Place place = _places[id];
                if (place.Length == bytes.Length && bytes.SequenceEqual(_bytes.AsSpan(place.Start, bytes.Length)))
                {
                    return id;
                }
            }
        }
    }

    private record struct Place(int Start, int Length);

    /// <summary>Collects strings with their ids.</summary>
    /// <param name="ids">One more than the greatest id that will come.</param>
    /// <param name="bytes">How many bytes to expect; grows as needed.</param>
    internal sealed class Builder(int ids, int bytes)
    {
        private readonly Place[] _places = Filled(ids);
        private readonly ulong[] _slots = new ulong[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, ids * 2L))];
        private byte[] _bytes = new byte[Math.Max(16, bytes)];
        private int _used;
        private int _longest;

        /// <summary>Adds a string under an id that has none yet, and to the index unless the string is there already.</summary>
        /// <returns>The id that the index has for this string: another one where the string is a duplicate; -1 where <paramref name="id"/> is taken.</returns>
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public int Add(int id, ReadOnlySpan<byte> token, bool indexed = true)
        {
            if (_places[id].Length >= 0)
            {
                return -1;
            }

            if (token.Length > _bytes.Length - _used)
            {
                Array.Resize(ref _bytes, checked((int)Math.Max(_used + (long)token.Length, Math.Min(_bytes.Length * 2L, Array.MaxLength))));
            }

            token.CopyTo(_bytes.AsSpan(_used));
            _places[id] = new Place(_used, token.Length);
            _used += token.Length;
            return indexed ? Index(id, token) : id;
        }

        /// <summary>The table.</summary>
        /// <param name="merging">Whether <see cref="FindMerged"/> will be asked.</param>
        public TokenTable Build(bool merging = false) => new(_bytes, _places, _slots, _longest, merging);

        private static Place[] Filled(int count)
        {
            var places = new Place[count];
            Array.Fill(places, new Place(0, -1));
            return places;
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
                if ((uint)(_slots[i] >> 32) == (uint)(hash >> 32) && token.SequenceEqual(_bytes.AsSpan(_places[other].Start, _places[other].Length)))
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
