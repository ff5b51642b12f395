using System.Buffers.Binary;
using System.Text;

namespace Puna.Formats.Tests.Meta;

/// <summary>Assembles pickles by hand, right and wrong ones; shares nothing with the code under test.</summary>
internal sealed class PickleBytes
{
    private readonly List<byte> _bytes = [];

    public static PickleBytes Start() => new PickleBytes().Raw(0x80, 2);

    /// <summary>A dict with one float32 tensor.</summary>
    public static byte[] One(string name, long count, long offset, long[] size, long[] stride) =>
        Start().Op("}").Text(name).Tensor("0", "FloatStorage", count, offset, size, stride).Op("s.").Bytes();

    public byte[] Bytes() => [.. _bytes];

    public PickleBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBytes Op(string ops)
    {
        foreach (char op in ops)
        {
            _bytes.Add((byte)op);
        }

        return this;
    }

    public PickleBytes Text(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        var length = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(length, bytes.Length);
        return Op("X").Raw(length).Raw(bytes);
    }

    public PickleBytes Global(string module, string name) => Op("c").Raw(Encoding.ASCII.GetBytes($"{module}\n{name}\n"));

    public PickleBytes Int(long value)
    {
        var bytes = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(0x8a, 8).Raw(bytes);
    }

    public PickleBytes Ints(long[] values)
    {
        Op("(");
        foreach (long value in values)
        {
            Int(value);
        }

        return Op("t");
    }

    public PickleBytes Storage(string key, string type, long count) =>
        Op("(").Text("storage").Global("torch", type).Text(key).Text("cpu").Int(count).Op("tQ");

    public PickleBytes Tensor(string key, string type, long count, long offset, long[] size, long[] stride) =>
        Global("torch._utils", "_rebuild_tensor_v2").Op("(").Storage(key, type, count).Int(offset).Ints(size).Ints(stride)
            .Raw(0x89).Global("collections", "OrderedDict").Op(")RtR");
}
