using Puna.Formats.Gguf;
using Puna.Tensors;

namespace Puna.Fuzz.Targets;

/// <summary>A GGUF file: metadata, then every tensor.</summary>
public sealed class GgufTarget : IFuzzTarget
{
    /// <inheritdoc/>
    public string Name => "gguf";

    /// <inheritdoc/>
    public IReadOnlyList<byte[]> Corpus { get; } =
    [
        TargetFiles.Written("a.gguf", path => TargetFiles.Write(
            new GgufWriter(path, Metadata()),
            ("token_embd.weight", DType.F32, new Shape(3, 8)),
            ("blk.0.attn_q.weight", DType.Q8_0, new Shape(2, 32)),
            ("blk.0.attn_norm.weight", DType.F32, new Shape(8)),
            ("blk.0.ffn_up.weight", DType.Q4_K, new Shape(1, 256)))),
        TargetFiles.Written("b.gguf", path => TargetFiles.Write(new GgufWriter(path, new GgufMetadata()))),
        .. Enumerable.Range(0, 30).Select(i => GgufBuilder.Build(FuzzRandom.For("gguf corpus", 0, i), lies: 0)).Where(IsShallow).Take(12),
    ];

    /// <inheritdoc/>
    public void Run(byte[] input)
    {
        using NativeStorage storage = TargetFiles.Storage(input);
        using GgufFile file = GgufFile.Parse(storage, "fuzz.gguf");
        TargetFiles.ReadAll(file);
        foreach ((string key, GgufValue value) in file.Metadata)
        {
            if (value.ElementType is >= GgufValueType.UInt8 and <= GgufValueType.Int32)
            {
                _ = file.Metadata.GetIntegers(key);
            }
            else if (value.Type is GgufValueType.String)
            {
                _ = file.Metadata.GetString(key);
            }
            else if (value.Type is GgufValueType.UInt32)
            {
                _ = file.Metadata.GetNumber(key);
            }
        }
    }

    /// <inheritdoc/>
    public byte[] MutateStructure(FuzzRandom random, byte[] input) => GgufBuilder.Build(random, lies: random.Below(4));

    /// <summary>The builder nests arrays deeper than the reader allows now and then; those are no corpus.</summary>
    private static bool IsShallow(byte[] file)
    {
        try
        {
            using NativeStorage storage = TargetFiles.Storage(file);
            using GgufFile parsed = GgufFile.Parse(storage, "corpus.gguf");
            return true;
        }
        catch (PunaException)
        {
            return false;
        }
    }

    private static GgufMetadata Metadata()
    {
        var metadata = new GgufMetadata();
        metadata.Set("general.architecture", "llama");
        metadata.Set("general.alignment", 64u);
        metadata.Set("u8", (byte)1);
        metadata.Set("i8", (sbyte)-1);
        metadata.Set("u16", (ushort)1);
        metadata.Set("i16", (short)-1);
        metadata.Set("i32", -1);
        metadata.Set("u64", 1UL);
        metadata.Set("i64", -1L);
        metadata.Set("f32", 1.5f);
        metadata.Set("f64", 1.5);
        metadata.Set("bool", true);
        metadata.Set("tokens", new[] { "a", "", "▁b" });
        metadata.Set("scores", new[] { 1f, -2f });
        metadata.Set("types", new[] { 1, 2, 3 });
        metadata.Set("bools", new[] { true, false });
        var bytes = new GgufValue(GgufValueType.Array, new byte[] { 1, 2 }, GgufValueType.UInt8);
        var texts = new GgufValue(GgufValueType.Array, new[] { "x" }, GgufValueType.String);
        metadata.Set("nested", new[] { bytes, texts });
        return metadata;
    }
}
