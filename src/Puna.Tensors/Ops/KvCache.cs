using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors;

/// <summary>
/// Keys and values of earlier tokens, in blocks of a fixed number of tokens that hold all layers of a kind. Blocks are taken when a sequence grows and given back when it
/// shrinks or ends, so memory follows the tokens that are there. Local layers, which see one chunk only, have blocks of their own, and those of chunks that are over are given back. Sequences
/// share one pool. Not thread-safe.
/// </summary>
public sealed class KvCache : IDisposable
{
    /// <summary>Tokens per block.</summary>
    public const int BlockSize = KvTile.Tokens;

    private readonly Pool _global;
    private readonly Pool _local;
    private readonly int[] _places;
    private bool _disposed;

    /// <summary>Creates an empty cache.</summary>
    /// <param name="layers">Number of layers.</param>
    /// <param name="kvHeads">Key-value heads of each layer.</param>
    /// <param name="headDim">Values per head.</param>
    /// <param name="type">What keys and values are rounded to: float32, float16 or q8_0 (int8 with a scale per 32 values of a head).</param>
    /// <param name="isLocal">Per layer, whether it sees its own chunk only; null where none does.</param>
    /// <param name="chunk">Tokens of a chunk.</param>
    /// <exception cref="PunaException">Another type.</exception>
    public KvCache(int layers, int kvHeads, int headDim, DType type = DType.F32, IReadOnlyList<bool>? isLocal = null, int chunk = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(layers);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(kvHeads);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(headDim);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunk);
        ArgumentOutOfRangeException.ThrowIfNotEqual(isLocal?.Count ?? layers, layers, nameof(isLocal));
        Layers = layers;
        KvHeads = kvHeads;
        HeadDim = headDim;
        Chunk = chunk;
        if (type is not (DType.F32 or DType.F16 or DType.Q8_0))
        {
            throw new PunaException($"cache type: expected f32, f16 or q8_0, got {type.Name()}");
        }

        Tile = new KvTile(type, headDim);
        LayerBytes = checked(Tile.ByteLength * kvHeads);

        // A local layer's place is kept as its complement, which is negative.
        _places = new int[layers];
        int locals = 0;
        for (int i = 0; i < layers; i++)
        {
            bool local = isLocal is not null && isLocal[i];
            _places[i] = local ? ~locals : i - locals;
            locals += local ? 1 : 0;
        }

        _global = new Pool(checked(LayerBytes * (layers - locals)));
        _local = new Pool(checked(LayerBytes * locals));
    }

    /// <summary>Number of layers.</summary>
    public int Layers { get; }

    /// <summary>Key-value heads of each layer.</summary>
    public int KvHeads { get; }

    /// <summary>Values per head.</summary>
    public int HeadDim { get; }

    /// <summary>Tokens of a local layer's chunk.</summary>
    public int Chunk { get; }

    /// <summary>Type that keys and values are rounded to.</summary>
    public DType Type => Tile.Type;

    /// <summary>Bytes one token takes in all layers; those of local layers are given back when its chunk is over.</summary>
    public long BytesPerToken => (_global.BlockBytes + _local.BlockBytes) / BlockSize;

    /// <summary>Bytes of all blocks, used and free.</summary>
    public long ByteLength => _global.ByteLength + _local.ByteLength;

    /// <summary>How the tokens of a block lie in memory: a layer is a tile per key-value head.</summary>
    internal KvTile Tile { get; }

    /// <summary>Bytes of one layer in a block.</summary>
    internal nint LayerBytes { get; }

    /// <summary>Whether any layer is local.</summary>
    internal bool HasLocal => _local.BlockBytes > 0;

    /// <summary>A new empty sequence.</summary>
    public KvSequence CreateSequence() => new(this);

    /// <summary>Frees all blocks; sequences of this cache must not be used any more.</summary>
    public void Dispose()
    {
        _disposed = true;
        _global.Dispose();
        _local.Dispose();
    }

    /// <summary>Where a layer's tiles are in a block of its kind.</summary>
    internal nint PlaceOf(int layer, out bool isLocal)
    {
        int place = _places[layer];
        isLocal = place < 0;
        return LayerBytes * (isLocal ? ~place : place);
    }

    internal NativeStorage Take(bool local)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return (local ? _local : _global).Take();
    }

    internal void Give(NativeStorage block, bool local)
    {
        if (!_disposed)
        {
            (local ? _local : _global).Give(block);
        }
    }

    /// <summary>Blocks of one kind of layer.</summary>
    private sealed class Pool(nint blockBytes) : IDisposable
    {
        private readonly Stack<NativeStorage> _free = new();
        private readonly List<NativeStorage> _all = [];

        public nint BlockBytes => blockBytes;

        public long ByteLength => _all.Count * (long)blockBytes;

        public NativeStorage Take()
        {
            if (_free.TryPop(out NativeStorage? block))
            {
                return block;
            }

            block = new NativeStorage(blockBytes, clear: false);
            _all.Add(block);
            return block;
        }

        public void Give(NativeStorage block) => _free.Push(block);

        public void Dispose()
        {
            foreach (NativeStorage block in _all)
            {
                block.Dispose();
            }

            _all.Clear();
            _free.Clear();
        }
    }
}
