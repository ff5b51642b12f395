using System.Text;
using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Safetensors;

public class SafetensorsErrorTests
{
    private const string A = """ "a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]} """;

    public static TheoryData<string, int, string> Headers { get; } = new()
    {
        { "", 0, "expected valid JSON" },
        { "{", 0, "expected valid JSON" },
        { "[]", 0, "safetensors header: expected an object, got an array" },
        { "null", 0, "safetensors header: expected an object, got null" },
        { "{} x", 0, "expected valid JSON" },
        { "{}{}", 0, "expected valid JSON" },
        { "{,}", 0, "expected valid JSON" },
        { $"{{{A},}}", 8, "expected valid JSON" },
        { $"{{/* */{A}}}", 8, "expected valid JSON" },
        { $"{{{A},{A}}}", 8, "tensor a: expected a name that occurs once" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"\u0061":{"dtype":"F32","shape":[0],"data_offsets":[8,8]}}""", 8, "tensor a: expected a name that occurs once" },
        { """{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "expected strings of valid Unicode" },
        { """{"a":3}""", 0, "tensor a: expected an object, got a number" },
        { """{"a":{}}""", 0, "tensor a: expected dtype, got none" },
        { """{"a":{"dtype":"F32","data_offsets":[0,8]}}""", 8, "tensor a: expected shape, got none" },
        { """{"a":{"dtype":"F32","shape":[2]}}""", 8, "tensor a: expected data_offsets of two numbers, got none" },
        { """{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor a: expected one dtype, got two" },
        { """{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor a: expected one shape, got two" },
        { """{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor a: unknown dtype F31" },
        { """{"a":{"dtype":"f32","shape":[2],"data_offsets":[0,8]}}""", 8, "tensor a: unknown dtype f32" },
        { """{"a":{"dtype":"Q4_0","shape":[32],"data_offsets":[0,18]}}""", 18, "tensor a: unknown dtype Q4_0" },
        { """{"a":{"dtype":0,"shape":[2],"data_offsets":[0,8]}}""", 8, "tensor a dtype: expected a string, got a number" },
        { """{"a":{"dtype":"F32","shape":2,"data_offsets":[0,8]}}""", 8, "tensor a shape: expected an array, got a number" },
        { """{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "tensor a shape: expected whole numbers from 0 to 2^63 - 1, got -2" },
        { """{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}""", 8, "tensor a shape: expected whole numbers from 0 to 2^63 - 1, got 2.0" },
        { """{"a":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}""", 8, "tensor a shape: expected whole numbers from 0 to 2^63 - 1, got 2e0" },
        { """{"a":{"dtype":"F32","shape":["2"],"data_offsets":[0,8]}}""", 8, "tensor a shape: expected whole numbers from 0 to 2^63 - 1, got a string" },
        { """{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,8]}}""", 8, "got 9223372036854775808" },
        { """{"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,2],"data_offsets":[0,8]}}""", 8, "tensor a shape: expected at most 8 numbers, got more" },
        { """{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}""", 8, "tensor a: expected sizes whose product fits 63 bits" },
        { """{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,8]}}""", 8, "tensor a: expected at most 2^63 bytes" },
        { """{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "tensor a: expected 12 bytes for f32 [3], got 8 in its data_offsets" },
        { """{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,8]}}""", 8, "tensor a: expected 0 bytes for f32 [0], got 8 in its data_offsets" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "tensor a: expected data_offsets of two numbers" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,16]}}""", 8, "tensor a data_offsets: expected at most 2 numbers" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 8, "tensor a data_offsets: expected a range inside the 8 bytes of data, got [8, 0]" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 7, "tensor a data_offsets: expected a range inside the 7 bytes of data, got [0, 8]" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}""", 8, "tensor a data_offsets: expected a range inside the 8 bytes of data, got [8, 16]" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "they overlap" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "they overlap" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[0],"data_offsets":[4,4]}}""", 8, "they overlap" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "they leave a hole" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}""", 16, "they leave a hole" },
        { """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 9, "safetensors data: expected to end at byte" },
        { "{}", 1, "safetensors data: expected to end at byte 10, with the header, got a file of 11" },
        { """{"__metadata__":[]}""", 0, "__metadata__: expected an object, got an array" },
        { """{"__metadata__":{"a":1}}""", 0, "__metadata__ a: expected a string, got a number" },
        { """{"__metadata__":{"a":"1","a":"2"}}""", 0, "__metadata__ a: expected a key that occurs once" },
        { """{"__metadata__":{},"__metadata__":{}}""", 0, "tensor __metadata__: expected a name that occurs once" },
    };

    [Theory]
    [MemberData(nameof(Headers))]
    public void BadHeadersAreRefused(string json, int dataBytes, string message) => AssertRefused(Build(json, dataBytes), message);

    [Theory]
    [InlineData("{}", 0)]
    [InlineData("{}   \n", 0)]
    [InlineData(""" {"__metadata__":null} """, 0)]
    [InlineData("""{"b":{"data_offsets":[8,12],"shape":[],"dtype":"F32"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"later":[{"x":[1]}]}}""", 12)]
    [InlineData("""{"a":{"dtype":"F64","shape":[0,4],"data_offsets":[0,0]},"b":{"dtype":"F16","shape":[4,0,9],"data_offsets":[0,0]},"c":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""", 1)]
    public void UnusualHeadersAreRead(string json, int dataBytes)
    {
        using SafetensorsFile file = SafetensorsFile.Parse(ScratchFolder.Storage(Build(json, dataBytes)), "memory");
        Assert.All(file.Tensors, tensor => Assert.Equal(tensor.ByteLength, TensorBytes.Of(file.GetTensor(tensor.Name)).Length));
    }

    [Fact]
    public void DeepJsonIsRefused() => AssertRefused(Build($$"""{"a":{"x":{{new string('[', 100_000)}}""", 0), "expected valid JSON");

    [Fact]
    public void InvalidUtf8IsRefused()
    {
        byte[] bytes = Build($"{{{A}}}", 8);
        bytes[Array.IndexOf(bytes, (byte)'a')] = 0xFF;
        AssertRefused(bytes, "safetensors header: expected valid UTF-8");
    }

    [Theory]
    [InlineData(0UL, 0, "expected valid JSON")]
    [InlineData(3UL, 2, "safetensors header length: expected at most the 2 bytes that follow, got 3")]
    [InlineData(100_000_001UL, 2, "safetensors header length: expected at most 100000000, got 100000001")]
    [InlineData(ulong.MaxValue, 2, "safetensors header length: expected at most 100000000, got 18446744073709551615")]
    public void BadHeaderLengthsAreRefused(ulong length, int follow, string message) =>
        AssertRefused([.. BitConverter.GetBytes(length), .. Enumerable.Repeat((byte)' ', follow)], message);

    [Fact]
    public void EveryTruncationIsRefused()
    {
        byte[] bytes = File.ReadAllBytes(TestFiles.Fixture("safetensors", "single.safetensors"));
        for (int length = 0; length < bytes.Length; length++)
        {
            AssertRefused(bytes[..length], "expected");
        }
    }

    [Fact]
    public void MissingAndEmptyFilesAreRefused()
    {
        using var folder = new ScratchFolder();
        Assert.Contains("not found", Assert.Throws<PunaException>(() => SafetensorsFile.Open(folder.File("none.safetensors"))).Message);
        Assert.Contains("got no safetensors file", Assert.Throws<PunaException>(() => SafetensorsFile.Open(folder.Path)).Message);
        string empty = folder.Write("empty.safetensors", []);
        Assert.Contains("expected at least 8 bytes, got a file of 0", Assert.Throws<FileFormatException>(() => SafetensorsFile.Open(empty)).Message);
        Assert.Contains("expected at least 8 bytes, got a file of 0", Assert.Throws<FileFormatException>(() => SafetensorsFile.Open(empty, map: false)).Message);
    }

    [Theory]
    [InlineData("", "expected valid JSON")]
    [InlineData("[]", "safetensors index: expected an object, got an array")]
    [InlineData("{}", "safetensors index: expected a weight_map, got none")]
    [InlineData("""{"weight_map":[]}""", "weight_map: expected an object, got an array")]
    [InlineData("""{"weight_map":{},"weight_map":{}}""", "expected one weight_map, got two")]
    [InlineData("""{"weight_map":{"a":1}}""", "weight_map a: expected a string, got a number")]
    [InlineData("""{"weight_map":{"a":"x","a":"x"}}""", "weight_map a: expected a name that occurs once")]
    [InlineData("""{"weight_map":{"a":"../x"}}""", "weight_map a: expected the name of a file beside the index, got ../x")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "expected the name of a file beside the index")]
    [InlineData("""{"weight_map":{"a":"..\\x"}}""", "expected the name of a file beside the index")]
    [InlineData("""{"weight_map":{"a":"C:x"}}""", "expected the name of a file beside the index")]
    [InlineData("""{"weight_map":{"a":".."}}""", "expected the name of a file beside the index")]
    [InlineData("""{"weight_map":{"a":""}}""", "expected the name of a file beside the index")]
    [InlineData("""{"weight_map":{"a":"x\u0000"}}""", "expected the name of a file beside the index")]
    public void BadIndicesAreRefused(string json, string message)
    {
        var e = Assert.Throws<FileFormatException>(() => SafetensorsIndex.Parse(Encoding.UTF8.GetBytes(json), "model.safetensors.index.json"));
        Assert.Contains(message, e.Message);
    }

    [Fact]
    public void AByteOrderMarkBeforeAnIndexIsPassedOver()
    {
        SafetensorsIndex index = SafetensorsIndex.Parse("\uFEFF{\"weight_map\":{\"a\":\"b.safetensors\"}}"u8, "model.safetensors.index.json");
        Assert.Equal("b.safetensors", index.WeightMap["a"]);
        var e = Assert.Throws<FileFormatException>(() => SafetensorsIndex.Parse("\uFEFF{\"weight_map\":1}"u8, "model.safetensors.index.json"));
        Assert.Equal(17, e.Offset);
    }

    [Fact]
    public void AMissingShardIsNamed()
    {
        using var folder = new ScratchFolder();
        string index = CopySharded(folder);
        File.Delete(folder.File("model-00002-of-00002.safetensors"));
        var e = Assert.Throws<FileFormatException>(() => SafetensorsFile.Open(folder.Path));
        Assert.Contains("shard model-00002-of-00002.safetensors: expected beside the index, for 1 tensors, got no such file", e.Message);
        Assert.Equal(index, e.File);
    }

    [Fact]
    public void ATensorMissingFromItsShardIsNamed()
    {
        using var folder = new ScratchFolder();
        string index = CopySharded(folder);
        File.WriteAllText(index, File.ReadAllText(index).Replace("\"b\"", "\"d\""));
        var e = Assert.Throws<FileFormatException>(() => SafetensorsFile.Open(folder.Path));
        Assert.Contains("tensor d: expected in model-00002-of-00002.safetensors, where the index has it, got none", e.Message);
    }

    [Fact]
    public void ADamagedShardIsNamed()
    {
        using var folder = new ScratchFolder();
        CopySharded(folder);
        string shard = folder.File("model-00002-of-00002.safetensors");
        File.WriteAllBytes(shard, File.ReadAllBytes(shard)[..^1]);
        Assert.Equal(shard, Assert.Throws<FileFormatException>(() => SafetensorsFile.Open(folder.Path)).File);
    }

    private static string CopySharded(ScratchFolder folder)
    {
        foreach (string file in Directory.GetFiles(TestFiles.Fixture("safetensors", "sharded")))
        {
            File.Copy(file, folder.File(Path.GetFileName(file)));
        }

        return folder.File("model.safetensors.index.json");
    }

    private static byte[] Build(string json, int dataBytes)
    {
        byte[] header = Encoding.UTF8.GetBytes(json);
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. new byte[dataBytes]];
    }

    private static void AssertRefused(byte[] bytes, string message)
    {
        using NativeStorage storage = ScratchFolder.Storage(bytes);
        var e = Assert.Throws<FileFormatException>(() => SafetensorsFile.Parse(storage, "some.safetensors"));
        Assert.Contains(message, e.Message);
        Assert.Contains("some.safetensors", e.Message);
        Assert.DoesNotContain('\n', e.Message);
    }
}
