namespace Puna.Tensors;

/// <summary>
/// Scratch memory that is given out by moving a mark and taken back by moving it back: after the first few tokens a forward pass allocates nothing. Not
/// thread-safe; belongs to one <see cref="IOps"/>.
/// </summary>
public sealed class Arena : IDisposable
{
    private const nint Alignment = 64;
    private const nint SmallestSlab = 1 << 20;

    private readonly List<NativeStorage> _slabs = [];
    private bool _disposed;
    private int _slab;
    private nint _offset;

    /// <summary>Bytes held from the system.</summary>
    public long ByteLength
    {
        get
        {
            long sum = 0;
            foreach (NativeStorage slab in _slabs)
            {
                sum += slab.ByteLength;
            }

            return sum;
        }
    }

    /// <summary>A place to come back to.</summary>
    public ArenaMark Mark() => new(_slab, _offset);

    /// <summary>Gives back all that was allocated since <paramref name="mark"/>.</summary>
    public void Release(ArenaMark mark)
    {
        (_slab, _offset) = (mark.Slab, mark.Offset);
        if (_slab == 0 && _offset == 0 && _slabs.Count > 1)
        {
            // The work did not fit the first slab: next time it will, and one slab is kinder to the cache than many.
            nint all = (nint)ByteLength;
            Clear();
            _slabs.Add(new NativeStorage(all, clear: false));
        }
    }

    /// <summary>An uninitialised contiguous tensor, aligned to 64 bytes.</summary>
    /// <exception cref="ObjectDisposedException">The arena is gone.</exception>
    public Tensor Allocate(Shape shape, DType dtype = DType.F32)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        nint bytes = checked((nint)(shape.Rows * dtype.RowBytes(shape.Columns)));
        bytes = checked(bytes + Alignment - 1) / Alignment * Alignment;
        while (_slab < _slabs.Count && bytes > _slabs[_slab].ByteLength - _offset)
        {
            _slab++;
            _offset = 0;
        }

        if (_slab == _slabs.Count)
        {
            _slabs.Add(new NativeStorage(Math.Max(bytes, _slabs.Count == 0 ? SmallestSlab : Math.Max(SmallestSlab, _slabs[^1].ByteLength)), clear: false));
        }

        var tensor = new Tensor(_slabs[_slab], _offset, shape, dtype);
        _offset += bytes;
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        Clear();
    }

    private void Clear()
    {
        foreach (NativeStorage slab in _slabs)
        {
            slab.Dispose();
        }

        _slabs.Clear();
        _slab = 0;
        _offset = 0;
    }
}
