using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Gguf;

public class GgufSplitTests
{
    [Fact]
    public void TheFirstPartOpensAll()
    {
        using GgufFile file = GgufFile.Open(TestFiles.Fixture("gguf", "split-00001-of-00003.gguf"));
        Assert.Equal(["a", "b", "c"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([1, 2], TensorBytes.Of<float>(file.GetTensor("a")));
        Assert.Equal([3], TensorBytes.Of<float>(file.GetTensor("b")));
        Assert.Equal([4, 5, 6], TensorBytes.Of<float>(file.GetTensor("c")));
        Assert.EndsWith("split-00003-of-00003.gguf", file.Tensors[2].File);
        Assert.Equal("llama", file.Metadata.GetString("general.architecture"));
    }

    [Fact]
    public void ALaterPartSaysWhichToOpen()
    {
        var e = Assert.Throws<FileFormatException>(() => GgufFile.Open(TestFiles.Fixture("gguf", "split-00002-of-00003.gguf")));
        Assert.Contains("expected the first of 3 parts, got part 2: open split-00001-of-00003.gguf instead", e.Message);
    }

    [Fact]
    public void AMissingPartIsNamed()
    {
        using var folder = new ScratchFolder();
        string first = Copy(folder);
        File.Delete(folder.File("split-00003-of-00003.gguf"));
        var e = Assert.Throws<FileFormatException>(() => GgufFile.Open(first));
        Assert.Contains("part 3 of 3: expected split-00003-of-00003.gguf beside the first, got no such file", e.Message);
    }

    [Fact]
    public void ARenamedFirstPartIsRefused()
    {
        using var folder = new ScratchFolder();
        File.Move(Copy(folder), folder.File("model.gguf"));
        Assert.Contains("file name: expected one that ends in -00001-of-00003.gguf", Assert.Throws<FileFormatException>(() => GgufFile.Open(folder.File("model.gguf"))).Message);
    }

    [Fact]
    public void ExchangedPartsAreRefused()
    {
        using var folder = new ScratchFolder();
        string first = Copy(folder);
        File.Copy(folder.File("split-00002-of-00003.gguf"), folder.File("split-00003-of-00003.gguf"), overwrite: true);
        Assert.Contains("metadata split.no: expected 2, got 1", Assert.Throws<FileFormatException>(() => GgufFile.Open(first)).Message);
    }

    [Fact]
    public void ATensorInTwoPartsIsRefused()
    {
        using var folder = new ScratchFolder();
        string first = Write(folder, [Keys(0, 2, 2).Tensor("a", [1], 0, 0), Keys(1, 2, 2).Tensor("a", [1], 0, 0)]);
        Assert.Contains("tensor a: expected in one part, got it in split-00001-of-00002.gguf too", Assert.Throws<FileFormatException>(() => GgufFile.Open(first)).Message);
    }

    [Theory]
    [InlineData(0, 2, 3, "metadata split.tensors.count: expected the 2 tensors of all parts, got 3")]
    [InlineData(0, 3, 2, "file name: expected one that ends in -00001-of-00003.gguf")]
    [InlineData(2, 2, 2, "metadata split.no: expected 0 to 1, got 2")]
    public void KeysAreChecked(ushort number, ushort count, int tensors, string message)
    {
        using var folder = new ScratchFolder();
        string first = Write(folder, [Keys(number, count, tensors).Tensor("a", [1], 0, 0), Keys(1, 2, 2).Tensor("b", [1], 0, 0)]);
        Assert.Contains(message, Assert.Throws<FileFormatException>(() => GgufFile.Open(first)).Message);
    }

    [Fact]
    public void PartsWithoutKeysAreRefused()
    {
        using var folder = new ScratchFolder();
        string first = Write(folder, [Keys(0, 2, 2).Tensor("a", [1], 0, 0), new GgufBytes { DataBytes = 4 }.Tensor("b", [1], 0, 0)]);
        Assert.Contains("metadata split.no: expected in a split checkpoint, got none", Assert.Throws<FileFormatException>(() => GgufFile.Open(first)).Message);
        first = Write(folder, [new GgufBytes().Value("split.count", GgufValueType.UInt16, 2, 0), Keys(1, 2, 2)]);
        Assert.Contains("metadata split.no: expected in a split checkpoint, got none", Assert.Throws<FileFormatException>(() => GgufFile.Open(first)).Message);
    }

    private static GgufBytes Keys(ushort number, ushort count, int tensors) => new GgufBytes { DataBytes = 4 }
        .Value("split.no", GgufValueType.UInt16, BitConverter.GetBytes(number))
        .Value("split.count", GgufValueType.UInt16, BitConverter.GetBytes(count))
        .Value("split.tensors.count", GgufValueType.Int32, BitConverter.GetBytes(tensors));

    private static string Write(ScratchFolder folder, GgufBytes[] parts)
    {
        for (int i = 0; i < parts.Length; i++)
        {
            folder.Write($"split-{i + 1:D5}-of-{parts.Length:D5}.gguf", parts[i].Build());
        }

        return folder.File($"split-00001-of-{parts.Length:D5}.gguf");
    }

    private static string Copy(ScratchFolder folder)
    {
        for (int i = 1; i <= 3; i++)
        {
            string name = $"split-0000{i}-of-00003.gguf";
            File.Copy(TestFiles.Fixture("gguf", name), folder.File(name));
        }

        return folder.File("split-00001-of-00003.gguf");
    }
}
