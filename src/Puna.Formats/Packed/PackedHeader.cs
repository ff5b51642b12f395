using System.Buffers.Binary;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Packed;

/// <summary>
/// The header of a file of packed weights (docs/design.md, "The packed form on disk"): what it was made from, by which version of the layout, and where each weight lies.
/// </summary>
/// <param name="Source">SHA-256 that identifies the content it was made from.</param>
/// <param name="Layout">Name of the packed layout, as <see cref="IOps.PackedVersion"/>.</param>
/// <param name="Tensors">The weights; they follow each other without gaps but those up to a multiple of 64.</param>
internal sealed record PackedHeader(byte[] Source, string Layout, IReadOnlyList<PackedTensor> Tensors)
{
    public const int Version = 1;
    public const int SourceBytes = 32;
    public const int Alignment = 64;

    private const int PageBytes = 4096;
    private const int MaxBytes = 1 << 26;
    private const int MaxNameBytes = 1 << 12;

    // Magic, version, length of the header, length of the file, source; at the end the checksum.
    private const int FixedBytes = 8 + 4 + 4 + 8 + SourceBytes;

    // Length of a name, length of a type's name, rank, one size, length, checksum.
    private const int LeastTensorBytes = 2 + 2 + 4 + 8 + 8 + LaneChecksum.Bytes;

    private static ReadOnlySpan<byte> Magic => "PUNAPACK"u8;

    /// <summary>Places weights behind a header that describes them.</summary>
    /// <param name="source">As <see cref="Source"/>.</param>
    /// <param name="layout">As <see cref="Layout"/>.</param>
    /// <param name="tensors">The weights; their offsets are not looked at.</param>
    public static PackedHeader Place(byte[] source, string layout, IReadOnlyList<PackedTensor> tensors)
    {
        var placed = new List<PackedTensor>();
        long at = new PackedHeader(source, layout, tensors).HeaderBytes;
        foreach (PackedTensor tensor in tensors)
        {
            placed.Add(tensor with { Offset = at });
            at = Align(at + tensor.ByteLength);
        }

        return new PackedHeader(source, layout, placed);
    }

    /// <summary>Bytes before the first weight.</summary>
    public int HeaderBytes
    {
        get
        {
            int bytes = FixedBytes + 2 + Encoding.UTF8.GetByteCount(Layout) + 4 + LaneChecksum.Bytes;
            foreach (PackedTensor tensor in Tensors)
            {
                bytes += LeastTensorBytes + Encoding.UTF8.GetByteCount(tensor.Name) + tensor.Type.Name().Length + (8 * (tensor.Shape.Rank - 1));
            }

            return (bytes + PageBytes - 1) / PageBytes * PageBytes;
        }
    }

    /// <summary>Bytes of the whole file.</summary>
    public long FileBytes => Tensors.Count == 0 ? HeaderBytes : Align(Tensors[^1].Offset + Tensors[^1].ByteLength);

