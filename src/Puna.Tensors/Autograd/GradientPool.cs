namespace Puna.Tensors.Autograd;

/// <summary>Memory for gradients of activations: each lives from the first operation that needs it to the one that made its activation, so a few buffers go round.</summary>
internal sealed class GradientPool : IDisposable
{
    private readonly List<NativeStorage> _free = [];

    /// <summary>Bytes held at most so far.</summary>
    public long ByteLength { get; private set; }

    /// <summary>An uninitialised tensor.</summary>
    public Tensor Rent(Shape shape)
    {
        nint bytes = checked((nint)shape.Count * sizeof(float));
        int best = -1;
        for (int i = 0; i < _free.Count; i++)
        {
            // Not one that is far too large: it will be wanted by a larger one.
            if (_free[i].ByteLength >= bytes && _free[i].ByteLength / 2 <= bytes && (best < 0 || _free[i].ByteLength < _free[best].ByteLength))
            {
                best = i;
            }
        }

        NativeStorage storage;
        if (best >= 0)
        {
            storage = _free[best];
            _free.RemoveAt(best);
        }
        else
        {
            // Batches differ by a few rows: a little more serves the next one too.
            nint size = Math.Max(bytes + (bytes / 16), 4096);
            ByteLength += size;
            storage = new NativeStorage(size, clear: false);
        }

        return new Tensor(storage, 0, shape, DType.F32);
    }

    /// <summary>Takes a tensor of <see cref="Rent"/> back.</summary>
    public void Return(Tensor tensor) => _free.Add((NativeStorage)tensor.Storage);

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NativeStorage storage in _free)
        {
            storage.Dispose();
        }

        _free.Clear();
    }
}
