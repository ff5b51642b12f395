namespace Puna.Tensors;

/// <summary>The cached tokens of one sequence in a <see cref="KvCache"/>.</summary>
public sealed class KvSequence : IDisposable
{
    private readonly List<KvBlock> _blocks = [];

    // Of local layers the blocks from _localFirst on; together they always reach as far as the others.
    private readonly List<KvBlock> _local = [];
    private int _localFirst;

    // The first token that local layers still have.
    private int _localFrom;

    internal KvSequence(KvCache cache) => Cache = cache;

    /// <summary>The cache it lives in.</summary>
    public KvCache Cache { get; }

    /// <summary>Tokens in the cache.</summary>
    public int Length { get; private set; }

    /// <summary>Whether the block that the next token goes to is another's too, so that writing takes a copy of it.</summary>
    public bool HasSharedTail => Length < _blocks.Count * KvCache.BlockSize && _blocks[Length / KvCache.BlockSize].Holders > 1;

    internal int BlockCount => _blocks.Count;

    /// <summary>Makes room for <paramref name="tokens"/> more tokens; <see cref="Length"/> stays.</summary>
    public void Reserve(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        OwnTail();
        int needed = (checked(Length + tokens) + KvCache.BlockSize - 1) / KvCache.BlockSize;
        while (_blocks.Count < needed)
        {
            _blocks.Add(Cache.Take(local: false));
        }

        ReserveLocal();
    }

    /// <summary>Counts tokens whose keys and values every layer has appended. Local layers forget the chunks that are over.</summary>
    public void Advance(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, (_blocks.Count * KvCache.BlockSize) - Length);
        Length += tokens;
        int kept = ChunkStart(Length) / KvCache.BlockSize;
        if (!Cache.HasLocal || kept <= _localFirst)
        {
            return;
        }

