using System.Buffers.Binary;
using System.Text;
using Puna.Formats.Npy;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>An array in NumPy's format.</summary>
public sealed class NpyTarget : IFuzzTarget
{
    private static readonly string[] _pieces =
    [
        "'descr'", "'fortran_order'", "'shape'", "'<f4'", "'<i8'", "'|u1'", "'>f4'", "'|O'", "[('a', '<f4')]", "True", "False", "None", "()", "(1,)", "(2, 3)", "(2, 3,)",
        "(9223372036854775807, 2)", "(0, 9223372036854775807)", "(-1,)", "(1, 1, 1, 1, 1, 1, 1, 1, 1)", "(", ")", "{", "}", ":", ",", "'", "\"", "\\", "\n",
    ];

    private static readonly string[] _types = ["'<f4'", "'<f8'", "'<f2'", "'<i8'", "'<i4'", "'<i2'", "'|i1'", "'|u1'", "'|b1'"];

    /// <inheritdoc/>
    public string Name => "npy";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        TargetFiles.Written("a.npy", path => NpyWriter.Write(path, [1, 2, 3, 4, 5, 6], new Shape(2, 3))),
        TargetFiles.Written("b.npy", path => NpyWriter.Write(path, [1], new Shape())),
        TargetFiles.Written("c.npy", path => NpyWriter.Write(path, [], new Shape(0, 7))),
        Build(1, "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", new byte[16]),
        Build(2, "{\"shape\": (1, 2), \"fortran_order\": False, \"descr\": \"|u1\"}", new byte[2]),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        using NativeStorage storage = TargetFiles.Storage(input);
        using NpyFile file = NpyFile.Parse(storage, "fuzz.npy");
        switch (file.Values.DType)
        {
            case DType.F32: _ = file.ToFloats(); break;
            case DType.I32 or DType.I64: _ = file.ToIntegers(); break;
        }
    }

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        string type = random.OneIn(3) ? random.Pick<string>(_pieces) : random.Pick<string>(_types);
        string order = random.OneIn(4) ? random.Pick<string>(_pieces) : "False";
        ulong columns = random.OneIn(4) ? random.Interesting() : (ulong)random.Below(4);
        string shape = random.OneIn(3) ? random.Pick<string>(_pieces) : $"({random.Below(3)}, {columns}{(random.OneIn(2) ? "," : "")})";
        List<string> items = [$"'descr': {type}", $"'fortran_order': {order}", $"'shape': {shape}"];
        if (random.OneIn(4))
        {
            items[random.Below(3)] = items[random.Below(3)];
        }

        if (random.OneIn(6))
        {
            items.RemoveAt(random.Below(3));
        }

        string text = $"{{{string.Join(", ", items)}{(random.OneIn(2) ? ", " : "")}}}{new string(' ', random.Below(20))}";
        if (random.OneIn(3))
        {
            int at = random.Below(text.Length);
            text = string.Concat(text.AsSpan(0, at), random.Pick<string>(_pieces), text.AsSpan(random.OneIn(2) ? at : at + 1));
        }

        return Build(random.Pick<byte>(1, 2, 3), text, new byte[random.Pick(0, 1, 4, 8, 16, 24)]);
    }

    private static byte[] Build(byte version, string text, byte[] data)
    {
        byte[] header = Encoding.Latin1.GetBytes(text + "\n");
        byte[] length = new byte[version == 1 ? 2 : 4];
        if (version == 1)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(length, (ushort)header.Length);
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, header.Length);
        }

        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. header, .. data];
    }
}
