using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Gguf;

/// <summary>The parsed and fully checked header of one GGUF file (spec llama1-3.md 3.3): versions 2 and 3, little-endian.</summary>
internal sealed class GgufPart
{
    internal const int MaxDepth = 4;
    internal const int MaxKeyBytes = 65535;
    internal const int MaxNameBytes = 64;
    internal const int MaxRank = 4;
    internal const long MaxAlignment = 1 << 20;

    // A length, a type and one byte of value; a length, a rank, a type and an offset.
    private const int LeastValueBytes = 8 + 4 + 1;
    private const int LeastTensorBytes = 8 + 4 + 4 + 8;

    private readonly string _path;

    private GgufPart(string path)
    {
        _path = path;
        Metadata = new GgufMetadata(path);
    }

    /// <summary>Version of the format, 2 or 3.</summary>
    public int Version { get; private set; }

    /// <summary>All key-value pairs, in the order of the file.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>All tensors, in the order of the file.</summary>
    public List<TensorInfo> Tensors { get; } = [];

    /// <summary>Reads the header of a file.</summary>
    /// <param name="file">The bytes of the whole file.</param>
    /// <param name="path">Its path, for messages and <see cref="TensorInfo.File"/>.</param>
    /// <exception cref="FileFormatException">Anything is not as the format has it.</exception>
    public static GgufPart Parse(Storage file, string path)
    {
        var part = new GgufPart(path);
        int length = (int)Math.Min(file.ByteLength, int.MaxValue); // of a larger file only tensor data lies behind
        var cursor = new GgufCursor(file.Span<byte>(0, length), path);
        part.Read(ref cursor, file.ByteLength);
        return part;
    }

    private void Read(ref GgufCursor cursor, long fileLength)
    {
        ReadVersion(ref cursor);
        int tensors = cursor.Count(LeastTensorBytes, "gguf", "tensor count");
        int values = cursor.Count(LeastValueBytes, "gguf", "metadata count");
        for (int i = 0; i < values; i++)
        {
            int at = cursor.Position;
            string key = cursor.String(MaxKeyBytes, "gguf", "metadata key", i);
            if (Metadata.Contains(key))
            {
                throw cursor.Wrong($"metadata {key}: expected a key that occurs once", at);
            }

            GgufValueType type = ReadType(ref cursor, key);
            Metadata.Set(key, ReadValue(ref cursor, key, type, 0));
        }

        long alignment = Metadata.GetInteger("general.alignment") ?? GgufFile.DefaultAlignment;
        if (alignment is < 1 or > MaxAlignment || (alignment & (alignment - 1)) != 0)
        {
            throw new FileFormatException(_path, $"metadata general.alignment: expected a power of two up to {MaxAlignment}, got {alignment}");
        }

        var names = new HashSet<string>(tensors <= cursor.Left / LeastTensorBytes ? tensors : 0, StringComparer.Ordinal);
        for (int i = 0; i < tensors; i++)
        {
            int at = cursor.Position;
            TensorInfo tensor = ReadTensor(ref cursor, i, alignment);
            Tensors.Add(names.Add(tensor.Name) ? tensor : throw cursor.Wrong($"tensor {tensor.Name}: expected a name that occurs once", at));
        }

        long start = (cursor.Position + alignment - 1) / alignment * alignment;
        Place(start, fileLength);
    }

    private void ReadVersion(ref GgufCursor cursor)
    {
        if (!cursor.Peek(4).SequenceEqual("GGUF"u8))
        {
            throw cursor.Wrong($"gguf magic: expected \"GGUF\", got {Show(cursor.Peek(4))}", 0);
        }

        _ = cursor.Read<uint>("gguf", "magic");
        uint version = cursor.Read<uint>("gguf", "version");
        Version = version switch
        {
            2 or 3 => (int)version,
            1 => throw cursor.Wrong("gguf version: expected 2 or 3, got version 1, whose counts have 32 bits: convert the file again", 4),
            0x0200_0000 or 0x0300_0000 => throw cursor.Wrong("gguf byte order: expected little-endian, got a big-endian file", 4),
            _ => throw cursor.Wrong($"gguf version: expected 2 or 3, got {version}", 4),
        };
    }

