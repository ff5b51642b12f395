using System.Diagnostics.CodeAnalysis;
using Puna.Tensors;

namespace Puna.Formats;

/// <summary>Validated tensors and the storages they lie in: what the readers of formats with plain, uncompressed data have in common.</summary>
internal sealed class TensorStore : IDisposable
{
    private readonly string _path;
    private readonly List<TensorInfo> _infos = [];
    private readonly Dictionary<string, Place> _places = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NativeStorage> _copies = new(StringComparer.Ordinal);
    private readonly List<Storage> _owned = [];
    private readonly HashSet<string> _discarded = new(StringComparer.Ordinal);
    private bool _disposed;

    /// <summary>Creates an empty store.</summary>
    /// <param name="path">Path for error messages.</param>
    public TensorStore(string path) => _path = path;

    /// <summary>All tensors, in the order they were added.</summary>
    public IReadOnlyList<TensorInfo> Infos => _infos;

    /// <summary>Makes the store dispose <paramref name="storage"/> with itself.</summary>
    public void Own(Storage storage) => _owned.Add(storage);

    /// <summary>Adds a tensor whose range is inside <paramref name="storage"/>; false where its name is taken.</summary>
    public bool TryAdd(TensorInfo info, Storage storage)
    {
        if (!_places.TryAdd(info.Name, new Place(info, storage)))
        {
            return false;
        }

        _infos.Add(info);
        return true;
    }

    /// <inheritdoc cref="TensorFile.TryGetInfo"/>
    public bool TryGetInfo(string name, [NotNullWhen(true)] out TensorInfo? info)
    {
        info = _places.TryGetValue(name, out Place place) ? place.Info : null;
        return info is not null;
    }

    /// <summary>The tensor over its storage, or over a copy where its values are not aligned there. Copies live as long as the store.</summary>
    public Tensor Get(string name)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (!_places.TryGetValue(name, out Place place))
        {
            throw new FileFormatException(_path, $"tensor {name}: not in the file");
        }

        (TensorInfo info, Storage storage) = place;
        if (_discarded.Contains(name))
        {
            throw new InvalidOperationException($"tensor {name}: its bytes were given up, as it was packed: open the file again ({_path})");
        }

        if (info.ByteLength == 0)
        {
            return new Tensor(storage, 0, info.Shape, info.DType); // its offset may lie behind the end
        }

        // Kernels read 32-bit fields of blocks; the layout of no block type asks for more.
        int alignment = info.DType.IsBlock() ? 4 : info.DType.BlockBytes();
        if ((storage.Address + (nint)info.Offset) % alignment == 0)
        {
            return new Tensor(storage, (nint)info.Offset, info.Shape, info.DType);
        }

        if (!_copies.TryGetValue(name, out NativeStorage? copy))
        {
            copy = Copy(storage, (nint)info.Offset, (nint)info.ByteLength);
            _copies.Add(name, copy);
            _owned.Add(copy);
        }

        return new Tensor(copy, 0, info.Shape, info.DType);
    }

    /// <inheritdoc cref="TensorFile.Release"/>
    public void Release(Tensor tensor)
    {
        foreach ((string name, NativeStorage copy) in _copies)
        {
            if (ReferenceEquals(copy, tensor.Storage))
            {
                _copies.Remove(name);
                _owned.Remove(copy);
                copy.Dispose();
                return;
            }
        }
    }

    /// <inheritdoc cref="TensorFile.Discard"/>
    /// <remarks>No two tensors of the formats that use a store share bytes. Pages of a mapped file are the system's; they need no discarding.</remarks>
    public void Discard(string name, Tensor tensor)
    {
        Release(tensor);
        if (_places.TryGetValue(name, out Place place) && place.Storage is NativeStorage read && place.Info.ByteLength > 0)
        {
            _discarded.Add(name);
            read.Discard((nint)place.Info.Offset, (nint)place.Info.ByteLength);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _disposed = true;
        foreach (Storage storage in _owned)
        {
            storage.Dispose();
        }

        _owned.Clear();
    }

    private static NativeStorage Copy(Storage source, nint offset, nint length)
    {
        const int Piece = 1 << 24;
        var copy = new NativeStorage(length, clear: false);
        for (nint at = 0; at < length; at += Piece)
        {
            int count = (int)Math.Min(Piece, length - at);
            source.Span<byte>(offset + at, count).CopyTo(copy.Span<byte>(at, count));
        }

        return copy;
    }

    private readonly record struct Place(TensorInfo Info, Storage Storage);
}
