using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>
/// Full blocks of texts that were computed, under their names (<see cref="PrefixChain"/>), for texts that begin alike. Those not used for longest go first, the end of a
/// text before its beginning. Belongs to the engine's thread.
/// </summary>
internal sealed class PrefixCache : IDisposable
{
    private readonly Dictionary<UInt128, LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new(); // least recently used first

    /// <summary>Blocks it holds.</summary>
    public int Count => _entries.Count;

    /// <summary>Blocks that nothing but the cache holds; looks at all of them.</summary>
    public int CountUnused()
    {
        int count = 0;
        foreach (Entry entry in _byUse)
        {
            count += entry.Page.IsShared ? 0 : 1;
        }

        return count;
    }

    /// <summary>Fills the empty cache of a text with what is known of its beginning. The last token stays to be computed, so that there are logits.</summary>
    /// <param name="sequence">Has an empty cache.</param>
    /// <returns>How many tokens were found.</returns>
    public int Restore(ActiveSequence sequence)
    {
        KvSequence cache = sequence.Cache!;
        int blocks = (sequence.Count - 1) / KvCache.BlockSize, found = 0;
        while (found < blocks && Find(sequence, found) is { } node)
        {
            cache.Append(node.Value.Page);
            found++;
        }

        // Local layers may have forgotten the chunk that the next token sees.
        cache.Truncate(cache.Restorable(cache.Length));
        Touch(sequence, cache.Length / KvCache.BlockSize);
        sequence.Prefix.Committed = cache.Length / KvCache.BlockSize;
        return cache.Length;
    }

    /// <summary>Keeps the full blocks of a text.</summary>
    /// <param name="sequence">Its cache holds nothing that was not checked.</param>
    public void Commit(ActiveSequence sequence)
    {
        KvSequence cache = sequence.Cache!;
        int full = cache.Length / KvCache.BlockSize;
        for (int block = sequence.Prefix.Committed; block < full; block++)
        {
            UInt128 name = Name(sequence, block);
            if (!_entries.ContainsKey(name))
            {
                int[] tokens = sequence.Tokens.Slice(block * KvCache.BlockSize, KvCache.BlockSize).ToArray();
                _entries.Add(name, _byUse.AddLast(new Entry(name, tokens, cache.Share(block))));
            }
        }

        sequence.Prefix.Committed = Math.Max(full, sequence.Prefix.Committed);
    }

    /// <summary>Says that the blocks of a text were used now, its beginning last.</summary>
    public void Touch(ActiveSequence sequence, int blocks)
    {
        for (int block = blocks - 1; block >= 0; block--)
        {
            if (_entries.TryGetValue(Name(sequence, block), out LinkedListNode<Entry>? node))
            {
                _byUse.Remove(node);
                _byUse.AddLast(node);
            }
        }
    }

    /// <summary>Frees the block that was not used for longest.</summary>
    /// <returns>False where every block is in use.</returns>
    public bool EvictOne()
    {
        for (LinkedListNode<Entry>? node = _byUse.First; node is not null; node = node.Next)
        {
            if (!node.Value.Page.IsShared)
            {
                _byUse.Remove(node);
                _entries.Remove(node.Value.Name);
                node.Value.Page.Dispose();
                return true;
            }
        }

        return false;
    }

    /// <summary>Lets go of everything.</summary>
    public void Dispose()
    {
        foreach (Entry entry in _byUse)
        {
            entry.Page.Dispose();
        }

        _byUse.Clear();
        _entries.Clear();
    }

    private LinkedListNode<Entry>? Find(ActiveSequence sequence, int block) =>
        _entries.TryGetValue(Name(sequence, block), out LinkedListNode<Entry>? node)
            && sequence.Tokens.Slice(block * KvCache.BlockSize, KvCache.BlockSize).SequenceEqual(node.Value.Tokens)
            ? node
            : null;

    private static UInt128 Name(ActiveSequence sequence, int block) => sequence.Prefix.Name(block, sequence.Tokens, sequence.Owner.PrefixSalt, sequence.Owner.Images);

    private sealed record Entry(UInt128 Name, int[] Tokens, KvPage Page);
}
