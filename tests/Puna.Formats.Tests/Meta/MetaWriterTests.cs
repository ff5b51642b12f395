using System.IO.Compression;
using Puna.Formats.Meta;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Formats.Tests.Meta;

public class MetaWriterTests
{
    private static readonly MetaParams _parameters = new() { Dim = 8, NLayers = 2, NHeads = 4, NKvHeads = 2, VocabSize = 12, MultipleOf = 16, FfnDimMultiplier = 0.5 };

    [Theory]
    [InlineData("two-parts-by-columns", 1)]
    [InlineData("two-parts-by-columns", 2)]
    [InlineData("two-parts-by-columns", 4)]
    [InlineData("two-parts-by-rows", 1)]
    [InlineData("two-parts-by-rows", 2)]
    [InlineData("views", 4)]
    public void WhatIsWrittenIsRead(string fixture, int parts)
    {
        using MetaCheckpoint source = MetaCheckpoint.Open(TestFiles.Fixture("meta", fixture));
        using var folder = new ScratchFolder();
        Copy(source, folder.File("new"), parts);
        Assert.Equal(parts + 1, Directory.GetFiles(folder.File("new")).Length);
        using MetaCheckpoint copy = MetaCheckpoint.Open(folder.File("new"));
        Assert.Equal(parts, copy.Parts);
        Assert.Equal(source.Params! with { Raw = default }, copy.Params! with { Raw = default });
        AssertSame(source, copy);
    }

    /// <summary>The parts are those that torch made: the same slices in every file.</summary>
    [Theory]
    [InlineData("two-parts-by-columns")]
    [InlineData("two-parts-by-rows")]
    public void PartsAreDividedAsTheOriginals(string fixture)
    {
        using MetaCheckpoint source = MetaCheckpoint.Open(TestFiles.Fixture("meta", fixture));
        using var folder = new ScratchFolder();
        Copy(source, folder.File("new"), 2);
        foreach (string part in (string[])["consolidated.00.pth", "consolidated.01.pth"])
        {
            // Under another name a part is read by itself, without merging.
            File.Copy(TestFiles.Fixture("meta", fixture, part), folder.File("theirs.pth"), overwrite: true);
            File.Copy(Path.Combine(folder.File("new"), part), folder.File("ours.pth"), overwrite: true);
            using MetaCheckpoint theirs = MetaCheckpoint.Open(folder.File("theirs.pth")), ours = MetaCheckpoint.Open(folder.File("ours.pth"));
            AssertSame(theirs, ours);
        }
    }

    [Fact]
    public void FilesAreZipsThatOthersRead()
    {
        using MetaCheckpoint source = MetaCheckpoint.Open(TestFiles.Fixture("meta", "views"));
        using var folder = new ScratchFolder();
        Copy(source, folder.File("new"), 1);
        using ZipArchive zip = ZipFile.OpenRead(Path.Combine(folder.File("new"), "consolidated.00.pth"));
        Assert.Equal(["consolidated.00/data.pkl", "consolidated.00/byteorder", "consolidated.00/data/0"], zip.Entries.Take(3).Select(x => x.FullName));
        Assert.Equal("consolidated.00/version", zip.Entries[^1].FullName);
        Assert.Equal(source.Tensors.Count + 3, zip.Entries.Count);
        foreach (ZipArchiveEntry entry in zip.Entries)
        {
            using var bytes = new MemoryStream();
            using (Stream stream = entry.Open())
            {
                stream.CopyTo(bytes);
            }

            Assert.Equal(entry.Crc32, Crc32.Append(0, bytes.ToArray()));
        }

        using MetaCheckpoint copy = MetaCheckpoint.Open(folder.File("new"));
        Assert.All(copy.Tensors, x => Assert.Equal(0, x.Offset % 64));
    }

