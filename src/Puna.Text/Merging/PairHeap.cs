using System.Buffers;

namespace Puna.Text.Merging;

/// <summary>A four-way heap of pairs by rank, then by place; its storage is rented and must be given back.</summary>
internal struct PairHeap(int capacity) : IDisposable
{
    private readonly ulong[] _items = ArrayPool<ulong>.Shared.Rent(capacity);
    private int _count;

    /// <summary>Adds a pair without ordering; <see cref="Order"/> must follow before the first is taken.</summary>
    public void AddUnordered(int rank, int place) => _items[_count++] = ((ulong)(uint)rank << 32) | (uint)place;

    /// <summary>Makes a heap of what was added; linear in their number.</summary>
    public readonly void Order()
    {
        for (int i = (_count - 2) >> 2; i >= 0 && _count > 1; i--)
        {
            Sink(i, _items[i]);
        }
    }

    /// <summary>Adds a pair.</summary>
    public void Add(int rank, int place)
    {
        ulong item = ((ulong)(uint)rank << 32) | (uint)place;
        int at = _count++;
        while (at > 0)
        {
            int parent = (at - 1) >> 2;
            if (_items[parent] <= item)
            {
                break;
            }

            _items[at] = _items[parent];
            at = parent;
        }

        _items[at] = item;
    }

    /// <summary>Takes the pair of least rank, the leftmost of equals.</summary>
    public bool TryTake(out int rank, out int place)
    {
        if (_count == 0)
        {
            rank = place = 0;
            return false;
        }

        rank = (int)(_items[0] >> 32);
        place = (int)(uint)_items[0];
        if (--_count > 0)
        {
            Sink(0, _items[_count]);
        }

        return true;
    }

    /// <summary>Gives the storage back.</summary>
    public readonly void Dispose() => ArrayPool<ulong>.Shared.Return(_items);

    private readonly void Sink(int at, ulong item)
    {
        ReadOnlySpan<ulong> items = _items.AsSpan(0, _count);
        while (true)
        {
            int first = (at << 2) + 1;
            if (first >= items.Length)
            {
                break;
            }

            int least = first;
            int end = Math.Min(first + 4, items.Length);
            for (int i = first + 1; i < end; i++)
            {
                if (items[i] < items[least])
                {
                    least = i;
                }
            }

            if (items[least] >= item)
            {
                break;
            }

            _items[at] = items[least];
            at = least;
        }

        _items[at] = item;
    }
}
