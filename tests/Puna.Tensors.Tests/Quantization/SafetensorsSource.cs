using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace Puna.Tensors.Tests.Quantization;

/// <summary>Just enough of safetensors for trusted test data: this project tests what the readers of another room stand on.</summary>
internal sealed class SafetensorsSource
{
    private readonly byte[] _data;
    private readonly JsonDocument _header;
    private readonly int _start;

    public SafetensorsSource(string path)
    {
        _data = File.ReadAllBytes(path);
        int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(_data);
        _header = JsonDocument.Parse(_data.AsMemory(8, length));
        _start = 8 + length;
    }

    public IEnumerable<string> Names => _header.RootElement.EnumerateObject().Select(p => p.Name).Where(n => n != "__metadata__");

    public ReadOnlySpan<byte> Bytes(string name)
    {
        JsonElement offsets = _header.RootElement.GetProperty(name).GetProperty("data_offsets");
        return _data.AsSpan()[(_start + offsets[0].GetInt32())..(_start + offsets[1].GetInt32())];
    }

    public float[] Floats(string name) => MemoryMarshal.Cast<byte, float>(Bytes(name)).ToArray();

    public int[] Shape(string name) => [.. _header.RootElement.GetProperty(name).GetProperty("shape").EnumerateArray().Select(e => e.GetInt32())];
}
