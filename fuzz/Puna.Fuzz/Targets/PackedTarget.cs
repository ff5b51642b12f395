using System.Buffers.Binary;
using Puna.Formats.Packed;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>A file of packed weights: its header, the checksums, then every weight.</summary>
public sealed class PackedTarget : IFuzzTarget
{
    private const int Page = 4096;

    /// <inheritdoc/>
    public string Name => "packed";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        Written(("vector", DType.F32, new Shape(5)), ("matrix", DType.Q4_0, new Shape(20, 64)), ("float", DType.BF16, new Shape(3, 7))),
        Written(("k", DType.Q4_K, new Shape(2, 256)), ("rows", DType.IQ4_NL, new Shape(3, 32))),
        Written(),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        using NativeStorage storage = TargetFiles.Storage(input);
        PackedFile file = PackedFile.Parse(storage, "fuzz.punapack");
        file.Verify();
        int sum = 0;
        foreach (PackedTensor tensor in file.Tensors)
        {
            Weight weight = file.GetWeight(tensor.Name);
            (nint offset, nint length) = weight.Packed is { } packed ? (packed.Offset, packed.ByteLength) : (weight.Master.Offset, (nint)weight.Master.ByteLength);
            if (weight.Shape != tensor.Shape || weight.DType != tensor.Type || length != tensor.ByteLength)
            {
                throw new InvalidOperationException($"weight {tensor.Name} is not what its entry says");
            }

            foreach (byte value in storage.Span<byte>(offset, (int)length))
            {
                sum += value;
            }
        }

        GC.KeepAlive(sum);
    }

    /// <summary>Changes fields of the header, and signs it anew.</summary>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        byte[] bytes = [.. input];
        for (int changes = random.Changes(4); changes > 0; changes--)
        {
            int width = random.Pick(1, 2, 4, 8);
            int at = 8 + random.Below(random.OneIn(2) ? 48 : 300);
            Span<byte> field = bytes.AsSpan(at, width);
            ulong value = 0;
            for (int i = width - 1; i >= 0; i--)
            {
                value = (value << 8) | field[i];
            }

            random.Write(field, random.Interesting(value));
        }

        if (random.OneIn(6))
        {
            Array.Resize(ref bytes, Page + random.Below(4096));
        }

        if (random.OneIn(2))
        {
            BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(16), bytes.Length);
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(12), Page);
        }

        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(Page - LaneChecksum.Bytes), LaneChecksum.Of(bytes.AsSpan(0, Page - LaneChecksum.Bytes)));
        return bytes;
    }

    private static byte[] Written(params (string Name, DType Type, Shape Shape)[] weights)
    {
        using var ops = new CpuOps(1);
        Weight[] packed = [.. weights.Select(w => ops.Pack(new Weight(w.Name, Tensor.Create(w.Shape, w.Type))))];
        return TargetFiles.Written("a.punapack", path => PackedFileWriter.Write(path, new byte[32], ops.PackedVersion!, packed));
    }
}
