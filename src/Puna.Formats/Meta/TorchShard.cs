using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// One <c>.pth</c> file as torch.save writes it since version 1.6: a zip of stored entries with <c>PREFIX/data.pkl</c> and one <c>PREFIX/data/KEY</c> per
/// storage (spec llama1-3.md 3.1). When an instance exists, every tensor in it lies inside its storage, and every storage inside the file.
/// </summary>
internal sealed class TorchShard : IDisposable
{
    // A hundred times what releases have: tensors may share their values, so that a small file can ask for any number of pieces.
    private const int MostPieces = 1 << 20;

    private readonly OrderedDictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private TorchShard(string path, Storage storage)
    {
        Path = path;
        Storage = storage;
    }

    public string Path { get; }

    public Storage Storage { get; }

    /// <summary>Tensors in the order of the pickle.</summary>
    public IReadOnlyDictionary<string, Entry> Entries => _entries;

    /// <summary>Opens and checks a file.</summary>
    public static TorchShard Open(string path, bool map)
    {
        Storage storage = MemoryMappedStorage.Open(path, map);
        try
        {
            return Parse(storage, path);
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    /// <summary>Checks a file in memory, which then belongs to the result.</summary>
    public static TorchShard Parse(Storage storage, string path)
    {
        var shard = new TorchShard(path, storage);
        shard.ReadContents();
        return shard;
    }

    /// <summary>Puts pieces in the place of tensors.</summary>
    /// <exception cref="FileFormatException">Two pieces have one name, or there are too many.</exception>
    public void Replace(Func<Entry, IReadOnlyDictionary<string, Entry>, IEnumerable<Entry>> pieces)
    {
        var all = new OrderedDictionary<string, Entry>(_entries, StringComparer.Ordinal);
        _entries.Clear();
        foreach (Entry entry in all.Values)
        {
            foreach (Entry piece in pieces(entry, all))
            {
                if (_entries.Count == MostPieces)
                {
                    throw Error($"tensor {entry.Name}: expected at most {MostPieces} tensors and pieces of tensors, got more", entry.Offset);
                }

                if (!_entries.TryAdd(piece.Name, piece))
                {
                    throw Error($"tensor {entry.Name}: expected no second tensor for {piece.Name}", entry.Offset);
                }
            }
        }
    }

    /// <summary>Copies a tensor's values in row order, each row at <paramref name="rowStride"/> bytes after the one before.</summary>
    public void CopyTo(Entry entry, Storage target, long offset, long rowStride)
    {
        int size = entry.DType.BlockBytes();
        int rank = entry.Shape.Rank;
        long columns = entry.Shape.Columns, columnStride = rank == 0 ? 1 : entry.Stride[rank - 1];
        if (entry.Shape.Count == 0)
        {
            return;
        }

        if (entry.IsContiguous && rowStride == columns * size)
        {
            CopyBytes(entry.Offset, target, offset, entry.ByteLength);
            return;
        }

        if (rank == 2 && entry.Stride[0] == 1 && columnStride > 1 && size is 1 or 2 or 4)
        {
            switch (size)
            {
                case 1:
                    Transpose<byte>(entry, target, offset, rowStride);
                    return;
                case 2:
                    Transpose<ushort>(entry, target, offset, rowStride);
                    return;
                default:
                    Transpose<uint>(entry, target, offset, rowStride);
                    return;
            }
        }

        Span<long> index = stackalloc long[Shape.MaxRank];
        index.Clear();
        long at = 0; // element of the storage where the row begins, relative to the first
        while (true)
        {
            if (columnStride == 1 || columns == 1)
            {
                CopyBytes(entry.Offset + (at * size), target, offset, columns * size);
            }
            else
            {
                for (long c = 0; c < columns; c++)
                {
                    CopyBytes(entry.Offset + ((at + (c * columnStride)) * size), target, offset + (c * size), size);
                }
            }

            offset += rowStride;
            int d = rank - 2;
            for (; d >= 0; d--)
            {
                at += entry.Stride[d];
                if (++index[d] < entry.Shape[d])
                {
                    break;
                }

                at -= entry.Stride[d] * entry.Shape[d];
                index[d] = 0;
            }

            if (d < 0)
            {
                return;
            }
        }
    }

    /// <summary>Whether a tensor here has the same bytes as one of the same shape in another file.</summary>
    public bool SameBytes(Entry entry, TorchShard other, Entry theirs)
    {
        using Storage mine = Gather(entry), its = other.Gather(theirs);
        const int Piece = 1 << 20;
        for (long at = 0; at < entry.ByteLength; at += Piece)
        {
            int count = (int)Math.Min(Piece, entry.ByteLength - at);
            if (!mine.Span<byte>((nint)at, count).SequenceEqual(its.Span<byte>((nint)at, count)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The values in memory of their own, in row order.</summary>
    public NativeStorage Gather(Entry entry)
    {
        var storage = new NativeStorage(checked((nint)entry.ByteLength), clear: false);
        CopyTo(entry, storage, 0, entry.DType.RowBytes(entry.Shape.Columns));
        return storage;
    }

    public void Dispose() => Storage.Dispose();

    /// <summary>Copies a matrix that lies in the file with columns for rows, some rows at a time, so that what is read and written stays in the nearest caches.</summary>
    private void Transpose<T>(Entry entry, Storage target, long offset, long rowStride)
        where T : unmanaged
    {
        const int Strip = 32;
        int size = entry.DType.BlockBytes();
        long rows = entry.Shape[0], columns = entry.Shape[1];
        for (long first = 0; first < rows; first += Strip)
        {
            int count = (int)Math.Min(Strip, rows - first);
            Span<byte> strip = target.Span<byte>((nint)(offset + (first * rowStride)), checked((int)(((count - 1) * rowStride) + (columns * size))));
            for (int c = 0; c < columns; c++)
            {
                ReadOnlySpan<T> values = MemoryMarshal.Cast<byte, T>(Storage.Span<byte>((nint)(entry.Offset + ((first + (c * entry.Stride[1])) * size)), count * size));
                for (int r = 0; r < values.Length; r++)
                {
                    MemoryMarshal.Write(strip[(int)((r * rowStride) + ((long)c * size))..], values[r]);
                }
            }
        }
    }

    private FileFormatException Error(string message, long offset = -1) => new(Path, message, offset);

    private void ReadContents()
    {
        if (Storage.ByteLength == 0)
        {
            throw Error("checkpoint: expected a zip file written by torch.save, got an empty file");
        }

        ReadOnlySpan<byte> start = Storage.Span<byte>(0, (int)Math.Min(2, Storage.ByteLength));
        if (start[0] == 0x80)
        {
            throw Error("checkpoint: expected a zip file, got a torch file from before version 1.6: load and save it once with a newer torch", 0);
        }

        if (!start.SequenceEqual("PK"u8))
        {
            throw Error($"checkpoint: expected a zip file written by torch.save, got one that begins with {Convert.ToHexStringLower(start)}", 0);
        }

        StoredZip zip = StoredZip.Read(Storage, Path);
        StoredZipEntry pickle = FindPickle(zip);
        string prefix = pickle.Name[..^"data.pkl".Length];
        if (zip.Entries.TryGetValue($"{prefix}byteorder", out StoredZipEntry? order)
            && (order.Length != 6 || !Storage.Span<byte>((nint)order.Offset, 6).SequenceEqual("little"u8)))
        {
            throw Error("checkpoint: expected byte order little, got another", order.Offset);
        }

        if (pickle.Length > TorchPickle.MaxBytes)
        {
            throw Error($"zip entry {pickle.Name}: expected at most {TorchPickle.MaxBytes} bytes, got {pickle.Length}", pickle.Offset);
        }

        foreach (TorchTensor tensor in TorchPickle.Read(Storage.Span<byte>((nint)pickle.Offset, (int)pickle.Length), Path, pickle.Offset))
        {
            if (!zip.Entries.TryGetValue($"{prefix}data/{tensor.StorageKey}", out StoredZipEntry? data))
            {
                throw Error($"tensor {tensor.Name}: expected its storage in zip entry {prefix}data/{tensor.StorageKey}, there is none");
            }

            _entries.Add(tensor.Name, Resolve(tensor, data));
        }
    }

    private StoredZipEntry FindPickle(StoredZip zip)
    {
        StoredZipEntry? found = null;
        foreach (StoredZipEntry entry in zip.Entries.Values)
        {
            if (entry.Name.EndsWith("/data.pkl", StringComparison.Ordinal))
            {
                found = found is null ? entry : throw Error($"checkpoint: expected one entry PREFIX/data.pkl, got {found.Name} and {entry.Name}");
            }
        }

        return found ?? throw Error("checkpoint: expected an entry PREFIX/data.pkl as torch.save writes it, got none");
    }

    /// <summary>Places a tensor in the file. Each product and sum is compared with what the storage holds before it is formed.</summary>
    private Entry Resolve(TorchTensor tensor, StoredZipEntry data)
    {
        int size = tensor.DType.BlockBytes();
        if (data.Length % size != 0 || data.Length / size != tensor.StorageCount)
        {
            throw Error($"tensor {tensor.Name}: expected a storage of {tensor.StorageCount} {tensor.DType.Name()} values, got {data.Length} bytes in {data.Name}", data.Offset);
        }

        if (TensorSizes.Check(tensor.DType, [.. tensor.Size], out Shape shape, out long bytes) is { } problem)
        {
            throw Error($"tensor {tensor.Name}: {problem}");
        }

        long last = tensor.Offset; // of all elements, the one furthest behind
        bool inside = shape.Count == 0 ? tensor.Offset <= tensor.StorageCount : tensor.Offset < tensor.StorageCount;
        long expected = 1; // stride of the dimension if there are no gaps
        bool contiguous = true;
        for (int i = shape.Rank - 1; i >= 0 && inside && shape.Count > 0; i--)
        {
            long steps = shape[i] - 1, stride = tensor.Stride[i];
            if (steps > 0)
            {
                inside = stride <= (tensor.StorageCount - 1 - last) / steps;
                last += inside ? steps * stride : 0;
                contiguous &= stride == expected;
                expected *= shape[i];
            }
        }

        if (!inside)
        {
            string place = $"sizes {shape}, strides [{string.Join(", ", tensor.Stride)}] and offset {tensor.Offset}";
            throw Error($"tensor {tensor.Name}: expected {place} inside a storage of {tensor.StorageCount}", data.Offset);
        }

        if (shape.Count > tensor.StorageCount)
        {
            throw Error($"tensor {tensor.Name}: expected at most the {tensor.StorageCount} values of its storage, got {shape}: repeated values are not read", data.Offset);
        }

        return new Entry(tensor.Name, tensor.DType, shape, [.. tensor.Stride], data.Offset + (tensor.Offset * size), bytes, contiguous);
    }

    private void CopyBytes(long from, Storage target, long to, long count)
    {
        const int Piece = 1 << 30;
        for (long at = 0; at < count; at += Piece)
        {
            int part = (int)Math.Min(Piece, count - at);
            Storage.Span<byte>((nint)(from + at), part).CopyTo(target.Span<byte>((nint)(to + at), part));
        }
    }

    /// <summary>A tensor in this file.</summary>
    /// <param name="Name">Key in the pickle.</param>
    /// <param name="DType">Type of the values.</param>
    /// <param name="Shape">Sizes.</param>
    /// <param name="Stride">Elements between neighbours, per dimension.</param>
    /// <param name="Offset">Byte offset of the first value in the file.</param>
    /// <param name="ByteLength">Bytes of all values, without gaps.</param>
    /// <param name="IsContiguous">Whether the values follow each other without gaps, in row order.</param>
    internal sealed record Entry(string Name, DType DType, Shape Shape, long[] Stride, long Offset, long ByteLength, bool IsContiguous);
}
