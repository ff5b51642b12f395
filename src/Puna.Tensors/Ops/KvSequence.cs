namespace Puna.Tensors;

/// <summary>The cached tokens of one sequence in a <see cref="KvCache"/>.</summary>
public sealed class KvSequence : IDisposable
{
    private readonly List<NativeStorage> _blocks = [];

    // Of local layers the blocks from _localFirst on; together they always reach as far as the others.
    private readonly List<NativeStorage> _local = [];
    private int _localFirst;

    // The first token that local layers still have.
    private int _localFrom;

    internal KvSequence(KvCache cache) => Cache = cache;

    /// <summary>The cache it lives in.</summary>
    public KvCache Cache { get; }

    /// <summary>Tokens in the cache.</summary>
    public int Length { get; private set; }

    internal int BlockCount => _blocks.Count;

    /// <summary>Makes room for <paramref name="tokens"/> more tokens; <see cref="Length"/> stays.</summary>
    public void Reserve(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
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

        int gone = kept - _localFirst;
        for (int i = 0; i < gone; i++)
        {
            Cache.Give(_local[i], local: true);
        }

        _local.RemoveRange(0, gone);
        _localFirst = kept;
        _localFrom = Math.Max(_localFrom, kept * KvCache.BlockSize);
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

        nint address = isLocal ? _local[block - _localFirst].Address : _blocks[block].Address;
        ObjectDisposedException.ThrowIf(address == 0, Cache);
        return address + place;
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
