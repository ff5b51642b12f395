using Puna.Formats.Gguf;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Gguf;

public class GgufWriterTests
{
    private static readonly (string, DType, Shape)[] _tensors =
    [
        ("token_embd.weight", DType.Q6_K, new Shape(3, 256)),
        ("norm", DType.F32, new Shape(7)),
        ("empty", DType.F16, new Shape(0, 3)),
        ("scalar", DType.F32, new Shape()),
        ("experts", DType.Q4_0, new Shape(2, 3, 64)),
        ("i64", DType.I64, new Shape(1, 1, 1, 2)),
        ("bf16", DType.BF16, new Shape(3, 5)),
    ];

    [Fact]
    public void AllValuesComeBack()
    {
        using var folder = new ScratchFolder();
        using GgufFile source = GgufFile.Open(TestFiles.Fixture("gguf", "v3.gguf"));
        using (var writer = new GgufWriter(folder.File("copy.gguf"), source.Metadata))
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

        // The fixture was not made by this writer, and has every value type, nested arrays and an alignment of 64.
        Assert.Equal(File.ReadAllBytes(source.Path), File.ReadAllBytes(folder.File("copy.gguf")));
    }

    [Fact]
    public void AFileOfLlamaCppComesBackBitForBit()
    {
        using var folder = new ScratchFolder();
        using GgufFile source = GgufFile.Open(TestFiles.Fixture("gguf", "llamacpp-tq2_0.gguf"));
        using (var writer = new GgufWriter(folder.File("copy.gguf"), source.Metadata))
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

        Assert.Equal(File.ReadAllBytes(source.Path), File.ReadAllBytes(folder.File("copy.gguf")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    [InlineData(4096)]
    public void TensorsAreAligned(uint alignment)
    {
        using var folder = new ScratchFolder();
        var metadata = new GgufMetadata();
        metadata.Set("general.alignment", alignment);
        using (var writer = new GgufWriter(folder.File("a.gguf"), metadata))
        {
            TensorBytes.WriteAll(writer, _tensors);
        }

        using GgufFile file = GgufFile.Open(folder.File("a.gguf"));
        TensorBytes.AssertAll(file, _tensors);
        Assert.All(file.Tensors.Where(tensor => tensor.ByteLength > 0), tensor => Assert.Equal(0, tensor.Offset % alignment));
        Assert.Equal(0, new FileInfo(folder.File("a.gguf")).Length % alignment);
    }

    [Fact]
    public void LargeCheckpointsAreSplitByBytes()
    {
        using var folder = new ScratchFolder();
        var metadata = new GgufMetadata();
        metadata.Set("general.architecture", "llama");
        metadata.Set("general.alignment", 64u);
        metadata.Set("split.count", (ushort)9); // of the file this one is made from
        using (var writer = new GgufWriter(folder.File("a.gguf"), metadata, maxPartBytes: 256))
        {
            TensorBytes.WriteAll(writer, _tensors);
        }

        Assert.Equal(["a-00001-of-00004.gguf", "a-00002-of-00004.gguf", "a-00003-of-00004.gguf", "a-00004-of-00004.gguf"], folder.Files);
        using GgufFile file = GgufFile.Open(folder.File("a-00001-of-00004.gguf"));
        TensorBytes.AssertAll(file, _tensors);
        Assert.Equal("llama", file.Metadata.GetString("general.architecture"));
        Assert.Equal(4, file.Metadata.GetInteger("split.count"));
        Assert.Equal(0, file.Metadata.GetInteger("split.no"));
        Assert.Equal(_tensors.Length, file.Metadata.GetInteger("split.tensors.count"));
        using GgufFile last = GgufFile.Parse(MemoryMappedStorage.Open(folder.File("a-00004-of-00004.gguf")), "last");
        Assert.Equal(64, last.Metadata.GetInteger("general.alignment"));
        Assert.False(last.Metadata.Contains("general.architecture"));
    }

    [Theory]
    [InlineData("a.gguf")]
    [InlineData("a-00001-of-00002.gguf")] // the name of the first part, as readers want it
    public void LargeCheckpointsAreSplitByTensors(string name)
    {
        using var folder = new ScratchFolder();
        using (var writer = new GgufWriter(folder.File(name), new GgufMetadata(), maxPartTensors: 2))
        {
            TensorBytes.WriteAll(writer, _tensors);
        }

        Assert.Equal(["a-00001-of-00004.gguf", "a-00002-of-00004.gguf", "a-00003-of-00004.gguf", "a-00004-of-00004.gguf"], folder.Files);
        using GgufFile file = GgufFile.Open(folder.File("a-00001-of-00004.gguf"));
        TensorBytes.AssertAll(file, _tensors);
    }

    [Fact]
    public void NoTensorsMakeAFile()
    {
        using var folder = new ScratchFolder();
        using (var writer = new GgufWriter(folder.File("a.gguf"), new GgufMetadata()))
        {
            TensorBytes.WriteAll(writer);
        }

        Assert.Equal([.. "GGUF"u8, 3, 0, 0, 0, .. new byte[24]], File.ReadAllBytes(folder.File("a.gguf")));
        GgufFile.Open(folder.File("a.gguf")).Dispose();
    }

    [Fact]
    public void WhatTheFormatCannotHoldIsRefused()
    {
        using var writer = new GgufWriter("nowhere.gguf", new GgufMetadata());
        Assert.Contains("tensor a: expected a type that GGUF has, got u16", Assert.Throws<PunaException>(() => writer.Declare("a", DType.U16, new Shape(1))).Message);
        Assert.Contains("tensor a: expected at most 4 dimensions", Assert.Throws<PunaException>(() => writer.Declare("a", DType.F32, new Shape(1, 1, 1, 1, 1))).Message);
        string name = new('ü', 33);
        Assert.Contains("expected a name of at most 64 bytes, got 66", Assert.Throws<PunaException>(() => writer.Declare(name, DType.F32, new Shape(1))).Message);
    }

    [Fact]
    public void BadMetadataIsRefusedAndLeavesNothing()
    {
        using var folder = new ScratchFolder();
        GgufValue deep = new(GgufValueType.Array, Array.Empty<byte>(), GgufValueType.UInt8);
        for (int i = 0; i < 4; i++)
        {
            deep = new GgufValue(GgufValueType.Array, new[] { deep }, GgufValueType.Array);
        }

        (string, GgufValue)[] bad =
        [
            ("general.alignment", new GgufValue(GgufValueType.UInt32, 48u)),
            ("wrong type", new GgufValue(GgufValueType.UInt32, "text")),
            ("wrong elements", new GgufValue(GgufValueType.Array, new[] { 1 }, GgufValueType.UInt32)),
            ("no elements", new GgufValue(GgufValueType.Array, new[] { 1 })),
            ("surrogate", new GgufValue(GgufValueType.String, "\ud800")),
            ("too deep", deep),
        ];
        foreach ((string key, GgufValue value) in bad)
        {
            var metadata = new GgufMetadata();
            metadata.Set(key, value);
            using (var writer = new GgufWriter(folder.File("a.gguf"), metadata))
            {
                Assert.Contains($"metadata {key}: ", Assert.Throws<PunaException>(writer.Begin).Message);
            }

            Assert.Empty(folder.Files);
        }
    }
}
