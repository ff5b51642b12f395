using Puna.Tensors;

namespace Puna.Formats.Packed;

/// <summary>
/// A file of packed weights, mapped: the kernels read it where it lies. Its header has been checked when an instance exists; its weights only after <see cref="Verify"/>, before
/// which none is given out.
/// </summary>
public sealed class PackedFile
{
    private readonly Storage _storage;
    private readonly PackedHeader _header;
    private readonly Dictionary<string, PackedTensor> _tensors;
    private bool _verified;

    private PackedFile(string path, Storage storage, PackedHeader header)
    {
        Path = path;
        _storage = storage;
        _header = header;
        _tensors = new Dictionary<string, PackedTensor>(StringComparer.Ordinal);
        foreach (PackedTensor tensor in header.Tensors)
        {
            if (!_tensors.TryAdd(tensor.Name, tensor))
            {
                throw new FileFormatException(path, $"packed weight {tensor.Name}: expected a name that occurs once");
            }
        }
    }

    /// <summary>Path of the file.</summary>
    public string Path { get; }

    /// <summary>Identifies the content that was packed.</summary>
    public ReadOnlySpan<byte> Source => _header.Source;

    /// <summary>Name of the packed layout.</summary>
    public string Layout => _header.Layout;

    /// <summary>The weights in the order of the file.</summary>
    public IReadOnlyList<PackedTensor> Tensors => _header.Tensors;

    /// <summary>Maps a file and checks its header.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="PunaException">It cannot be read, or is not such a file.</exception>
    public static PackedFile Open(string path)
    {
        Storage storage = MemoryMappedStorage.Map(path);
        try
        {
            (storage as MemoryMappedStorage)?.PreferLargePages();
            return Parse(storage, path);
        }
        catch
        {
            storage.Dispose();
            throw;
        }
    }

    /// <summary>Checks the header of a file in memory, which then belongs to the weights given out.</summary>
    /// <param name="storage">Its bytes.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <exception cref="FileFormatException">It is not such a file.</exception>
    public static PackedFile Parse(Storage storage, string path) => new(path, storage, PackedHeader.Parse(storage, path));

    /// <summary>Compares every byte of every weight with its checksum.</summary>
    /// <param name="threads">Threads that compute.</param>
    /// <param name="cancel">Stops it.</param>
    /// <exception cref="FileFormatException">A weight is damaged.</exception>
    public void Verify(int threads = 1, CancellationToken cancel = default)
    {
        UInt128[] sums = PackedChecksums.Compute([.. Tensors.Select(tensor => (_storage, (nint)tensor.Offset, (nint)tensor.ByteLength))], threads, cancel);
        for (int i = 0; i < sums.Length; i++)
        {
            if (sums[i] != Tensors[i].Checksum)
            {
                throw new FileFormatException(Path, $"packed weight {Tensors[i].Name}: expected bytes with its checksum, got damaged ones", Tensors[i].Offset);
            }

            long end = Tensors[i].Offset + Tensors[i].ByteLength;
            int rest = (int)((i + 1 < sums.Length ? Tensors[i + 1].Offset : _storage.ByteLength) - end);
            if (_storage.Span<byte>((nint)end, rest).ContainsAnyExcept((byte)0))
            {
                throw new FileFormatException(Path, $"packed weight {Tensors[i].Name}: expected zeros up to a multiple of {PackedHeader.Alignment} bytes, got others", end);
            }
        }

        _verified = true;
    }

    /// <summary>A weight over the mapped bytes, which stay as long as it is referenced.</summary>
    /// <param name="name">Name in the checkpoint.</param>
    /// <exception cref="FileFormatException">There is none of this name.</exception>
    /// <exception cref="InvalidOperationException"><see cref="Verify"/> has not succeeded.</exception>
    public Weight GetWeight(string name)
    {
        if (!_verified)
        {
            throw new InvalidOperationException($"packed weights {Path}: expected to be verified first");
        }

        if (!_tensors.TryGetValue(name, out PackedTensor? tensor))
        {
            throw new FileFormatException(Path, $"packed weight {name}: not in the file");
        }

        nint offset = checked((nint)tensor.Offset);
        return tensor.Shape.Rank == 1
            ? new Weight(name, new Tensor(_storage, offset, tensor.Shape, tensor.Type))
            : new Weight(name, new PackedMatrix(tensor.Type, (int)tensor.Shape.Rows, (int)tensor.Shape.Columns, _storage, offset));
    }

    /// <summary>Closes the file; no weight of it may be used any more. Where nobody does, it is closed when no weight is referenced.</summary>
    public void Close() => _storage.Dispose();
}
