using System.Buffers.Binary;
using System.Text.Json;
using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Safetensors;

// The fixtures single and sharded were written byte by byte by a script from the format's description, peft.safetensors by the peft library.
public class SafetensorsFileTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ReadsEveryKindOfTensor(bool map)
    {
        using SafetensorsFile file = SafetensorsFile.Open(TestFiles.Fixture("safetensors", "single.safetensors"), map);
        Assert.Equal(["steps", "matrix", "half", "empty", "mask"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([-1, 1L << 40], TensorBytes.Of<long>(file.GetTensor("steps")));
        Tensor matrix = file.GetTensor("matrix");
        Assert.Equal(new Shape(2, 3), matrix.Shape);
        Assert.Equal([1.5f, 2, -2.5f], matrix.Row<float>(1).ToArray());
        Assert.Equal([0x3f80, 0xc000, 0x7f80, 0x0001], TensorBytes.Of<ushort>(file.GetTensor("half")));
        Assert.Equal(DType.BF16, file.GetTensor("half").DType);
        Assert.Equal(new Shape(0, 4), file.GetTensor("empty").Shape);
        Assert.Equal([1, 0, 1], TensorBytes.Of(file.GetTensor("mask")));
        Assert.Equal("pt", file.Metadata["format"]);
        Assert.Equal("größe \"x\"", file.Metadata["note"]);
    }

    [Fact]
    public void ReadsAFileOfAnotherLibrary()
    {
        string path = TestFiles.Fixture("safetensors", "peft.safetensors");
        using SafetensorsFile file = SafetensorsFile.Open(path);
        byte[] bytes = File.ReadAllBytes(path);
        int headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using JsonDocument header = JsonDocument.Parse(bytes.AsMemory(8, headerLength));
        int count = 0;
        foreach (JsonProperty entry in header.RootElement.EnumerateObject().Where(entry => entry.Name != "__metadata__"))
        {
            int begin = 8 + headerLength + entry.Value.GetProperty("data_offsets")[0].GetInt32();
            int end = 8 + headerLength + entry.Value.GetProperty("data_offsets")[1].GetInt32();
            Tensor tensor = file.GetTensor(entry.Name);
            Assert.Equal(bytes[begin..end], TensorBytes.Of(tensor));
            Assert.Equal(entry.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()), tensor.Shape.ToArray());
            count++;
        }

        Assert.Equal(count, file.Tensors.Count);
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("model.safetensors.index.json")]
    public void ReadsShards(string name)
    {
        string path = name.Length == 0 ? TestFiles.Fixture("safetensors", "sharded") : TestFiles.Fixture("safetensors", "sharded", name);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        Assert.Equal(path, file.Path);
        Assert.Equal(["a", "c", "b"], file.Tensors.Select(tensor => tensor.Name));
        Assert.Equal([0, 1, 2, 3, 4, 5], TensorBytes.Of<float>(file.GetTensor("a")));
        Assert.Equal([3, 4], TensorBytes.Of<long>(file.GetTensor("b")));
        Assert.False(file.TryGetInfo("unmapped", out _));
        Assert.Equal("pt", file.Metadata["format"]); // the first file that says something counts
        Assert.Equal("yes", file.Metadata["second"]);
    }

    [Fact]
    public void MisalignedValuesAreCopied()
    {
        byte[] header = [.. """{"one":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"two":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}"""u8];
        byte[] bytes = [.. BitConverter.GetBytes((long)header.Length), .. header, 5, .. BitConverter.GetBytes(1.5f), .. BitConverter.GetBytes(-2f)];
        using SafetensorsFile file = SafetensorsFile.Parse(ScratchFolder.Storage(bytes), "memory");
        Tensor two = file.GetTensor("two");
        Assert.Equal(0, two.Address % 4);
        Assert.Equal([1.5f, -2], two.Row<float>(0).ToArray());
        Assert.Equal(two.Address, file.GetTensor("two").Address); // copied once
        Assert.True(file.TryGetInfo("two", out TensorInfo? info));
        Assert.Equal(8 + header.Length + 1, info.Offset); // still what the file says
        Assert.Equal(5, file.GetTensor("one").Row<byte>(0)[0]);
    }

    [Fact]
    public void AnUnknownNameIsAnErrorThatNamesIt()
    {
        using SafetensorsFile file = SafetensorsFile.Open(TestFiles.Fixture("safetensors", "single.safetensors"));
        var e = Assert.Throws<FileFormatException>(() => file.GetTensor("nothing"));
        Assert.Contains("tensor nothing: not in the file", e.Message);
    }

    [Fact]
    public void TensorsEndWithTheFile()
    {
        SafetensorsFile file = SafetensorsFile.Open(TestFiles.Fixture("safetensors", "single.safetensors"));
        Tensor tensor = file.GetTensor("steps");
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => tensor.Row<long>(0));
        Assert.Throws<ObjectDisposedException>(() => file.GetTensor("steps"));
    }

    [Fact]
    public void AFolderMayHoldOneFileOfAnyName()
    {
        using var folder = new ScratchFolder();
        File.Copy(TestFiles.Fixture("safetensors", "single.safetensors"), folder.File("adapter_model.safetensors"));
        using (SafetensorsFile file = SafetensorsFile.Open(folder.Path))
        {
            Assert.Equal(5, file.Tensors.Count);
        }

        File.Copy(folder.File("adapter_model.safetensors"), folder.File("another.safetensors"));
        Assert.Contains("expected model.safetensors or one safetensors file, got 2", Assert.Throws<PunaException>(() => SafetensorsFile.Open(folder.Path)).Message);
        File.Copy(folder.File("another.safetensors"), folder.File("model.safetensors"));
        SafetensorsFile.Open(folder.Path).Dispose();
    }

    [Fact]
    public void ReadsAllGoldens()
    {
        string[] paths = Directory.GetFiles(TestFiles.Golden(), "*.safetensors", SearchOption.AllDirectories);
        Assert.NotEmpty(paths);
        foreach (string path in paths)
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            Assert.NotEmpty(file.Tensors);
            foreach (TensorInfo info in file.Tensors)
            {
                Assert.Equal(info.ByteLength, file.GetTensor(info.Name).ByteLength);
            }
        }
    }
}
