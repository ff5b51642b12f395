using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using Puna.Formats.Safetensors;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Safetensors;

public class SafetensorsWriterTests
{
    private static readonly (string, DType, Shape)[] _all =
    [
        ("u8", DType.U8, new Shape(3)),
        ("f32", DType.F32, new Shape(5, 7)),
        ("bf16", DType.BF16, new Shape(3)),
        ("empty", DType.F32, new Shape(0, 4)),
        ("f64", DType.F64, new Shape(1)),
        ("f16", DType.F16, new Shape(2, 2, 2)),
        ("i64", DType.I64, new Shape(1, 1, 1, 1, 1, 1, 1, 2)),
        ("i32", DType.I32, new Shape()),
        ("i16", DType.I16, new Shape(1)),
        ("i8", DType.I8, new Shape(1)),
        ("u16", DType.U16, new Shape(1)),
        ("u32", DType.U32, new Shape(1)),
        ("u64", DType.U64, new Shape(1)),
        ("bool", DType.Bool, new Shape(1)),
        ("e4m3 größe \"🦙\"", DType.F8_E4M3, new Shape(1)),
        ("e5m2", DType.F8_E5M2, new Shape(1)),
    ];

    [Fact]
    public void AllTypesComeBack()
    {
        using var folder = new ScratchFolder();
        string path = folder.File("model.safetensors");
        using (var writer = new SafetensorsWriter(path, new Dictionary<string, string> { ["a"] = "b", ["ü"] = "\"\n" }))
        {
            TensorBytes.WriteAll(writer, _all);
        }

        Assert.Equal(["model.safetensors"], folder.Files);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        TensorBytes.AssertAll(file, _all);
        Assert.Equal("\"\n", file.Metadata["ü"]);

        // Every tensor is aligned to its elements, so that all are views of the map.
        Assert.All(file.Tensors, tensor => Assert.Equal(0, tensor.Offset % tensor.DType.BlockBytes()));
    }

    [Fact]
    public void TheBytesAreTheFormat()
    {
        using var folder = new ScratchFolder();
        string path = folder.File("model.safetensors");
        using (var writer = new SafetensorsWriter(path))
        {
            writer.Declare("a", DType.F32, new Shape(2, 1));
            writer.Begin();
            writer.Write([1, 2, 3, 4]);
            writer.Write([5, 6, 7, 8]);
            writer.Complete();
        }

        byte[] bytes = File.ReadAllBytes(path);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, length % 8);
        string expected = """{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}""";
        Assert.Equal(expected.PadRight(length), Encoding.UTF8.GetString(bytes, 8, length));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], bytes[(8 + length)..]);
    }

    [Fact]
    public void LargeCheckpointsAreSharded()
    {
        using var folder = new ScratchFolder();
        (string, DType, Shape)[] tensors = [("z", DType.F32, new Shape(4)), ("y", DType.F32, new Shape(4)), ("x", DType.F32, new Shape(100)), ("w", DType.U8, new Shape(1))];
        using (var writer = new SafetensorsWriter(folder.File("model.safetensors"), maxShardBytes: 32))
        {
            TensorBytes.WriteAll(writer, tensors);
        }

        Assert.Equal(
            ["model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json"],
            folder.Files);
        using SafetensorsFile file = SafetensorsFile.Open(folder.Path);
        TensorBytes.AssertAll(file, tensors);
        using JsonDocument index = JsonDocument.Parse(File.ReadAllText(folder.File("model.safetensors.index.json")));
        Assert.Equal(16 + 16 + 400 + 1, index.RootElement.GetProperty("metadata").GetProperty("total_size").GetInt32());
        Assert.Equal("model-00001-of-00003.safetensors", index.RootElement.GetProperty("weight_map").GetProperty("y").GetString());
        Assert.Equal("model-00002-of-00003.safetensors", index.RootElement.GetProperty("weight_map").GetProperty("x").GetString());
        Assert.Equal("pt", file.Metadata["format"]);
    }

    [Fact]
    public void NoTensorsMakeAFile()
    {
        using var folder = new ScratchFolder();
        using (var writer = new SafetensorsWriter(folder.File("a.safetensors"), new Dictionary<string, string>()))
        {
            TensorBytes.WriteAll(writer);
        }

        Assert.Equal([8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8], File.ReadAllBytes(folder.File("a.safetensors")));
    }

    [Fact]
    public void WhatTheFormatCannotHoldIsRefused()
    {
        using var writer = new SafetensorsWriter("nowhere.safetensors");
        Assert.Contains("tensor q: expected a type that safetensors has, got q4_0", Assert.Throws<PunaException>(() => writer.Declare("q", DType.Q4_0, new Shape(32))).Message);
        Assert.Throws<PunaException>(() => writer.Declare("__metadata__", DType.F32, new Shape(1)));
    }

    [Fact]
    public void AModelOfAnotherLibraryComesBackBitForBit()
    {
        using var folder = new ScratchFolder();
        using SafetensorsFile source = SafetensorsFile.Open(TestFiles.Fixture("safetensors", "peft.safetensors"));
        using (var writer = new SafetensorsWriter(folder.File("copy.safetensors"), source.Metadata))
        {
            foreach (TensorInfo info in source.Tensors)
            {
                writer.Declare(info.Name, info.DType, info.Shape);
            }

            writer.Begin();
            foreach (TensorInfo info in source.Tensors)
            {
                writer.WriteTensor(source.GetTensor(info.Name));
            }

            writer.Complete();
        }

        Assert.Equal(File.ReadAllBytes(source.Path), File.ReadAllBytes(folder.File("copy.safetensors")));
    }
}
