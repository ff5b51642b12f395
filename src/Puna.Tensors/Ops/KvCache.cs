using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors;

/// <summary>
/// Keys and values of earlier tokens, in blocks of a fixed number of tokens that hold all layers of a kind. Blocks are taken when a sequence grows and given back when it
/// shrinks or ends, so memory follows the tokens that are there. Local layers, which see one chunk only, have blocks of their own, and those of chunks that are over are given back. Sequences
/// share one pool, and may share blocks (<see cref="KvSequence.Fork"/>, <see cref="KvPage"/>): one that writes to a shared block gets a copy first. Not thread-safe.
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

    /// <summary>Bytes of a block in all layers.</summary>
    public long BlockBytes => _global.BlockBytes + _local.BlockBytes;

    /// <summary>Bytes of a block in local layers; 0 where there are none.</summary>
    public long LocalBlockBytes => _local.BlockBytes;

    /// <summary>Blocks in use; one that is shared counts once.</summary>
    public int UsedBlocks => _global.Used;

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

    /// <summary>A block with one holder.</summary>
    internal KvBlock Take(bool local)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return (local ? _local : _global).Take();
    }

    /// <summary>Counts one more holder.</summary>
    internal KvBlock Hold(KvBlock block)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        block.Holders++;
        return block;
    }

    /// <summary>One holder fewer.</summary>
    internal void Give(KvBlock block, bool local)
    {
        if (!_disposed && --block.Holders == 0)
        {
            (local ? _local : _global).Give(block);
        }
    }

    /// <summary>A block for one holder alone, which holds it already: the block itself, or a copy where others hold it too.</summary>
    internal KvBlock Own(KvBlock block, bool local)
    {
        if (block.Holders == 1)
        {
            return block;
        }

        KvBlock copy = Take(local);
        const int Most = 1 << 30;
        for (nint at = 0; at < block.Storage.ByteLength; at += Most)
        {
            int count = (int)Math.Min(Most, block.Storage.ByteLength - at);
            block.Storage.Span<byte>(at, count).CopyTo(copy.Storage.Span<byte>(at, count));
        }

        Give(block, local);
        return copy;
    }

    /// <summary>Blocks of one kind of layer.</summary>
    private sealed class Pool(nint blockBytes) : IDisposable
    {
        private readonly Stack<KvBlock> _free = new();
        private readonly List<NativeStorage> _all = [];

        public nint BlockBytes => blockBytes;

        public int Used => _all.Count - _free.Count;

        public long ByteLength => _all.Count * (long)blockBytes;

        public KvBlock Take()
        {
            if (!_free.TryPop(out KvBlock? block))
            {
                var storage = new NativeStorage(blockBytes, clear: false);
                _all.Add(storage);
                block = new KvBlock(storage);
            }

            block.Holders = 1;
            return block;
        }

        public void Give(KvBlock block) => _free.Push(block);

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
