using Puna.Formats.Safetensors;
using Puna.Tensors;

namespace Puna.Formats.Tests;

public class TensorWriterTests
{
    [Fact]
    public void NothingIsVisibleBeforeTheEnd()
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder.File("model.safetensors"), "old");
        using (var writer = new SafetensorsWriter(folder.File("model.safetensors")))
        {
            writer.Declare("a", DType.F32, new Shape(1));
            writer.Begin();
            writer.Write(new byte[4]);
            Assert.Equal("old", File.ReadAllText(folder.File("model.safetensors")));
        }

        // Not completed: the old file stands and the temporary one is gone.
        Assert.Equal(["model.safetensors"], folder.Files);
        Assert.Equal("old", File.ReadAllText(folder.File("model.safetensors")));
    }

    [Fact]
    public void ShardsOfAnUnfinishedCheckpointAreDeleted()
    {
        using var folder = new ScratchFolder();
        using (var writer = new SafetensorsWriter(folder.File("model.safetensors"), maxShardBytes: 4))
        {
            writer.Declare("a", DType.F32, new Shape(1));
            writer.Declare("b", DType.F32, new Shape(1));
            writer.Begin();
            writer.Write(new byte[4]);
            writer.Write(new byte[2]);
            Assert.Throws<InvalidOperationException>(writer.Complete);
        }

        Assert.Empty(folder.Files);
    }

    /// <summary>Where a file cannot be put in place, those before it are as they were: gone, or what they replaced.</summary>
    [Fact]
    public void WhatWasReplacedComesBackWhereALaterFileCannotBePlaced()
    {
        using var folder = new ScratchFolder();
        File.WriteAllText(folder.File("a"), "old");
        using (var files = new StagedFiles())
        {
            files.Create(folder.File("a")).Write("new"u8);
            files.Create(folder.File("b")).Write("new"u8);
            files.Create(folder.File("c")).Write("new"u8);
            Directory.CreateDirectory(folder.File("c"));
            Assert.Contains("cannot be put in place", Assert.Throws<PunaException>(files.Commit).Message, StringComparison.Ordinal);
        }

        Directory.Delete(folder.File("c"));
        Assert.Equal(["a"], folder.Files);
        Assert.Equal("old", File.ReadAllText(folder.File("a")));

        using (var files = new StagedFiles())
        {
            files.Create(folder.File("a")).Write("new"u8);
            files.Create(folder.File("b")).Write("new"u8);
            files.Commit();
        }

        Assert.Equal(["a", "b"], folder.Files.Order());
        Assert.Equal("new", File.ReadAllText(folder.File("a")));
    }

    [Fact]
    public void CurrentFollowsTheBytes()
    {
        using var folder = new ScratchFolder();
        using var writer = new SafetensorsWriter(folder.File("model.safetensors"));
        writer.Declare("empty", DType.F32, new Shape(0));
        writer.Declare("a", DType.F32, new Shape(2));
        writer.Declare("none", DType.U8, new Shape(4, 0));
        writer.Declare("b", DType.U8, new Shape(1));
        Assert.Null(writer.Current);
        writer.Begin();
        Assert.Equal("a", writer.Current?.Name);
        writer.Write(new byte[7]);
        Assert.Contains("tensor a: expected 1 more bytes, got 2", Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[2])).Message);
        writer.Write(new byte[1]);
        Assert.Equal("b", writer.Current?.Name);
        writer.Write(new byte[1]);
        Assert.Null(writer.Current);
        Assert.Throws<InvalidOperationException>(() => writer.Write(new byte[1]));
        writer.Complete();
        Assert.Throws<InvalidOperationException>(writer.Complete);
    }

    [Fact]
    public void TheOrderOfCallsIsChecked()
    {
        using var folder = new ScratchFolder();
        var writer = new SafetensorsWriter(folder.File("model.safetensors"));
        Assert.Throws<InvalidOperationException>(() => writer.Write([1]));
        Assert.Throws<InvalidOperationException>(writer.Complete);
        writer.Begin();
        Assert.Throws<InvalidOperationException>(writer.Begin);
        Assert.Throws<InvalidOperationException>(() => writer.Declare("a", DType.F32, new Shape(1)));
        writer.Dispose();
        Assert.Throws<ObjectDisposedException>(writer.Complete);
    }

    [Fact]
    public void BadDeclarationsAreRefused()
    {
        using var writer = new SafetensorsWriter("nowhere.safetensors");
        writer.Declare("a", DType.F32, new Shape(1));
        Assert.Contains("tensor a: expected a name that occurs once", Assert.Throws<PunaException>(() => writer.Declare("a", DType.F32, new Shape(1))).Message);
        Assert.Contains("valid Unicode", Assert.Throws<PunaException>(() => writer.Declare("\ud800", DType.F32, new Shape(1))).Message);
        Assert.Contains("tensor b: expected at most 2^63 bytes", Assert.Throws<PunaException>(() => writer.Declare("b", DType.F32, new Shape(long.MaxValue))).Message);
        Assert.Contains("tensor c: ", Assert.Throws<PunaException>(() => writer.Declare("c", DType.Q4_0, new Shape(33))).Message);
    }

    [Fact]
    public void AMissingFolderIsNamed()
    {
        using var folder = new ScratchFolder();
        using var writer = new SafetensorsWriter(folder.File(Path.Combine("none", "model.safetensors")));
        Assert.Contains("cannot be written: its folder does not exist", Assert.Throws<PunaException>(writer.Begin).Message);
    }

    [Fact]
    public void AFolderInTheWayIsNamed()
    {
        using var folder = new ScratchFolder();
        Directory.CreateDirectory(folder.File("model.safetensors"));
        using var writer = new SafetensorsWriter(folder.File("model.safetensors"));
        Assert.Contains("there is a folder of this name", Assert.Throws<PunaException>(writer.Begin).Message);
    }

    [Fact]
    public void RowsWithGapsAreWrittenWithout()
    {
        using var folder = new ScratchFolder();
        Tensor wide = Tensor.From([1, 2, 3, 4, 5, 6], new Shape(2, 3));
        using (var writer = new SafetensorsWriter(folder.File("model.safetensors")))
        {
            writer.Declare("narrow", DType.F32, new Shape(2, 2));
            writer.Begin();
            writer.WriteTensor(new Tensor(wide.Storage, wide.Offset, new Shape(2, 2), wide.RowStride, DType.F32));
            writer.Complete();
        }

        using SafetensorsFile file = SafetensorsFile.Open(folder.File("model.safetensors"));
        Assert.Equal([1, 2, 4, 5], TensorBytes.Of<float>(file.GetTensor("narrow")));
    }

    [Fact]
    public void FilesThatCannotAllBePlacedLeaveNone()
    {
        using var folder = new ScratchFolder();
        using (var files = new StagedFiles())
        {
            files.Create(folder.File("a")).WriteByte(1);
            files.Create(folder.File("b")).WriteByte(2);
            Directory.CreateDirectory(folder.File("b")); // taken since
            Assert.Throws<PunaException>(files.Commit);
        }

        Assert.Empty(folder.Files);
    }
}
