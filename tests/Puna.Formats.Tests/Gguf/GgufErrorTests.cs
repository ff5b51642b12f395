using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Gguf;

public class GgufErrorTests
{
    private const ulong Huge = ulong.MaxValue;

    public static TheoryData<string, byte[], string> Files { get; } = new()
    {
        { "magic", new GgufBytes { Magic = [.. "GGML"u8] }.Build(), "gguf magic: expected \"GGUF\", got \"GGML\"" },
        { "binary magic", new GgufBytes { Magic = [0x80, 2, 0, 0] }.Build(), "gguf magic: expected \"GGUF\", got 0x80020000" },
        { "version 1", new GgufBytes { Version = 1 }.Build(), "expected 2 or 3, got version 1" },
        { "version 4", new GgufBytes { Version = 4 }.Build(), "gguf version: expected 2 or 3, got 4" },
        { "big-endian", new GgufBytes { Version = 0x0300_0000 }.Build(), "expected little-endian, got a big-endian file" },
        { "tensor count", new GgufBytes { TensorCount = Huge }.Build(), "gguf tensor count: expected at most" },
        { "tensor count of one more", new GgufBytes { TensorCount = 2, DataBytes = 100 }.Tensor("a", [1], 0, 0).Build(), "expected" },
        { "metadata count", new GgufBytes { ValueCount = Huge }.Build(), "gguf metadata count: expected at most" },
        { "metadata count times size overflows", new GgufBytes { ValueCount = 1UL << 61 }.Build(), "gguf metadata count: expected at most" },
        { "key length", new GgufBytes().RawValue([.. BitConverter.GetBytes(Huge), .. new byte[100]]).Build(), "gguf metadata key[0]: expected a string of at most" },
        { "long key", new GgufBytes().Value(new string('k', 65536), GgufValueType.UInt8, 1).Build(), "gguf metadata key[0]: expected a string of at most 65535 bytes, got one of 65536" },
        { "key not UTF-8", new GgufBytes().RawValue([1, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0, 0, 0, 0, 1]).Build(), "gguf metadata key[0]: expected valid UTF-8" },
        { "key twice", new GgufBytes().Value("a", GgufValueType.UInt8, 1).Value("a", GgufValueType.UInt8, 1).Build(), "metadata a: expected a key that occurs once" },
        { "value type", new GgufBytes().Value("a", 13, 0, 0, 0, 0).Build(), "metadata a: unknown value type 13" },
        { "bool", new GgufBytes().Value("a", GgufValueType.Bool, 2).Build(), "metadata a: expected a truth value of 0 or 1, got 2" },
        { "string length", new GgufBytes().Value("a", GgufValueType.String, BitConverter.GetBytes(Huge)).Build(), "metadata a: expected a string of at most" },
        { "string not UTF-8", new GgufBytes().Value("a", GgufValueType.String, 2, 0, 0, 0, 0, 0, 0, 0, 0xC3, 0x28).Build(), "metadata a: expected valid UTF-8" },
        { "surrogate in UTF-8", new GgufBytes().Value("a", GgufValueType.String, 3, 0, 0, 0, 0, 0, 0, 0, 0xED, 0xA0, 0x80).Build(), "metadata a: expected valid UTF-8" },
        { "array type", new GgufBytes().Value("a", GgufValueType.Array, Array(99, 0)).Build(), "metadata a: unknown value type 99" },
        { "array length", new GgufBytes().Value("a", GgufValueType.Array, Array(0, Huge)).Build(), "length of metadata a: expected at most" },
        { "array length times size overflows", new GgufBytes().Value("a", GgufValueType.Array, Array(11, 1UL << 61)).Build(), "length of metadata a: expected at most" },
        { "array of strings", new GgufBytes().Value("a", GgufValueType.Array, [.. Array(8, 2), .. GgufBytes.String("x"), .. BitConverter.GetBytes(Huge)]).Build(), "metadata a[1]: expected a string of at most" },
        { "array of bad strings", new GgufBytes().Value("a", GgufValueType.Array, [.. Array(8, 2), .. GgufBytes.String("x"), 1, 0, 0, 0, 0, 0, 0, 0, 0x80]).Build(), "metadata a[1]: expected valid UTF-8" },
        { "array of bools", new GgufBytes().Value("a", GgufValueType.Array, [.. Array(7, 2), 1, 3]).Build(), "expected a truth value of 0 or 1, got 3" },
        { "nested arrays", new GgufBytes().Value("a", GgufValueType.Array, [.. Array(9, 1), .. Array(9, 1), .. Array(9, 1), .. Array(9, 1), .. Array(0, 0)]).Build(), "metadata a: expected arrays nested at most 4 deep" },
        { "deeply nested arrays", new GgufBytes().Value("a", GgufValueType.Array, [.. Enumerable.Repeat(Array(9, 1), 100_000).SelectMany(x => x)]).Build(), "metadata a: expected arrays nested at most 4 deep" },
        { "wide nested arrays", new GgufBytes().Value("a", GgufValueType.Array, Array(9, 1UL << 40)).Build(), "length of metadata a: expected at most" },
        { "alignment 0", Aligned(0), "metadata general.alignment: expected a power of two up to 1048576, got 0" },
        { "alignment 48", Aligned(48), "metadata general.alignment: expected a power of two up to 1048576, got 48" },
        { "alignment 2^21", Aligned(1 << 21), "metadata general.alignment: expected a power of two up to 1048576, got 2097152" },
        { "alignment string", new GgufBytes().Value("general.alignment", GgufValueType.String, GgufBytes.String("32")).Build(), "metadata general.alignment: expected an integer" },
        { "tensor name length", new GgufBytes().Tensor([.. BitConverter.GetBytes(Huge)], 1, [1], 0, 0).Build(), "gguf tensor name[0]: expected a string of at most" },
        { "long tensor name", new GgufBytes { DataBytes = 4 }.Tensor(new string('t', 65), [1], 0, 0).Build(), "gguf tensor name[0]: expected a string of at most 64 bytes, got one of 65" },
        { "tensor name not UTF-8", new GgufBytes { DataBytes = 4 }.Tensor([1, 0, 0, 0, 0, 0, 0, 0, 0xFE], 1, [1], 0, 0).Build(), "gguf tensor name[0]: expected valid UTF-8" },
        { "tensor twice", new GgufBytes { DataBytes = 64 }.Tensor("a", [1], 0, 0).Tensor("a", [1], 0, 32).Build(), "tensor a: expected a name that occurs once" },
        { "rank 5", new GgufBytes { DataBytes = 4 }.Tensor("a", [1, 1, 1, 1, 1], 0, 0).Build(), "tensor a: expected at most 4 dimensions, got 5" },
        { "rank 2^32 - 1", new GgufBytes { DataBytes = 4 }.Tensor(GgufBytes.String("a"), uint.MaxValue, [], 0, 0).Build(), "tensor a: expected at most 4 dimensions, got 4294967295" },
        { "size 2^63", new GgufBytes { DataBytes = 4 }.Tensor("a", [1UL << 63], 0, 0).Build(), "tensor a: expected sizes that are not negative" },
        { "product of sizes", new GgufBytes { DataBytes = 4 }.Tensor("a", [1UL << 32, 1UL << 32], 0, 0).Build(), "tensor a: expected sizes whose product fits 63 bits" },
        { "bytes", new GgufBytes { DataBytes = 4 }.Tensor("a", [1UL << 62], 0, 0).Build(), "tensor a: expected at most 2^63 bytes" },
        { "type Q4_2", new GgufBytes { DataBytes = 4 }.Tensor("a", [1], 4, 0).Build(), "tensor a: unknown type id 4" },
        { "type 41", new GgufBytes { DataBytes = 4 }.Tensor("a", [1], 41, 0).Build(), "tensor a: unknown type id 41" },
        { "type of safetensors only", new GgufBytes { DataBytes = 4 }.Tensor("a", [1], 200, 0).Build(), "tensor a: unknown type id 200" },
        { "type that wraps", new GgufBytes { DataBytes = 4 }.Tensor("a", [1], 256, 0).Build(), "tensor a: unknown type id 256" },
        { "row of no blocks", new GgufBytes { DataBytes = 400 }.Tensor("a", [33, 2], 8, 0).Build(), "tensor a: expected rows of a multiple of 32 values of q8_0, got [2, 33]" },
        { "row of half a block", new GgufBytes { DataBytes = 400 }.Tensor("a", [128, 2], 12, 0).Build(), "tensor a: expected rows of a multiple of 256 values of q4_k" },
        { "offset", new GgufBytes { DataBytes = 64 }.Tensor("a", [1], 0, 4).Build(), "tensor a: expected an offset that is a multiple of 32, got 4" },
        { "offset 2^64 - 32", new GgufBytes { DataBytes = 64 }.Tensor("a", [1], 0, Huge - 31).Build(), "tensor a: expected an offset that is a multiple of 32, got 18446744073709551584" },
        { "offset 2^62", new GgufBytes { DataBytes = 64 }.Tensor("a", [1], 0, 1UL << 62).Build(), "tensor a: expected 4 bytes at" },
        { "behind the end", new GgufBytes { DataBytes = 3 }.Tensor("a", [1], 0, 0).Build(), "tensor a: expected 4 bytes at" },
        { "2^63 - 1 bytes", new GgufBytes { Alignment = 1 }.Tensor("a", [long.MaxValue], 24, 0).Build(), "tensor a: expected 9223372036854775807 bytes at" },
        { "no data", new GgufBytes().Tensor("a", [1], 0, 0).Build(), "tensor a: expected 4 bytes at" },
        { "overlap", new GgufBytes { DataBytes = 100 }.Tensor("a", [9], 0, 0).Tensor("b", [1], 0, 32).Build(), "tensor b: expected data behind tensor a" },
        { "the same place", new GgufBytes { DataBytes = 100 }.Tensor("a", [1], 0, 0).Tensor("b", [1], 0, 0).Build(), "got an overlap" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void BadFilesAreRefused(string what, byte[] bytes, string message)
    {
        using NativeStorage storage = ScratchFolder.Storage(bytes);
        var e = Assert.Throws<FileFormatException>(() => GgufFile.Parse(storage, "some.gguf"));
        Assert.True(e.Message.Contains(message, StringComparison.Ordinal), $"{what}: {e.Message}");
        Assert.Contains("some.gguf", e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Theory]
    [InlineData("v2.gguf")]
    [InlineData("v3.gguf")]
    public void EveryTruncationIsRefused(string name)
    {
        byte[] bytes = File.ReadAllBytes(TestFiles.Fixture("gguf", name));
        using GgufFile whole = GgufFile.Open(TestFiles.Fixture("gguf", name));
        long end = whole.Tensors.Max(tensor => tensor.Offset + tensor.ByteLength); // padding follows, which may be missing
        for (int length = 0; length < end; length++)
        {
            using NativeStorage storage = ScratchFolder.Storage(bytes.AsSpan(0, length));
            Assert.Throws<FileFormatException>(() => GgufFile.Parse(storage, "some.gguf"));
        }

        using GgufFile rest = GgufFile.Parse(ScratchFolder.Storage(bytes.AsSpan(0, (int)end)), "some.gguf");
        Assert.Equal(whole.Tensors.Count, rest.Tensors.Count);
    }

    [Fact]
    public void MissingAndEmptyFilesAreRefused()
    {
        using var folder = new ScratchFolder();
        Assert.Contains("not found", Assert.Throws<PunaException>(() => GgufFile.Open(folder.File("none.gguf"))).Message);
        Assert.Contains("expected a file, got a folder", Assert.Throws<PunaException>(() => GgufFile.Open(folder.Path)).Message);
        string empty = folder.Write("empty.gguf", []);
        Assert.Contains("got an empty file", Assert.Throws<FileFormatException>(() => GgufFile.Open(empty)).Message);
    }

    [Fact]
    public void ADamagedFileIsClosed()
    {
        using var folder = new ScratchFolder();
        string path = folder.Write("bad.gguf", new GgufBytes { Version = 4 }.Build());
        Assert.Throws<FileFormatException>(() => GgufFile.Open(path));
        using FileStream stream = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
    }

    private static byte[] Array(uint type, ulong count) => [.. BitConverter.GetBytes(type), .. BitConverter.GetBytes(count)];

    private static byte[] Aligned(uint alignment) => new GgufBytes().Value("general.alignment", GgufValueType.UInt32, BitConverter.GetBytes(alignment)).Build();
}
