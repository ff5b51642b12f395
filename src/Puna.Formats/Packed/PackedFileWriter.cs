using Puna.Tensors;

namespace Puna.Formats.Packed;

/// <summary>Writes packed weights to a file that <see cref="PackedFile"/> maps. It appears complete or not at all.</summary>
public static class PackedFileWriter
{
    private const int Piece = 1 << 24;

    /// <summary>Writes a file.</summary>
    /// <param name="path">Where to; a file of that name is replaced.</param>
    /// <param name="source">SHA-256 that identifies the content that was packed.</param>
    /// <param name="layout">Name of the packed layout.</param>
    /// <param name="weights">Packed matrices and float32 vectors.</param>
    /// <param name="threads">Threads that compute checksums.</param>
    /// <param name="cancel">Stops it; nothing is left behind.</param>
    /// <exception cref="PunaException">The file cannot be made, or a weight is neither packed nor a float32 vector.</exception>
    /// <exception cref="IOException">It cannot be written whole, for example because the disk is full; nothing is left behind.</exception>
    public static void Write(string path, byte[] source, string layout, IReadOnlyList<Weight> weights, int threads = 1, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(source.Length, PackedHeader.SourceBytes);
        (Storage Storage, nint Offset, nint Length)[] ranges = [.. weights.Select(RangeOf)];
        UInt128[] sums = PackedChecksums.Compute(ranges, threads, cancel);
        PackedHeader header = PackedHeader.Place(source, layout, [.. weights.Select((weight, i) => new PackedTensor(weight.Name, weight.DType, weight.Shape, 0, ranges[i].Length, sums[i]))]);

        using var files = new StagedFiles();
        FileStream stream = files.Create(path);
        try
        {
            Write(stream, header, ranges, cancel);
        }
        catch (ArgumentOutOfRangeException e)
        {
            throw new IOException($"file {path}: expected a file system for files of {header.FileBytes} bytes, got one for smaller ones", e); // so .NET says it
        }

        files.Commit();
    }

    private static void Write(FileStream stream, PackedHeader header, (Storage Storage, nint Offset, nint Length)[] ranges, CancellationToken cancel)
    {
        stream.Write(header.Write());
        ReadOnlySpan<byte> zeros = stackalloc byte[PackedHeader.Alignment];
        foreach ((Storage storage, nint offset, nint length) in ranges)
        {
            for (nint at = 0; at < length; at += Piece)
            {
                cancel.ThrowIfCancellationRequested();
                stream.Write(storage.Span<byte>(offset + at, (int)Math.Min(Piece, length - at)));
            }

            stream.Write(zeros[..(int)((PackedHeader.Alignment - (length % PackedHeader.Alignment)) % PackedHeader.Alignment)]);
        }

        if (stream.Position != header.FileBytes)
        {
            throw new InvalidOperationException($"packed weights {stream.Name}: expected {header.FileBytes} bytes, wrote {stream.Position}");
        }

        // On the disk before it has its name: after a power cut there is the whole file or none.
        stream.Flush(flushToDisk: true);
    }

    private static (Storage Storage, nint Offset, nint Length) RangeOf(Weight weight)
    {
        if (weight.Packed is { } packed)
        {
            return (packed.Storage, packed.Offset, packed.ByteLength);
        }

        return weight is { Shape.Rank: 1, DType: DType.F32 }
            ? (weight.Master.Storage, weight.Master.Offset, (nint)weight.Master.ByteLength)
            : throw new PunaException($"weight {weight}: expected a packed matrix or a vector of f32");
    }
}
