using Puna.Formats;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>A torch checkpoint as a file: the zip around the pickle, then every tensor.</summary>
public sealed class TorchZipTarget : IFuzzTarget
{
    private static readonly byte[] _pickle = TorchPickleWriter.Write([Spec("w", DType.F32, 2, 4), Spec("b", DType.BF16, 3), Spec("s", DType.F64)]);

    /// <inheritdoc/>
    public string Name => "torch-zip";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        TargetFiles.Written("folder", folder => TargetFiles.Write(
            new MetaWriter(folder, new MetaParams { Dim = 4, NLayers = 1, NHeads = 1 }),
            ("norm.weight", DType.F32, new Shape(4)),
            ("empty", DType.F16, new Shape(0, 3)),
            ("output.weight", DType.BF16, new Shape(3, 4))), "consolidated.00.pth"),
        Build(new FuzzRandom(1), 0),
        Build(new FuzzRandom(2), 0),
        Build(new FuzzRandom(3), 0),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        using NativeStorage storage = TargetFiles.Storage(input);
        StoredZip zip = StoredZip.Read(storage, "fuzz.zip");
        long last = 0;
        foreach (StoredZipEntry entry in zip.Entries.Values.OrderBy(x => x.Offset).ThenBy(x => x.Length))
        {
            // The claim that matters: entries are in the file and apart.
            if (entry.Offset < last || entry.Length < 0 || entry.Length > input.Length - entry.Offset)
            {
                throw new InvalidOperationException($"entry {entry.Name} is outside the file or inside another");
            }

            last = entry.Offset + entry.Length;
        }

        using MetaCheckpoint checkpoint = MetaCheckpoint.Parse(storage, "fuzz.pth");
        TargetFiles.ReadAll(checkpoint);
    }

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input) => Build(random, 1 + random.Below(3));

    private static byte[] Build(FuzzRandom random, int lies)
    {
        List<(string, byte[])> entries =
            [("p/data.pkl", _pickle), ("p/data/0", new byte[32]), ("p/data/1", new byte[6]), ("p/data/2", new byte[8]), ("p/byteorder", [.. "little"u8]), ("p/", [])];
        if (lies > 0 && random.OneIn(8))
        {
            entries.RemoveAt(random.Below(entries.Count));
        }

        if (lies > 0 && random.OneIn(8))
        {
            entries.Add((random.Pick("p/data.pkl", "q/data.pkl", "data.pkl", "p/data/0", "/", "", "p/data/../2"), new byte[random.Below(40)]));
        }

        return ZipBuilder.Build(random, lies, entries);
    }

    private static TensorSpec Spec(string name, DType type, params long[] sizes) => new(name, type, new Shape(sizes), 0);
}
