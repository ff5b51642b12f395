using System.Buffers.Binary;
using System.Text;
using Puna.Formats.Safetensors;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>A safetensors file: its header, then every tensor.</summary>
public sealed class SafetensorsTarget : IFuzzTarget
{
    private const int LengthBytes = 8;

    /// <inheritdoc/>
    public string Name => "safetensors";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        TargetFiles.Written("a.safetensors", path => TargetFiles.Write(
            new SafetensorsWriter(path),
            ("a", DType.F32, new Shape(2, 3)),
            ("b", DType.BF16, new Shape(5)),
            ("c", DType.U8, new Shape(3)))),
        TargetFiles.Written("b.safetensors", path => TargetFiles.Write(
            new SafetensorsWriter(path, new Dictionary<string, string> { ["format"] = "pt", ["größe"] = "\"x\"\n" }),
            ("scalar", DType.F64, new Shape()),
            ("empty", DType.F16, new Shape(0, 4)),
            ("eight", DType.I64, new Shape(1, 1, 2, 1, 1, 1, 1, 1)),
            ("f8", DType.F8_E4M3, new Shape(7)),
            ("bool", DType.Bool, new Shape(1)))),
        TargetFiles.Written("c.safetensors", path => TargetFiles.Write(new SafetensorsWriter(path, new Dictionary<string, string>()))),
        Build("""{"odd":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"shifted":{"dtype":"F32","shape":[2],"data_offsets":[1,9],"more":[{}]}}"""u8, new byte[9]),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        using NativeStorage storage = TargetFiles.Storage(input);
        using SafetensorsFile file = SafetensorsFile.Parse(storage, "fuzz.safetensors");
        TargetFiles.ReadAll(file);
    }

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        if (random.OneIn(2))
        {
            return Layout(random);
        }

        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(input);
        byte[] json = JsonMutator.Mutate(random, input[LengthBytes..(LengthBytes + length)]);
        byte[] data = input[(LengthBytes + length)..];
        if (random.OneIn(4))
        {
            data = new byte[random.Below(64)];
        }

        return Build(json, data);
    }

    /// <summary>A random file that is right but for up to three lies in its numbers and names.</summary>
    private static byte[] Layout(FuzzRandom random)
    {
        int lies = random.Below(4);
        ulong Lie(ulong truth) => lies > 0 && random.OneIn(8) && lies-- > 0 ? random.Interesting(truth) : truth;

        var entries = new List<string>();
        ulong at = 0;
        for (int i = random.Below(6); i > 0; i--)
        {
            (string type, ulong length) = random.Pick(("F32", 4UL), ("BF16", 2UL), ("U8", 1UL), ("I64", 8UL), ("F8_E5M2", 1UL), ("BOOL", 1UL));
            var sizes = new List<ulong>();
            for (int d = random.Below(4); d > 0; d--)
            {
                ulong size = (ulong)random.Below(4);
                length *= size;
                sizes.Add(Lie(size));
            }

            type = Lie(0) == 0 ? type : random.Pick("F64", "F4", "f32", "Q4_0", "");
            string name = Lie(0) == 0 ? $"tensor{i}" : "tensor1";
            entries.Add($"\"{name}\":{{\"dtype\":\"{type}\",\"shape\":[{string.Join(',', sizes)}],\"data_offsets\":[{Lie(at)},{Lie(at + length)}]}}");
            at += length;
        }

        if (random.OneIn(2))
        {
            entries.Reverse(); // any order is right
        }

        byte[] json = Encoding.UTF8.GetBytes("{" + string.Join(',', entries) + "}" + new string(' ', random.Below(9)));
        return Build(json, new byte[Math.Min(Lie(at), 1 << 14)]);
    }

    private static byte[] Build(ReadOnlySpan<byte> json, byte[] data)
    {
        byte[] length = new byte[LengthBytes];
        BinaryPrimitives.WriteInt64LittleEndian(length, json.Length);
        return [.. length, .. json, .. data];
    }
}