    [Fact]
    public void WritesEmptyTensorsAndScalarsAndOddNames()
    {
        using var folder = new ScratchFolder();
        using (var writer = new MetaWriter(folder.File("m"), _parameters))
        {
            writer.Declare("empty", DType.F16, new Shape(0, 3));
            writer.Declare("größe\n", DType.I64, new Shape());
            writer.Declare("deep", DType.U8, new Shape(1, 2, 1, 3, 1));
            writer.Declare("end", DType.BF16, new Shape(3, 0));
            writer.Begin();
            writer.Write([1, 2, 3, 4, 5]);
            writer.Write([6, 7, 8]);
            writer.Write([9, 10, 11, 12, 13, 14]);
            writer.Complete();
        }

        using MetaCheckpoint copy = MetaCheckpoint.Open(folder.File("m"));
        Assert.Equal([new Shape(0, 3), new Shape(), new Shape(1, 2, 1, 3, 1), new Shape(3, 0)], copy.Tensors.Select(x => x.Shape));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8], TensorBytes.Of(copy.GetTensor("größe\n")));
        Assert.Equal([9, 10, 11, 12, 13, 14], TensorBytes.Of(copy.GetTensor("deep")));
        Assert.Empty(TensorBytes.Of(copy.GetTensor("empty")));
    }

    /// <summary>Bytes may come in any pieces, also such that end in the middle of a slice's stretch.</summary>
    [Fact]
    public void PiecesDoNotMatter()
    {
        using var folder = new ScratchFolder();
        byte[] bytes = [.. Enumerable.Range(0, 8 * 8 * 2).Select(x => (byte)x)];
        foreach (int piece in (int[])[1, 3, 7, 128])
        {
            using (var writer = new MetaWriter(folder.File($"m{piece}"), _parameters, 4))
            {
                writer.Declare("layers.0.attention.wo.weight", DType.F16, new Shape(8, 8));
                writer.Declare("layers.0.attention.wk.weight", DType.F16, new Shape(4, 16));
                writer.Begin();
                for (int tensor = 0; tensor < 2; tensor++)
                {
                    for (int at = 0; at < bytes.Length; at += piece)
                    {
                        writer.Write(bytes.AsSpan(at, Math.Min(piece, bytes.Length - at)));
                    }
                }

                writer.Complete();
            }

            for (int part = 0; part < 4; part++)
            {
                File.Copy(folder.File($"m{piece}/consolidated.0{part}.pth"), folder.File("one.pth"), overwrite: true);
                using MetaCheckpoint one = MetaCheckpoint.Open(folder.File("one.pth"));
                Assert.Equal(bytes.Where((_, i) => i % 16 / 4 == part), TensorBytes.Of(one.GetTensor("layers.0.attention.wo.weight")));
                Assert.Equal(bytes.Skip(part / 2 * 64).Take(64), TensorBytes.Of(one.GetTensor("layers.0.attention.wk.weight"))); // one head for two parts
            }
        }
    }

    [Fact]
    public void NothingIsLeftOfAFailure()
    {
        using var folder = new ScratchFolder();
        using (var writer = new MetaWriter(folder.File("m"), _parameters))
        {
            writer.Declare("a", DType.F32, new Shape(4));
            writer.Begin();
            writer.Write([1, 2, 3]);
            Assert.NotEmpty(Directory.GetFiles(folder.File("m")));
        }

        Assert.False(Directory.Exists(folder.File("m")));
        using ScratchFolder old = MetaFiles.CopyOf("views");
        byte[] before = File.ReadAllBytes(old.File("consolidated.00.pth"));
        using (var writer = new MetaWriter(old.Path, _parameters))
        {
            writer.Declare("a", DType.F32, new Shape(4));
            writer.Begin();
            Assert.Throws<InvalidOperationException>(writer.Complete);
        }

        Assert.Equal(before, File.ReadAllBytes(old.File("consolidated.00.pth")));
        Assert.Equal(2, Directory.GetFiles(old.Path).Length);
    }

    [Fact]
    public void ReplacesACheckpointOfTheSameParts()
    {
        using ScratchFolder folder = MetaFiles.CopyOf("views");
        using MetaCheckpoint source = MetaCheckpoint.Open(TestFiles.Fixture("meta", "two-parts-by-rows"));
        Copy(source, folder.Path, 1);
        using MetaCheckpoint copy = MetaCheckpoint.Open(folder.Path);
        AssertSame(source, copy);
    }

    [Fact]
    public void RefusesWhatItCannotWrite()
    {
        using var folder = new ScratchFolder();
        using var writer = new MetaWriter(folder.File("m"), _parameters, 2);
        Refuses(() => writer.Declare("norm.weight", DType.Q8_0, new Shape(32)), "norm.weight", "q8_0");
        Refuses(() => writer.Declare("norm.weight", DType.F8_E5M2, new Shape(32)), "norm.weight", "f8_e5m2");
        Refuses(() => writer.Declare("strange", DType.F32, new Shape(32)), "strange", "2 parts");
        Refuses(() => writer.Declare("output.weight", DType.F32, new Shape(3, 2)), "output.weight", "axis 0", "2, got [3, 2]");
        Refuses(() => writer.Declare("layers.0.feed_forward.w2.weight", DType.F32, new Shape(2, 3)), "w2", "axis 1");
        Refuses(() => writer.Declare("layers.0.feed_forward.w2.weight", DType.F32, new Shape(2)), "w2", "axis 1");
        Refuses(() => writer.Declare("output.weight", DType.F32, new Shape()), "output.weight", "axis 0");
        Assert.False(Directory.Exists(folder.File("m")));
        using ScratchFolder old = MetaFiles.CopyOf("two-parts-by-rows");
        using var one = new MetaWriter(old.Path, _parameters);
        one.Declare("a", DType.F32, new Shape(4));
        Refuses(one.Begin, "consolidated.01.pth");
        File.WriteAllText(folder.File("file"), "x");
        using var inFile = new MetaWriter(folder.File("file"), _parameters);
        Refuses(inFile.Begin, "folder");
    }

    /// <summary>Writes all tensors of a checkpoint again.</summary>
    internal static void Copy(MetaCheckpoint source, string folder, int parts)
    {
        using var writer = new MetaWriter(folder, source.Params!, parts);
        foreach (TensorInfo tensor in source.Tensors)
        {
            writer.Declare(tensor.Name, tensor.DType, tensor.Shape);
        }

        writer.Begin();
        foreach (TensorInfo tensor in source.Tensors)
        {
            writer.WriteTensor(source.GetTensor(tensor.Name));
        }

        writer.Complete();
    }

    internal static void AssertSame(TensorFile expected, TensorFile actual)
    {
        Assert.Equal(expected.Tensors.Select(x => (x.Name, x.DType, x.Shape)), actual.Tensors.Select(x => (x.Name, x.DType, x.Shape)));
        foreach (TensorInfo tensor in expected.Tensors)
        {
            Assert.Equal(TensorBytes.Of(expected.GetTensor(tensor.Name)), TensorBytes.Of(actual.GetTensor(tensor.Name)));
        }
    }

    private static void Refuses(Action action, params string[] parts)
    {
        string message = Assert.ThrowsAny<PunaException>(action).Message;
        Assert.All(parts, x => Assert.Contains(x, message, StringComparison.Ordinal));
    }
}
