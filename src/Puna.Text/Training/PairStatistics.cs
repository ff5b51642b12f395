using System.Runtime.CompilerServices;
using Puna.Tensors;
using Puna.Text.Vocabularies;

namespace Puna.Text.Training;

/// <summary>
/// Pairs of neighbours: how often each occurs, and where. Places are lists through one array of nodes; those that are out of date are found when the list is used. Pairs are numbered in
/// the order in which they are met.
/// </summary>
internal sealed class PairStatistics(MergeRules rules)
{
    private const int None = -1;
    private const int Refused = -2;

    private ulong[] _slots = new ulong[1 << 14];
    private Pair[] _pairs = new Pair[1 << 13];
    private Node[] _nodes = new Node[1 << 16];
    private int _count;
    private int _used;
    private int _free = None;

    /// <summary>How many pairs were met.</summary>
    public int Count => _count;

    /// <summary>The symbols of a pair.</summary>
    public (int Left, int Right) this[int pair] => (_pairs[pair].Left, _pairs[pair].Right);

    /// <summary>How often a pair occurs; 0 for one that may not be merged.</summary>
    public long Occurrences(int pair) => _pairs[pair].First == Refused ? 0 : _pairs[pair].Count;

    /// <summary>The number of a pair.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public int Of(int left, int right)
    {
        ulong hash = ByteHash.Of(((ulong)(uint)left << 32) | (uint)right);
        int mask = _slots.Length - 1;
        int i = (int)hash & mask;
        for (; _slots[i] != 0; i = (i + 1) & mask)
        {
            if ((uint)(_slots[i] >> 32) == (uint)(hash >> 32))
            {
                int pair = (int)(uint)_slots[i] - 1;
                if (_pairs[pair].Left == left && _pairs[pair].Right == right)
                {
                    return pair;
                }
            }
        }

        return Insert(left, right, hash, i);
    }

    /// <summary>Counts occurrences that go away.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Subtract(int pair, long count) => _pairs[pair].Count -= count;

    /// <summary>Counts and notes an occurrence.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="place">Cell where its left symbol starts; greater than the places noted before.</param>
    /// <param name="count">How often the word occurs.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int pair, int place, long count)
    {
        ref Pair p = ref _pairs[pair];
        if (p.First == Refused)
        {
            return;
        }

        p.Count += count;
        int node = _free;
        if (node >= 0)
        {
            _free = _nodes[node].Next;
        }
        else
        {
            node = _used++;
            if (node == _nodes.Length)
            {
                GrowNodes();
            }
        }

        _nodes[node] = new Node(place, None);
        if (p.First == None)
        {
            p.First = node;
        }
        else
        {
            _nodes[p.Last].Next = node;
        }

        p.Last = node;
    }

    /// <summary>Takes the list of places out of a pair, which then has none and no occurrences.</summary>
    /// <returns>The first node, or -1.</returns>
    public int Take(int pair)
    {
        int first = _pairs[pair].First;
        _pairs[pair].First = None;
        _pairs[pair].Count = 0;
        return first;
    }

    /// <summary>The place of a node; the node is free then, and the next one is in <paramref name="node"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int TakePlace(ref int node)
    {
        ref Node n = ref _nodes[node];
        (int place, int next) = (n.Place, n.Next);
        n.Next = _free;
        _free = node;
        node = next;
        return place;
    }

    /// <summary>Gives a pair up for good.</summary>
    public void Refuse(int pair)
    {
        for (int node = Take(pair); node >= 0;)
        {
            TakePlace(ref node);
        }

        _pairs[pair].First = Refused;
    }

    /// <summary>Says that the counts of a merged pair are done with: occurrences that overlapped others are gone.</summary>
    public void Clear(int pair) => _pairs[pair].Count = 0;

    private int Insert(int left, int right, ulong hash, int slot)
    {
        if (_count == _pairs.Length)
        {
            if (_count >= 1 << 29)
            {
                throw new PunaException($"text: expected at most {_count} different pairs of neighbours, got more");
            }

            Array.Resize(ref _pairs, _count * 2);
        }

        _pairs[_count] = new Pair(left, right, 0, rules.Allows(left, right) ? None : Refused, None);
        _slots[slot] = (hash & 0xFFFFFFFF00000000) | (uint)(_count + 1);
        if (++_count * 2L > _slots.Length)
        {
            Rehash();
        }

        return _count - 1;
    }

    private void Rehash()
    {
        ulong[] slots = new ulong[_slots.Length * 2];
        int mask = slots.Length - 1;
        for (int pair = 0; pair < _count; pair++)
        {
            ulong hash = ByteHash.Of(((ulong)(uint)_pairs[pair].Left << 32) | (uint)_pairs[pair].Right);
            int i = (int)hash & mask;
            while (slots[i] != 0)
            {
                i = (i + 1) & mask;
            }

            slots[i] = (hash & 0xFFFFFFFF00000000) | (uint)(pair + 1);
        }

        _slots = slots;
    }

    private void GrowNodes()
    {
        if (_nodes.Length == Array.MaxLength)
        {
            throw new PunaException($"text: expected different words with at most {_nodes.Length} pairs of neighbours, got more");
        }

        Array.Resize(ref _nodes, (int)Math.Min(Array.MaxLength, _nodes.Length * 2L));
    }

    private record struct Pair(int Left, int Right, long Count, int First, int Last);

    private record struct Node(int Place, int Next);
}
