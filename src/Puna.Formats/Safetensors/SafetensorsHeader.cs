using System.Buffers.Binary;
using System.Text.Json;
using Puna.Tensors;

namespace Puna.Formats.Safetensors;

/// <summary>
/// The parsed and fully checked header of one safetensors file (spec llama1-3.md 3.2): a 64-bit length, JSON, data. As in the format's reference library the
/// tensors must tile the data without overlaps, holes or a rest.
/// </summary>
internal sealed class SafetensorsHeader
{
    /// <summary>The longest header the reference library reads.</summary>
    public const long MaxBytes = 100_000_000;

    private const int LengthBytes = 8;

    private readonly string _path;
    private readonly long _fileLength;
    private long _dataStart;

    private SafetensorsHeader(string path, long fileLength)
    {
        _path = path;
        _fileLength = fileLength;
    }

    /// <summary>The tensors in the order of the header.</summary>
    public List<TensorInfo> Tensors { get; } = [];

    /// <summary>The strings under <c>__metadata__</c>.</summary>
    public Dictionary<string, string> Metadata { get; } = new(StringComparer.Ordinal);

    /// <summary>Reads the header of a file.</summary>
    /// <param name="file">The bytes of the whole file.</param>
    /// <param name="path">Its path, for messages and <see cref="TensorInfo.File"/>.</param>
    /// <exception cref="FileFormatException">Anything is not as the format has it.</exception>
    public static SafetensorsHeader Parse(Storage file, string path)
    {
        long fileLength = file.ByteLength;
        if (fileLength < LengthBytes)
        {
            throw new FileFormatException(path, $"safetensors header: expected at least {LengthBytes} bytes, got a file of {fileLength}");
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(file.Span<byte>(0, LengthBytes));
        if (length > MaxBytes)
        {
            throw new FileFormatException(path, $"safetensors header length: expected at most {MaxBytes}, got {length}", 0);
        }

        if ((long)length > fileLength - LengthBytes)
        {
            throw new FileFormatException(
                path,
                $"safetensors header length: expected at most the {fileLength - LengthBytes} bytes that follow, got {length}",
                0);
        }

        var header = new SafetensorsHeader(path, fileLength) { _dataStart = LengthBytes + (long)length };
        var json = new StrictJson(file.Span<byte>(LengthBytes, (int)length), path, "safetensors header", LengthBytes);
        header.ReadRoot(ref json);
        header.CheckTiling();
        return header;
    }

    private void ReadRoot(ref StrictJson json)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        json.Expect(JsonTokenType.StartObject, "safetensors header");
        while (json.NextProperty(out string name))
        {
            if (!names.Add(name))
            {
                throw json.Wrong($"tensor {name}: expected a name that occurs once");
            }

            if (name == "__metadata__")
            {
                ReadMetadata(ref json);
            }
            else
            {
                ReadTensor(ref json, name);
            }
        }

        json.End();
    }

    private void ReadMetadata(ref StrictJson json)
    {
        if (!json.ObjectOrNull("__metadata__"))
        {
            return; // the reference library takes null as absent
        }

        while (json.NextProperty(out string key))
        {
            if (!Metadata.TryAdd(key, json.String($"__metadata__ {key}")))
            {
                throw json.Wrong($"__metadata__ {key}: expected a key that occurs once");
            }
        }
    }

    private void ReadTensor(ref StrictJson json, string name)
    {
        json.Expect(JsonTokenType.StartObject, $"tensor {name}");
        long at = json.Position;
        DType? dtype = null;
        Span<long> sizes = stackalloc long[Shape.MaxRank];
        Span<long> offsets = stackalloc long[2];
        int rank = -1;
        int bounds = -1;
        while (json.NextProperty(out string field))
        {
            if (field switch { "dtype" => dtype is not null, "shape" => rank >= 0, "data_offsets" => bounds >= 0, _ => false })
            {
                throw json.Wrong($"tensor {name}: expected one {field}, got two");
            }

            switch (field)
            {
                case "dtype":
                    string text = json.String($"tensor {name} dtype");
                    dtype = SafetensorsTypes.TryParse(text, out DType known) ? known : throw json.Wrong($"tensor {name}: unknown dtype {text}");
                    break;
                case "shape":
                    rank = json.Numbers($"tensor {name} shape", sizes);
                    break;
                case "data_offsets":
                    bounds = json.Numbers($"tensor {name} data_offsets", offsets);
                    break;
                default:
                    json.Skip(); // later versions may say more, as the reference library allows
                    break;
            }
        }

        if (dtype is null || rank < 0 || bounds != 2)
        {
            string missing = dtype is null ? "dtype" : rank < 0 ? "shape" : "data_offsets of two numbers";
            throw new FileFormatException(_path, $"tensor {name}: expected {missing}, got none", at);
        }

        Add(name, dtype.Value, sizes[..rank], offsets[0], offsets[1], at);
    }

    private void Add(string name, DType dtype, ReadOnlySpan<long> sizes, long begin, long end, long at)
    {
        long dataLength = _fileLength - _dataStart;
        if (begin > end || end > dataLength)
        {
            throw new FileFormatException(
                _path,
                $"tensor {name} data_offsets: expected a range inside the {dataLength} bytes of data, got [{begin}, {end}]",
                at);
        }

        if (TensorSizes.Check(dtype, sizes, out Shape shape, out long bytes) is { } problem)
        {
            throw new FileFormatException(_path, $"tensor {name}: {problem}", at);
        }

        if (bytes != end - begin)
        {
            throw new FileFormatException(
                _path,
                $"tensor {name}: expected {bytes} bytes for {dtype.Name()} {shape}, got {end - begin} in its data_offsets",
                at);
        }

        Tensors.Add(new TensorInfo(name, dtype, shape, _path, _dataStart + begin, bytes));
    }

    /// <summary>The tensors, in the order of their data, must follow each other exactly, from the first byte of the data to the last.</summary>
    private void CheckTiling()
    {
        TensorInfo[] sorted = [.. Tensors];
        Array.Sort(sorted, static (a, b) => a.Offset != b.Offset ? a.Offset.CompareTo(b.Offset) : a.ByteLength.CompareTo(b.ByteLength));
        long end = _dataStart;
        string before = "the header";
        foreach (TensorInfo tensor in sorted)
        {
            if (tensor.Offset != end)
            {
                string what = tensor.Offset < end ? "overlap" : "leave a hole";
                throw new FileFormatException(
                    _path,
                    $"tensor {tensor.Name}: expected data at byte {end}, behind {before}, got {tensor.Offset}: they {what}",
                    tensor.Offset);
            }

            end += tensor.ByteLength;
            before = $"tensor {tensor.Name}";
        }

        if (end != _fileLength)
        {
            throw new FileFormatException(_path, $"safetensors data: expected to end at byte {end}, with {before}, got a file of {_fileLength}", end);
        }
    }
}