        ForgetLocal(kept - _localFirst);
        _localFirst = kept;
        _localFrom = Math.Max(_localFrom, kept * KvCache.BlockSize);
    }

    /// <summary>A sequence of its own with the same tokens, which shares their blocks.</summary>
    public KvSequence Fork()
    {
        var fork = new KvSequence(Cache) { Length = Length, _localFirst = _localFirst, _localFrom = _localFrom };

        // Blocks beyond the tokens are room that each makes for itself.
        int filled = (Length + KvCache.BlockSize - 1) / KvCache.BlockSize;
        for (int i = 0; i < filled; i++)
        {
            fork._blocks.Add(Cache.Hold(_blocks[i]));
        }

        for (int i = _localFirst; Cache.HasLocal && i < filled; i++)
        {
            fork._local.Add(Cache.Hold(_local[i - _localFirst]));
        }

        return fork;
    }

    /// <summary>Holds a block beyond the life of this sequence.</summary>
    /// <param name="block">Its number; all its tokens are there.</param>
    public KvPage Share(int block)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Length / KvCache.BlockSize);
        bool hasLocal = Cache.HasLocal && block >= _localFirst && block * KvCache.BlockSize >= _localFrom;
        return new KvPage(Cache, _blocks[block], hasLocal ? _local[block - _localFirst] : null);
    }

    /// <summary>
    /// Goes on from what another sequence computed: adds the tokens of its next block, which must have followed the same tokens. Where local layers have
    /// forgotten that block, the next token to be computed has to be one that does not see it: afterwards cut the sequence to <see cref="Restorable"/>.
    /// </summary>
    /// <param name="page">A block of the same cache.</param>
    /// <exception cref="InvalidOperationException">The tokens so far do not fill whole blocks.</exception>
    public void Append(KvPage page)
    {
        if (Length != _blocks.Count * KvCache.BlockSize)
        {
            throw new InvalidOperationException($"cached sequence: expected whole blocks of {KvCache.BlockSize} tokens and no room for more, got {Length} tokens");
        }

        _blocks.Add(Cache.Hold(page.Global));
        if (Cache.HasLocal && page.Local is KvBlock local)
        {
            _local.Add(Cache.Hold(local));
        }
        else if (Cache.HasLocal)
        {
            ForgetLocal(_local.Count);
            _localFirst = _blocks.Count;
            _localFrom = Length + KvCache.BlockSize;
        }

        Advance(KvCache.BlockSize);
    }

    /// <summary>The first block that local layers still have; the number of blocks where no layer is local.</summary>
    public int FirstLocalBlock => Cache.HasLocal ? Math.Max(_localFirst, (_localFrom + KvCache.BlockSize - 1) / KvCache.BlockSize) : _blocks.Count;

    /// <summary>The bytes of a full block: those of the layers that see everything, then those of local layers, as far as they have them.</summary>
    /// <param name="block">Its number.</param>
    /// <param name="local">Whether those of local layers.</param>
    public Span<byte> BlockContent(int block, bool local)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(block);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, Length / KvCache.BlockSize);
        NativeStorage storage = (local ? _local[block - _localFirst] : _blocks[block]).Storage;
        return storage.Span<byte>(0, checked((int)storage.ByteLength));
    }

    /// <summary>Counts full blocks whose content the caller is about to write (<see cref="BlockContent"/>), into an empty sequence.</summary>
    /// <param name="blocks">How many.</param>
    /// <param name="firstLocal">The first of them that local layers have.</param>
    public void Restore(int blocks, int firstLocal)
    {
        if (Length > 0)
        {
            throw new InvalidOperationException($"cached sequence: expected an empty one, got one of {Length} tokens");
        }

        Reserve(checked(blocks * KvCache.BlockSize));
        Length = blocks * KvCache.BlockSize;
        if (Cache.HasLocal)
        {
            ForgetLocal(firstLocal);
            (_localFirst, _localFrom) = (firstLocal, firstLocal * KvCache.BlockSize);
        }
    }

    /// <summary>The longest length, not above <paramref name="length"/>, that <see cref="Truncate"/> can go back to: a chunk that local layers have forgotten begins anew.</summary>
    public int Restorable(int length)
    {
        length = Math.Min(length, Length);
        int start = ChunkStart(length);
        return !Cache.HasLocal || start >= _localFrom ? length : start;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    /// <exception cref="InvalidOperationException">Local layers have forgotten what a token behind that length would see (<see cref="Restorable"/>).</exception>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        if (Restorable(length) != length)
        {
            throw new InvalidOperationException($"cached sequence: expected to be cut to {Restorable(length)} tokens, where a chunk begins, or to one in the chunk of token {Length}, got {length}");
        }

        Length = length;
        int needed = (length + KvCache.BlockSize - 1) / KvCache.BlockSize;
        while (_blocks.Count > needed)
        {
            Cache.Give(_blocks[^1], local: false);
            _blocks.RemoveAt(_blocks.Count - 1);
        }

        while (_local.Count > 0 && _localFirst + _local.Count > needed)
        {
            Cache.Give(_local[^1], local: true);
            _local.RemoveAt(_local.Count - 1);
        }

        if (_local.Count == 0)
        {
            _localFirst = Math.Min(_localFirst, length / KvCache.BlockSize);
        }

        _localFrom = Math.Min(_localFrom, length);

        ReserveLocal();
    }

    /// <summary>Gives all blocks back.</summary>
    public void Dispose() => Truncate(0);

    /// <summary>Address of a layer's tiles; 0 where a local layer has forgotten the block.</summary>
    internal nint BlockAddress(int block, int layer)
    {
        nint place = Cache.PlaceOf(layer, out bool isLocal);
        if (isLocal && block < _localFirst)
        {
            return 0;
        }

        nint address = (isLocal ? _local[block - _localFirst] : _blocks[block]).Storage.Address;
        ObjectDisposedException.ThrowIf(address == 0, Cache);
        return address + place;
    }

    /// <summary>The block that the next token is written to must not be anybody else's.</summary>
    private void OwnTail()
    {
        int tail = Length / KvCache.BlockSize;
        if (tail < _blocks.Count)
        {
            _blocks[tail] = Cache.Own(_blocks[tail], local: false);
        }

        if (tail >= _localFirst && tail - _localFirst < _local.Count)
        {
            _local[tail - _localFirst] = Cache.Own(_local[tail - _localFirst], local: true);
        }
    }

    private void ForgetLocal(int count)
    {
        for (int i = 0; i < count; i++)
        {
            Cache.Give(_local[i], local: true);
        }

        _local.RemoveRange(0, count);
    }

    private int ChunkStart(int length) => length - (length % Cache.Chunk);

    private void ReserveLocal()
    {
        while (Cache.HasLocal && _localFirst + _local.Count < _blocks.Count)
        {
            _local.Add(Cache.Take(local: true));
        }
    }
}