    private static GgufValueType ReadType(ref GgufCursor cursor, string key)
    {
        int at = cursor.Position;
        uint id = cursor.Read<uint>("metadata", key);
        return id <= (uint)GgufValueType.Float64 ? (GgufValueType)id : throw cursor.Wrong($"metadata {key}: unknown value type {id}", at);
    }

    private static GgufValue ReadValue(ref GgufCursor cursor, string key, GgufValueType type, int depth) => type switch
    {
        GgufValueType.UInt8 => new GgufValue(type, cursor.Read<byte>("metadata", key)),
        GgufValueType.Int8 => new GgufValue(type, cursor.Read<sbyte>("metadata", key)),
        GgufValueType.UInt16 => new GgufValue(type, cursor.Read<ushort>("metadata", key)),
        GgufValueType.Int16 => new GgufValue(type, cursor.Read<short>("metadata", key)),
        GgufValueType.UInt32 => new GgufValue(type, cursor.Read<uint>("metadata", key)),
        GgufValueType.Int32 => new GgufValue(type, cursor.Read<int>("metadata", key)),
        GgufValueType.UInt64 => new GgufValue(type, cursor.Read<ulong>("metadata", key)),
        GgufValueType.Int64 => new GgufValue(type, cursor.Read<long>("metadata", key)),
        GgufValueType.Float32 => new GgufValue(type, cursor.Read<float>("metadata", key)),
        GgufValueType.Float64 => new GgufValue(type, cursor.Read<double>("metadata", key)),
        GgufValueType.Bool => new GgufValue(type, ReadBool(ref cursor, key)),
        GgufValueType.String => new GgufValue(type, cursor.String("metadata", key)),
        _ => ReadArray(ref cursor, key, depth + 1),
    };

    private static GgufValue ReadArray(ref GgufCursor cursor, string key, int depth)
    {
        if (depth > MaxDepth)
        {
            throw cursor.Wrong($"metadata {key}: expected arrays nested at most {MaxDepth} deep, got more", cursor.Position);
        }

        GgufValueType type = ReadType(ref cursor, key);
        int count = cursor.Count(LeastBytes(type), "length of metadata", key);
        Array values = type switch
        {
            GgufValueType.UInt8 => cursor.Array<byte>(count),
            GgufValueType.Int8 => cursor.Array<sbyte>(count),
            GgufValueType.UInt16 => cursor.Array<ushort>(count),
            GgufValueType.Int16 => cursor.Array<short>(count),
            GgufValueType.UInt32 => cursor.Array<uint>(count),
            GgufValueType.Int32 => cursor.Array<int>(count),
            GgufValueType.UInt64 => cursor.Array<ulong>(count),
            GgufValueType.Int64 => cursor.Array<long>(count),
            GgufValueType.Float32 => cursor.Array<float>(count),
            GgufValueType.Float64 => cursor.Array<double>(count),
            GgufValueType.Bool => ReadBools(ref cursor, key, count),
            GgufValueType.String => ReadStrings(ref cursor, key, count),
            _ => ReadArrays(ref cursor, key, count, depth),
        };
        return new GgufValue(GgufValueType.Array, values, type);
    }

    private static string[] ReadStrings(ref GgufCursor cursor, string key, int count)
    {
        string[] values = new string[count];
        cursor.Strings(values, "metadata", key);
        return values;
    }

    private static bool[] ReadBools(ref GgufCursor cursor, string key, int count)
    {
        bool[] values = new bool[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ReadBool(ref cursor, key);
        }

        return values;
    }

