using System.Runtime.CompilerServices;
using Puna.Tensors;
using Puna.Text.Vocabularies;

namespace Puna.Text.Training;

/// <summary>Distinct byte strings and how often each was seen: bytes in pages, entries in a list, an open-addressing index. Not thread-safe.</summary>
internal sealed class WordTable
{
    private const int PageBytes = 1 << 20;

    private readonly List<byte[]> _pages = [];
    private byte[] _page = [];
    private int _used;
    private Entry[] _entries = new Entry[1 << 12];
    private int[] _slots = new int[1 << 13];

    /// <summary>How many distinct words there are.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of all distinct words together.</summary>
    public long Bytes { get; private set; }

    /// <summary>Lines that were not counted because they are too long.</summary>
    public long LinesLeftOut { get; set; }

    /// <summary>How often a word was seen.</summary>
    public long CountOf(int word) => _entries[word].Count;

    /// <summary>The bytes of a word.</summary>
    public ReadOnlySpan<byte> this[int word]
    {
        get
        {
            ref Entry entry = ref _entries[word];
            return _pages[entry.Page].AsSpan(entry.Start, entry.Length);
        }
    }

    /// <summary>Counts a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(ReadOnlySpan<byte> word, long count = 1)
    {
        uint hash = (uint)(ByteHash.Of(word) >> 32);
        int mask = _slots.Length - 1;
        int i = (int)hash & mask;
        for (; _slots[i] != 0; i = (i + 1) & mask)
        {
            ref Entry entry = ref _entries[_slots[i] - 1];
            if (entry.Hash == hash && entry.Length == word.Length && word.SequenceEqual(_pages[entry.Page].AsSpan(entry.Start, entry.Length)))
            {
                entry.Count += count;
                return;
            }
        }

        Insert(word, count, hash, i);
    }

    /// <summary>Adds all that another table has.</summary>
    public void Add(WordTable other)
    {
        for (int i = 0; i < other.Count; i++)
        {
            Add(other[i], other.CountOf(i));
        }

        LinesLeftOut += other.LinesLeftOut;
    }

    private void Insert(ReadOnlySpan<byte> word, long count, uint hash, int slot)
    {
        if (word.Length > _page.Length - _used)
        {
            _page = new byte[Math.Max(PageBytes, word.Length)];
            _used = 0;
            _pages.Add(_page);
        }

        if (Count == _entries.Length)
        {
            if (Count >= 1 << 29)
            {
                throw new PunaException($"text: expected at most {Count} different words, got more");
            }

            Array.Resize(ref _entries, Count * 2);
        }

        word.CopyTo(_page.AsSpan(_used));
        _entries[Count] = new Entry(count, hash, _pages.Count - 1, _used, word.Length);
        _used += word.Length;
        Bytes += word.Length;
        _slots[slot] = ++Count;
        if (Count * 2L > _slots.Length)
        {
            Rehash();
        }
    }

    private void Rehash()
    {
        int[] slots = new int[_slots.Length * 2];
        int mask = slots.Length - 1;
        for (int word = 0; word < Count; word++)
        {
            int i = (int)_entries[word].Hash & mask;
            while (slots[i] != 0)
            {
                i = (i + 1) & mask;
            }

            slots[i] = word + 1;
        }

        _slots = slots;
    }

    private record struct Entry(long Count, uint Hash, int Page, int Start, int Length);
}
