namespace Puna.Tensors;

/// <summary>The cached tokens of one sequence in a <see cref="KvCache"/>.</summary>
public sealed class KvSequence : IDisposable
{
    private readonly List<NativeStorage> _blocks = [];

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
            _blocks.Add(Cache.Take());
        }
    }

    /// <summary>Counts tokens whose keys and values every layer has appended.</summary>
    public void Advance(int tokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(tokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(tokens, (_blocks.Count * KvCache.BlockSize) - Length);
        Length += tokens;
    }

    /// <summary>Forgets all tokens from <paramref name="length"/> on.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, Length);
        Length = length;
        int needed = (length + KvCache.BlockSize - 1) / KvCache.BlockSize;
        while (_blocks.Count > needed)
        {
            Cache.Give(_blocks[^1]);
            _blocks.RemoveAt(_blocks.Count - 1);
        }
    }

    /// <summary>Gives all blocks back.</summary>
    public void Dispose() => Truncate(0);

    internal nint BlockAddress(int block, int layer)
    {
        nint address = _blocks[block].Address;
        ObjectDisposedException.ThrowIf(address == 0, Cache);
        return address + (Cache.LayerBytes * layer);
    }
}
