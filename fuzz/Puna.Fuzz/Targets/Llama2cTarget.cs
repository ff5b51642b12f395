using System.Buffers.Binary;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>A llama2.c model: its header, then every tensor.</summary>
public sealed class Llama2cTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "llama2c";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } = [Build([4, 6, 2, 2, 1, 5, 3], 5), Build([4, 2, 1, 2, 2, -3, 2], 3), Build([2, 1, 1, 1, 1, 1, 1], 1)];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        using NativeStorage storage = TargetFiles.Storage(input);
        using Llama2cFile file = Llama2cFile.Parse(storage, "fuzz.bin");
        TargetFiles.ReadAll(file);
    }

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input)
    {
        int[] header = [.. Enumerable.Range(0, 7).Select(i => BinaryPrimitives.ReadInt32LittleEndian(input.AsSpan(4 * i)))];
        for (int changes = random.Changes(3); changes > 0; changes--)
        {
            int field = random.Below(7);
            header[field] = random.OneIn(2) ? (int)random.Interesting((ulong)header[field]) : random.Below(9);
        }

        return Build(header, random.Below(9));
    }

    /// <summary>A file as long as its header says where that is short; the vocabulary is negative where there is an output.</summary>
    private static byte[] Build(int[] header, int otherwise)
    {
        double d = header[0], f = header[1], layers = header[2], vocab = Math.Abs((double)header[5]);
        double keyValue = header[3] == 0 ? 1 : d / header[3] * header[4], tables = header[3] == 0 ? 0 : header[6] * d / header[3];
        double floats = (vocab * d) + (layers * ((2 * d) + (2 * d * d) + (2 * d * keyValue) + (3 * d * f))) + d + tables + (header[5] < 0 ? vocab * d : 0);
        byte[] bytes = new byte[28 + (4 * (int)(floats is >= 0 and < 8000 ? floats : otherwise))];
        for (int i = 0; i < 7; i++)
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), header[i]);
        }

        return bytes;
    }
}
