using System.Buffers.Binary;
using System.Text;
using Puna.Formats.Packed;
using Puna.Tensors;

namespace Puna.Formats.Tests.Packed;

public sealed class PackedFileTests : IDisposable
{
    private static readonly byte[] _source = [.. Enumerable.Range(1, 32).Select(i => (byte)i)];
    private readonly ScratchFolder _folder = new();
    private readonly CpuOps _ops = new(1);

    public void Dispose()
    {
        _ops.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void WhatIsWrittenIsMappedAgain()
    {
        Weight[] weights = Weights();
        PackedFile file = PackedFile.Open(Write(weights));
        Assert.Equal(_source, file.Source.ToArray());
        Assert.Equal("layout-1", file.Layout);
        Assert.Equal(weights.Select(w => (w.Name, w.DType, w.Shape)), file.Tensors.Select(t => (t.Name, t.Type, t.Shape)));
        Assert.Throws<InvalidOperationException>(() => file.GetWeight("vector"));
        file.Verify(2, TestContext.Current.CancellationToken);
        foreach (Weight weight in weights)
        {
            Weight read = file.GetWeight(weight.Name);
            Assert.Equal(BytesOf(weight), BytesOf(read));
            Assert.IsType<MemoryMappedStorage>(read.Packed?.Storage ?? read.Master.Storage);
            Assert.Equal(0, (read.Packed?.Address ?? read.Master.Address) % 64);
        }

        Assert.Throws<FileFormatException>(() => file.GetWeight("none"));
        file.Close();
        Assert.Single(_folder.Files); // no temporary file
    }

    [Fact]
    public void TheSameWeightsGiveTheSameFile() => Assert.Equal(File.ReadAllBytes(Write(Weights())), File.ReadAllBytes(Write(Weights())));

    [Fact]
    public void EveryDamagedByteIsNoticed()
    {
        byte[] bytes = File.ReadAllBytes(Write(Weights()));
        Accept(bytes);
        for (int i = 0; i < bytes.Length; i++)
        {
            byte old = bytes[i];
            bytes[i] ^= (byte)(1 << (i % 8));
            Refuse(bytes, "packed weight");
            bytes[i] = old;
        }
    }

    [Fact]
    public void EveryOtherLengthIsNoticed()
    {
        byte[] bytes = File.ReadAllBytes(Write(Weights()));
        for (int length = 0; length < bytes.Length; length += length < 4200 ? 1 : 63)
        {
            Refuse(bytes[..length], "packed weights");
        }

        Refuse([.. bytes, 0], "packed weights");
        Refuse([.. bytes, .. new byte[64]], "packed weights");
    }

    [Theory]
    [InlineData("matrix", "f16", new long[] { 20, 64 }, "expected the 4096 bytes of [20, 64] f16, got 1152")] // another type
    [InlineData("matrix", "q4_0", new long[] { 40, 64 }, "got 1152")] // more rows
    [InlineData("matrix", "q4_0", new long[] { 20, 63 }, "expected the -1 bytes")] // no whole blocks
    [InlineData("matrix", "q4_0", new long[] { 2147483647, 2147483647 }, "got 1152")]
    [InlineData("matrix", "q4_0", new long[] { 0, 64 }, "expected sizes from 1")]
    [InlineData("matrix", "q4_0", new long[] { -20, 64 }, "expected sizes from 1")]
    [InlineData("matrix", "q4_0", new long[] { 1L << 40, 64 }, "expected sizes from 1")]
    [InlineData("matrix", "i32", new long[] { 20, 64 }, "expected the -1 bytes")]
    [InlineData("matrix", "q4_0", new long[] { 1280 }, "expected the -1 bytes")] // a vector that is no float32
    [InlineData("matrix", "nothing", new long[] { 20, 64 }, "expected a known type")]
    [InlineData("vector", "q4_0", new long[] { 20, 64 }, "expected a name that occurs once")]
    [InlineData("", "q4_0", new long[] { 20, 64 }, "expected 1 to 4096 bytes, got 0")]
    public void ATableThatLiesIsRefusedThoughItsChecksumFits(string name, string type, long[] sizes, string expected)
    {
        byte[] bytes = File.ReadAllBytes(Write(Weights()));
        int length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(12));
        using var stream = new MemoryStream(bytes);
        using var writer = new BinaryWriter(stream);
        stream.Position = 24 + 32;
        Text("layout-1");
        writer.Write(3);
        Entry("vector", "f32", [5], 20);
        Entry(name, type, sizes, 1152);
        Entry("rows", "iq4_nl", [3, 32], 320);
        UInt128 sum = LaneChecksum.Of(bytes.AsSpan(0, length - 16));
        BinaryPrimitives.WriteUInt128LittleEndian(bytes.AsSpan(length - 16), sum);
        Refuse(bytes, expected);

        void Entry(string name, string type, long[] sizes, long bytes)
        {
            Text(name);
            Text(type);
            writer.Write(sizes.Length);
            Array.ForEach(sizes, writer.Write);
            writer.Write(bytes);
            stream.Position += 16;
        }

        void Text(string text)
        {
            writer.Write((ushort)text.Length);
            writer.Write(Encoding.UTF8.GetBytes(text));
        }
    }

    [Fact]
    public void AFileThatCannotBeWrittenLeavesNothing()
    {
        // A folder in its place; a weight that is not packed; somebody who stops it.
        Directory.CreateDirectory(_folder.File("w.punapack"));
        Assert.Throws<PunaException>(() => Write(Weights()));
        Directory.Delete(_folder.File("w.punapack"));
        Assert.Throws<PunaException>(() => Write([new Weight("matrix", Tensor.Create(new Shape(2, 2)))]));
        Assert.ThrowsAny<OperationCanceledException>(() => PackedFileWriter.Write(_folder.File("w.punapack"), _source, "x", Weights(), 1, new CancellationToken(true)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder.Path));
    }

    private static void Accept(byte[] bytes) => PackedFile.Parse(ScratchFolder.Storage(bytes), "w").Verify(1, TestContext.Current.CancellationToken);

    private static void Refuse(byte[] bytes, string expected) =>
        Assert.Contains(expected, Assert.Throws<FileFormatException>(() => Accept(bytes)).Message, StringComparison.Ordinal);

    private static byte[] BytesOf(Weight weight) => weight.Packed is { } packed
        ? packed.Storage.Span<byte>(packed.Offset, (int)packed.ByteLength).ToArray()
        : weight.Master.Row<byte>(0).ToArray();

    private string Write(Weight[] weights)
    {
        PackedFileWriter.Write(_folder.File("w.punapack"), _source, "layout-1", weights, 2, TestContext.Current.CancellationToken);
        return _folder.File("w.punapack");
    }

    /// <summary>A vector whose bytes must be filled up, a matrix in a layout of its own with a tile that is not full, and one in rows.</summary>
    private Weight[] Weights() =>
        [.. new[] { Filled("vector", DType.F32, new Shape(5)), Filled("matrix", DType.Q4_0, new Shape(20, 64)), Filled("rows", DType.IQ4_NL, new Shape(3, 32)) }.Select(_ops.Pack)];

    private static Weight Filled(string name, DType type, Shape shape)
    {
        Tensor tensor = Tensor.Create(shape, type);
        for (long r = 0; r < tensor.Rows; r++)
        {
            Span<byte> row = tensor.Row<byte>(r);
            for (int i = 0; i < row.Length; i++)
            {
                row[i] = (byte)((i + (7 * r)) % 60); // no scale is infinite
            }
        }

        return new Weight(name, tensor);
    }
}
