using System.Text;
using Puna.Formats.Gguf;

namespace Puna.Formats.Tests.Gguf;

/// <summary>Writes GGUF byte by byte from the format's description, right or wrong: the tests' own hand, independent of the writer under test.</summary>
internal sealed class GgufBytes
{
    private readonly MemoryStream _values = new();
    private readonly MemoryStream _tensors = new();
    private ulong _valueCount;
    private ulong _tensorCount;

    public byte[] Magic { get; set; } = [.. "GGUF"u8];

    public uint Version { get; set; } = 3;

    public int Alignment { get; set; } = 32;

    public int DataBytes { get; set; }

    public ulong? ValueCount { get; set; }

    public ulong? TensorCount { get; set; }

    public static byte[] String(string text) => [.. BitConverter.GetBytes((ulong)Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public GgufBytes Value(string key, uint type, params byte[] value) => RawValue([.. String(key), .. BitConverter.GetBytes(type), .. value]);

    public GgufBytes Value(string key, GgufValueType type, params byte[] value) => Value(key, (uint)type, value);

    public GgufBytes RawValue(byte[] bytes)
    {
        _values.Write(bytes);
        _valueCount++;
        return this;
    }

    public GgufBytes Tensor(string name, ulong[] sizes, uint type, ulong offset) => Tensor(String(name), (uint)sizes.Length, sizes, type, offset);

    public GgufBytes Tensor(byte[] name, uint rank, ulong[] sizes, uint type, ulong offset)
    {
        _tensors.Write([.. name, .. BitConverter.GetBytes(rank), .. sizes.SelectMany(BitConverter.GetBytes), .. BitConverter.GetBytes(type), .. BitConverter.GetBytes(offset)]);
        _tensorCount++;
        return this;
    }

    public byte[] Build()
    {
        byte[] header =
        [
            .. Magic, .. BitConverter.GetBytes(Version), .. BitConverter.GetBytes(TensorCount ?? _tensorCount), .. BitConverter.GetBytes(ValueCount ?? _valueCount),
            .. _values.ToArray(), .. _tensors.ToArray(),
        ];
        return [.. header, .. new byte[(Alignment - (header.Length % Alignment)) % Alignment], .. new byte[DataBytes]];
    }
}
