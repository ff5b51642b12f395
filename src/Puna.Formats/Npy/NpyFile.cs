using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Formats.Npy;

/// <summary>
/// An array in NumPy's <c>.npy</c> form: versions 1 to 3, C order, little-endian numbers (format: NEP 1 and the documentation of <c>numpy.lib.format</c>).
/// Arrays of Python objects, which would need a pickle, are refused.
/// </summary>
public sealed class NpyFile : IDisposable
{
    private const int MaxHeaderBytes = 65535;

    private readonly TensorStore _store;

    private NpyFile(TensorStore store)
    {
        _store = store;
        Values = store.Get(string.Empty);
    }

    /// <summary>The values; valid until <see cref="Dispose"/>.</summary>
    public Tensor Values { get; }

    /// <summary>The first six bytes of every file.</summary>
    internal static ReadOnlySpan<byte> Magic => [0x93, (byte)'N', (byte)'U', (byte)'M', (byte)'P', (byte)'Y'];

    /// <summary>Opens a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="map">False reads it into memory instead of mapping it.</param>
    /// <exception cref="PunaException">The file is missing or cannot be read.</exception>
    /// <exception cref="FileFormatException">It is damaged, or of a type or order that is not supported.</exception>
    public static NpyFile Open(string path, bool map = true)
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

    /// <summary>Reads a file that is in memory already.</summary>
    /// <param name="storage">Its bytes; belongs to the result unless an exception is thrown.</param>
    /// <param name="path">What to call it in messages.</param>
    /// <exception cref="FileFormatException">It is damaged, or of a type or order that is not supported.</exception>
    public static NpyFile Parse(Storage storage, string path)
    {
        ReadOnlySpan<byte> start = storage.Span<byte>(0, (int)Math.Min(storage.ByteLength, 12 + MaxHeaderBytes));
        if (start.Length < 10 || !start.StartsWith(Magic))
        {
            throw new FileFormatException(path, "npy magic: expected \\x93NUMPY, a version and a header", 0);
        }

        int prefix = start[6] switch
        {
            1 => 10,
            2 or 3 when start.Length >= 12 => 12,
            _ => throw new FileFormatException(path, $"npy version: expected 1, 2 or 3, got {start[6]}", 6),
        };
        uint length = prefix == 10 ? BinaryPrimitives.ReadUInt16LittleEndian(start[8..]) : BinaryPrimitives.ReadUInt32LittleEndian(start[8..]);
        if (length > start.Length - prefix)
        {
            throw new FileFormatException(path, $"npy header length: expected at most {start.Length - prefix}, got {length}", 8);
        }

        Span<long> sizes = stackalloc long[Shape.MaxRank];
        NpyHeader header = NpyHeader.Parse(start.Slice(prefix, (int)length), path, prefix, sizes);
        if (TensorSizes.Check(header.DType, sizes[..header.Rank], out Shape shape, out long bytes) is { } problem)
        {
            throw new FileFormatException(path, $"npy shape: {problem}", prefix);
        }

        long offset = prefix + length;
        if (bytes != storage.ByteLength - offset)
        {
            throw new FileFormatException(
                path,
                $"npy data: expected {bytes} bytes for {header.DType.Name()} {shape}, got {storage.ByteLength - offset}",
                offset);
        }

        var store = new TensorStore(path);
        store.TryAdd(new TensorInfo(string.Empty, header.DType, shape, path, offset, bytes), storage);
        var file = new NpyFile(store);
        store.Own(storage);
        return file;
    }

    /// <summary>All values of a float32 array, in row order.</summary>
    /// <exception cref="PunaException">The array has another type, or more than 2^31 values.</exception>
    public float[] ToFloats() => ToArray<float>(DType.F32);

    /// <summary>All values of an int32 or int64 array, in row order.</summary>
    /// <exception cref="PunaException">The array has another type, or more than 2^31 values.</exception>
    public long[] ToIntegers() => Values.DType == DType.I32 ? Array.ConvertAll(ToArray<int>(DType.I32), x => (long)x) : ToArray<long>(DType.I64);

    /// <inheritdoc/>
    public void Dispose() => _store.Dispose();

    private T[] ToArray<T>(DType type)
        where T : unmanaged
    {
        if (Values.DType != type || Values.Shape.Count > Array.MaxLength)
        {
            throw new PunaException($"npy array: expected up to {Array.MaxLength} values of {type.Name()}, got {Values.Shape.Count} of {Values.DType.Name()}");
        }

        return Values.Storage.Span<T>(Values.Offset, (int)Values.Shape.Count).ToArray();
    }
}
