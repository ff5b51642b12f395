using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors;

/// <summary>
/// Keys and values of earlier tokens, in blocks of a fixed number of tokens that hold all layers. Blocks are taken when a sequence grows and given back when it
/// shrinks or ends, so memory follows the tokens that are there. Sequences share one pool. Not thread-safe.
/// </summary>
public sealed class KvCache : IDisposable
{
    /// <summary>Tokens per block.</summary>
    public const int BlockSize = KvTile.Tokens;

    private readonly Stack<NativeStorage> _free = new();
    private readonly List<NativeStorage> _all = [];
    private readonly nint _blockBytes;
    private bool _disposed;

    /// <summary>Creates an empty cache.</summary>
    /// <param name="layers">Number of layers.</param>
    /// <param name="kvHeads">Key-value heads of each layer.</param>
    /// <param name="headDim">Values per head.</param>
    /// <param name="type">What keys and values are rounded to: float32, float16 or q8_0 (int8 with a scale per 32 values of a head).</param>
    /// <exception cref="PunaException">Another type.</exception>
    public KvCache(int layers, int kvHeads, int headDim, DType type = DType.F32)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(layers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(kvHeads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headDim);
        Layers = layers;
        KvHeads = kvHeads;
        HeadDim = headDim;
        if (type is not (DType.F32 or DType.F16 or DType.Q8_0))
        {
            throw new PunaException($"cache type: expected f32, f16 or q8_0, got {type.Name()}");
        }

        Tile = new KvTile(type, headDim);
        LayerBytes = checked(Tile.ByteLength * kvHeads);
        _blockBytes = checked(LayerBytes * layers);
    }

    /// <summary>Number of layers.</summary>
    public int Layers { get; }

    /// <summary>Key-value heads of each layer.</summary>
    public int KvHeads { get; }

    /// <summary>Values per head.</summary>
    public int HeadDim { get; }

    /// <summary>Type that keys and values are rounded to.</summary>
    public DType Type => Tile.Type;

    /// <summary>Bytes one token takes in all layers.</summary>
    public long BytesPerToken => _blockBytes / BlockSize;

    /// <summary>Bytes of all blocks, used and free.</summary>
    public long ByteLength => _all.Count * (long)_blockBytes;

    /// <summary>How the tokens of a block lie in memory: a layer is a tile per key-value head.</summary>
    internal KvTile Tile { get; }

    /// <summary>Bytes of one layer in a block.</summary>
    internal nint LayerBytes { get; }

    /// <summary>A new empty sequence.</summary>
    public KvSequence CreateSequence() => new(this);

    /// <summary>Frees all blocks; sequences of this cache must not be used any more.</summary>
    public void Dispose()
    {
        _disposed = true;
        foreach (NativeStorage block in _all)
        {
            block.Dispose();
        }

        _all.Clear();
        _free.Clear();
    }

    internal NativeStorage Take()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_free.TryPop(out NativeStorage? block))
        {
            return block;
        }

        block = new NativeStorage(_blockBytes, clear: false);
        _all.Add(block);
        return block;
    }

    internal void Give(NativeStorage block)
    {
        if (!_disposed)
        {
            _free.Push(block);
        }
    }
}
