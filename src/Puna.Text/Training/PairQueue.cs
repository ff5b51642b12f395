namespace Puna.Text.Training;

/// <summary>
/// A heap of pairs, the most frequent first, of equals that of least key. Counts are those of the time a pair was put in; who takes a pair out looks whether its count still holds.
/// </summary>
internal sealed class PairQueue(MergeRules rules, PairStatistics pairs)
{
    private const int Ways = 4;

    private Entry[] _heap = new Entry[1 << 12];

    /// <summary>How many entries there are.</summary>
    public int Count { get; private set; }

    /// <summary>Puts a pair in.</summary>
    public void Push(int pair, long count)
    {
        if (Count == _heap.Length)
        {
            Array.Resize(ref _heap, (int)Math.Min(Array.MaxLength, Count * 2L));
        }

        (int left, int right) = pairs[pair];
        Up(Count++, new Entry(count, rules.Key(left, right), pair));
    }

    /// <summary>The first pair, and the count it was put in with.</summary>
    public (int Pair, long Count) Peek() => (_heap[0].Pair, _heap[0].Count);

    /// <summary>Takes the first pair out.</summary>
    public void Pop()
    {
        Entry last = _heap[--Count];
        if (Count > 0)
        {
            Down(last);
        }
    }

    /// <summary>Gives the first pair another count, and its place.</summary>
    public void Lower(long count) => Down(_heap[0] with { Count = count });

    private void Up(int at, Entry entry)
    {
        while (at > 0)
        {
            int parent = (at - 1) / Ways;
            if (!Before(entry, _heap[parent]))
            {
                break;
            }

            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = entry;
    }

    private void Down(Entry entry)
    {
        int at = 0;
        while (true)
        {
            int first = (at * Ways) + 1, end = Math.Min(first + Ways, Count);
            if (first >= end)
            {
                break;
            }

            int best = first;
            for (int i = first + 1; i < end; i++)
            {
                best = Before(_heap[i], _heap[best]) ? i : best;
            }

            if (!Before(_heap[best], entry))
            {
                break;
            }

            _heap[at] = _heap[best];
            at = best;
        }

        _heap[at] = entry;
    }

    private bool Before(in Entry a, in Entry b) =>
        a.Count != b.Count ? a.Count > b.Count
        : a.Key != b.Key ? a.Key < b.Key
        : a.Pair != b.Pair && rules.Compare(pairs[a.Pair], pairs[b.Pair]) < 0;

    private record struct Entry(long Count, ulong Key, int Pair);
}