    /// <summary>The header as it is written.</summary>
    public byte[] Write()
    {
        var bytes = new byte[HeaderBytes];
        var writer = new BinaryWriter(new MemoryStream(bytes), Encoding.UTF8);
        writer.Write(Magic);
        writer.Write(Version);
        writer.Write(bytes.Length);
        writer.Write(FileBytes);
        writer.Write(Source);
        WriteText(writer, Layout);
        writer.Write(Tensors.Count);
        foreach (PackedTensor tensor in Tensors)
        {
            WriteText(writer, tensor.Name);
            WriteText(writer, tensor.Type.Name());
            writer.Write(tensor.Shape.Rank);
            foreach (long size in tensor.Shape.ToArray())
            {
                writer.Write(size);
            }

            writer.Write(tensor.ByteLength);
            WriteSum(writer, tensor.Checksum);
        }

        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(bytes.Length - LaneChecksum.Bytes), LaneChecksum.Of(bytes.AsSpan(0, bytes.Length - LaneChecksum.Bytes)));
        return bytes;
    }

    /// <summary>Reads and checks the header of a file: where it does not throw, every weight has the bytes its type and shape take, inside the file and apart from the others.</summary>
    /// <param name="file">The whole file.</param>
    /// <param name="path">Its path, for messages.</param>
    /// <exception cref="FileFormatException">Anything else.</exception>
    public static PackedHeader Parse(Storage file, string path)
    {
        const int Start = 24;
        if (file.ByteLength < Start || !file.Span<byte>(0, Magic.Length).SequenceEqual(Magic))
        {
            throw new FileFormatException(path, "packed weights: expected a file that begins with PUNAPACK, got another", 0);
        }

        ReadOnlySpan<byte> start = file.Span<byte>(0, Start);
        int version = BinaryPrimitives.ReadInt32LittleEndian(start[8..]);
        if (version != Version)
        {
            throw new FileFormatException(path, $"packed weights: expected format version {Version}, got {version}", 8);
        }

        int length = BinaryPrimitives.ReadInt32LittleEndian(start[12..]);
        if (length < PageBytes || length > MaxBytes || length % PageBytes != 0 || length > file.ByteLength)
        {
            throw new FileFormatException(path, $"packed weights: expected a header of whole pages of {PageBytes} bytes up to {MaxBytes} inside {file.ByteLength} bytes, got {length}", 12);
        }

        long fileBytes = BinaryPrimitives.ReadInt64LittleEndian(start[16..]);
        if (fileBytes != file.ByteLength)
        {
            throw new FileFormatException(path, $"packed weights: expected {fileBytes} bytes, got {file.ByteLength}", 16);
        }

        ReadOnlySpan<byte> bytes = file.Span<byte>(0, length);
        int end = length - LaneChecksum.Bytes;
        if (BinaryPrimitives.ReadUInt128LittleEndian(bytes[end..]) != LaneChecksum.Of(bytes[..end]))
        {
            throw new FileFormatException(path, "packed weights: expected a header with its checksum, got a damaged one", end);
        }

        var cursor = new PackedCursor(bytes[..end], path) { Position = Start };
        byte[] source = cursor.Take(SourceBytes, "source").ToArray();
        string layout = cursor.Text(MaxNameBytes, "layout");
        int count = cursor.Count(LeastTensorBytes, "number of weights");
        var tensors = new List<PackedTensor>(count);
        long at = length;
        for (int i = 0; i < count; i++)
        {
            PackedTensor tensor = ReadTensor(ref cursor, at);
            if (tensor.ByteLength > fileBytes - at || Align(at + tensor.ByteLength) > fileBytes)
            {
                throw new FileFormatException(path, $"packed weight {tensor.Name}: expected {tensor.ByteLength} bytes at {at} inside {fileBytes}");
            }

            tensors.Add(tensor);
            at = Align(at + tensor.ByteLength);
        }

        if (at != fileBytes)
        {
            throw new FileFormatException(path, $"packed weights: expected to end at byte {at}, got {fileBytes} bytes");
        }

        return new PackedHeader(source, layout, tensors);
    }

    private static PackedTensor ReadTensor(ref PackedCursor cursor, long offset)
    {
        int at = cursor.Position;
        string name = cursor.Text(MaxNameBytes, "name");
        string typeName = cursor.Text(MaxNameBytes, "type");
        if (!DTypes.TryParse(typeName, out DType type))
        {
            throw cursor.Wrong($"packed weight {name}: expected a known type, got {typeName}", at);
        }

        int rank = cursor.Int32("rank");
        if (rank is not (1 or 2))
        {
            throw cursor.Wrong($"packed weight {name}: expected 1 or 2 sizes, got {rank}", at);
        }

        long outer = cursor.Int64("size");
        long inner = rank == 2 ? cursor.Int64("size") : 0;
        long length = cursor.Int64("length");
        UInt128 sum = BinaryPrimitives.ReadUInt128LittleEndian(cursor.Take(LaneChecksum.Bytes, "checksum"));
        if (outer is < 1 or > int.MaxValue || (rank == 2 && inner is < 1 or > int.MaxValue))
        {
            throw cursor.Wrong($"packed weight {name}: expected sizes from 1 to {int.MaxValue}, got {outer} and {inner}", at);
        }

        Shape shape = rank == 2 ? new Shape(outer, inner) : new Shape(outer);
        long expected = PackedTensor.BytesOf(type, shape);
        return expected > 0 && expected == length
            ? new PackedTensor(name, type, shape, offset, length, sum)
            : throw cursor.Wrong($"packed weight {name}: expected the {expected} bytes of {shape} {type.Name()}, got {length}", at);
    }

    private static long Align(long at) => (at + Alignment - 1) / Alignment * Alignment;

    private static void WriteText(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write(checked((ushort)bytes.Length));
        writer.Write(bytes);
    }

    private static void WriteSum(BinaryWriter writer, UInt128 sum)
    {
        writer.Write((ulong)sum);
        writer.Write((ulong)(sum >> 64));
    }
}
