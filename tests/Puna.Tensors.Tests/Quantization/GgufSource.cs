using System.Text;

namespace Puna.Tensors.Tests.Quantization;

/// <summary>Just enough of GGUF v3 for trusted test data: where each tensor's bytes are (spec llama1-3.md 3.3).</summary>
internal sealed class GgufSource
{
    private readonly byte[] _data;
    private readonly Dictionary<string, (DType Type, long[] Dims, long Offset)> _tensors = [];
    private readonly long _start;

    public GgufSource(string path)
    {
        _data = File.ReadAllBytes(path);
        using var reader = new BinaryReader(new MemoryStream(_data), Encoding.UTF8);
        reader.ReadUInt64(); // magic and version
        long tensors = reader.ReadInt64();
        long keys = reader.ReadInt64();
        for (long i = 0; i < keys; i++)
        {
            Text(reader);
            Skip(reader, reader.ReadUInt32());
        }

        for (long i = 0; i < tensors; i++)
        {
            string name = Text(reader);
            long[] dims = [.. Enumerable.Range(0, reader.ReadInt32()).Select(_ => reader.ReadInt64())];
            _tensors[name] = ((DType)reader.ReadInt32(), dims, reader.ReadInt64());
        }

        _start = (reader.BaseStream.Position + 31) / 32 * 32;
    }

    public IEnumerable<string> Names => _tensors.Keys;

    public DType Type(string name) => _tensors[name].Type;

    /// <summary>Innermost size first, as the file has it.</summary>
    public long[] Dims(string name) => _tensors[name].Dims;

    public ReadOnlySpan<byte> Bytes(string name)
    {
        (DType type, long[] dims, long offset) = _tensors[name];
        return _data.AsSpan((int)(_start + offset), (int)type.RowBytes(dims.Aggregate(1L, (a, b) => a * b)));
    }

    public float[] Values(string name)
    {
        var values = new float[_tensors[name].Dims.Aggregate(1L, (a, b) => a * b)];
        Puna.Tensors.Quantization.Dequantizer.Dequantize(Type(name), Bytes(name), values);
        return values;
    }

    private static string Text(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadInt64()));

    private static void Skip(BinaryReader reader, uint type)
    {
        if (type == 8)
        {
            Text(reader);
        }
        else if (type == 9)
        {
            uint element = reader.ReadUInt32();
            for (long n = reader.ReadInt64(); n > 0; n--)
            {
                Skip(reader, element);
            }
        }
        else
        {
            reader.ReadBytes(type switch { 0 or 1 or 7 => 1, 2 or 3 => 2, 4 or 5 or 6 => 4, _ => 8 });
        }
    }
}