    private static GgufValue[] ReadArrays(ref GgufCursor cursor, string key, int count, int depth)
    {
        var values = new GgufValue[count];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = ReadArray(ref cursor, key, depth + 1);
        }

        return values;
    }

    private static bool ReadBool(ref GgufCursor cursor, string key)
    {
        byte value = cursor.Read<byte>("metadata", key);
        return value <= 1 ? value == 1 : throw cursor.Wrong($"metadata {key}: expected a truth value of 0 or 1, got {value}", cursor.Position - 1);
    }

    private static int LeastBytes(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.Array => 4 + 8,
        _ => 8,
    };

    /// <summary>Reads one tensor's entry; its offset is still relative to the data.</summary>
    private TensorInfo ReadTensor(ref GgufCursor cursor, int index, long alignment)
    {
        int at = cursor.Position;
        string name = cursor.String(MaxNameBytes, "gguf", "tensor name", index);
        uint rank = cursor.Read<uint>("rank of tensor", name);
        if (rank > MaxRank)
        {
            throw cursor.Wrong($"tensor {name}: expected at most {MaxRank} dimensions, got {rank}", at);
        }

        Span<long> sizes = stackalloc long[MaxRank];
        sizes = sizes[..(int)rank];
        for (int d = sizes.Length - 1; d >= 0; d--)
        {
            sizes[d] = cursor.Read<long>("sizes of tensor", name); // innermost first in the file
        }

        uint type = cursor.Read<uint>("type of tensor", name);
        long offset = cursor.Read<long>("offset of tensor", name);
        if (type >= (uint)DType.U8 || !DTypes.IsDefined((DType)type))
        {
            throw cursor.Wrong($"tensor {name}: unknown type id {type}", at);
        }

        if (TensorSizes.Check((DType)type, sizes, out Shape shape, out long bytes) is { } problem)
        {
            throw cursor.Wrong($"tensor {name}: {problem}", at);
        }

        if (offset < 0 || offset % alignment != 0)
        {
            throw cursor.Wrong($"tensor {name}: expected an offset that is a multiple of {alignment}, got {(ulong)offset}", at);
        }

        return new TensorInfo(name, (DType)type, shape, _path, offset, bytes);
    }

    /// <summary>Makes the offsets those in the file, and checks that the tensors lie inside it, apart from each other.</summary>
    private void Place(long start, long fileLength)
    {
        long room = fileLength - start; // negative where the header's padding is missing
        for (int i = 0; i < Tensors.Count; i++)
        {
            TensorInfo tensor = Tensors[i];
            bool outside = tensor.ByteLength > room || tensor.Offset > room - tensor.ByteLength; // in this order nothing overflows
            if (tensor.ByteLength > 0 && outside)
            {
                throw new FileFormatException(
                    _path,
                    $"tensor {tensor.Name}: expected {tensor.ByteLength} bytes at {start} + {tensor.Offset}, inside the file, got a file of {fileLength}");
            }

            Tensors[i] = tensor with { Offset = tensor.ByteLength > 0 ? start + tensor.Offset : Math.Min(start, fileLength) };
        }

        TensorInfo[] sorted = [.. Tensors.Where(tensor => tensor.ByteLength > 0)];
        Array.Sort(sorted, static (a, b) => a.Offset.CompareTo(b.Offset));
        for (int i = 1; i < sorted.Length; i++)
        {
            TensorInfo before = sorted[i - 1];
            if (sorted[i].Offset < before.Offset + before.ByteLength)
            {
                throw new FileFormatException(
                    _path,
                    $"tensor {sorted[i].Name}: expected data behind tensor {before.Name}, which ends at byte {before.Offset + before.ByteLength}, got an overlap",
                    sorted[i].Offset);
            }
        }
    }

    private static string Show(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return "an empty file";
        }

        return bytes.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0 ? $"\"{Encoding.ASCII.GetString(bytes)}\"" : "0x" + Convert.ToHexString(bytes);
    }
}
