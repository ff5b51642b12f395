using System.Numerics;
using System.Runtime.CompilerServices;

namespace Puna.Text.Vocabularies;

/// <summary>A list of merges: for a pair of ids its place in the list and the id it becomes. Of equal pairs the last counts.</summary>
internal sealed class PairTable
{
    private readonly ulong[] _pairs;
    private readonly int[] _merged;
    private readonly ulong[] _slots;

    /// <summary>Indexes a list of merges.</summary>
    /// <param name="left">Left ids in the order of the list.</param>
    /// <param name="right">Right ids.</param>
    /// <param name="merged">What each pair becomes.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public PairTable(ReadOnlySpan<int> left, ReadOnlySpan<int> right, ReadOnlySpan<int> merged)
    {
        _pairs = new ulong[merged.Length];
        _merged = merged.ToArray();
        _slots = new ulong[BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, merged.Length * 2L))];
        int mask = _slots.Length - 1;
        for (int rank = 0; rank < _merged.Length; rank++)
        {
            ulong pair = ((ulong)(uint)left[rank] << 32) | (uint)right[rank];
            _pairs[rank] = pair;
            ulong hash = ByteHash.Of(pair);
            int i = (int)hash & mask;
            while (_slots[i] != 0 && _pairs[(int)(uint)_slots[i] - 1] != pair)
            {
                i = (i + 1) & mask;
            }

            _slots[i] = (hash & 0xFFFFFFFF00000000) | (uint)(rank + 1);
        }
    }

    /// <summary>How many merges there are.</summary>
    public int Count => _merged.Length;

    /// <summary>The left id of a merge.</summary>
    public int Left(int rank) => (int)(_pairs[rank] >> 32);

    /// <summary>The right id of a merge.</summary>
    public int Right(int rank) => (int)(uint)_pairs[rank];

    /// <summary>What a merge becomes.</summary>
    public int Merged(int rank) => _merged[rank];

    /// <summary>The place of a pair in the list, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int left, int right)
    {
        ulong pair = ((ulong)(uint)left << 32) | (uint)right;
        ulong hash = ByteHash.Of(pair);
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
                int rank = (int)(uint)slot - 1;
                if (_pairs[rank] == pair)
                {
                    return rank;
                }
            }
        }
    }
}
