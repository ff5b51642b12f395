using System.Buffers.Binary;
using System.Text;
using Puna.Formats.Npy;
using Puna.Tensors;

namespace Puna.Formats.Tests.Npy;

public class NpyTests
{
    [Fact]
    public void TheBytesAreTheFormat()
    {
        using var folder = new ScratchFolder();
        using (var writer = new NpyWriter(folder.File("a.npy"), new Shape(2, 3)))
        {
            writer.Write([1, 2, 3]);
            writer.Write([4]);
            writer.Write([5, 6]);
            writer.Complete();
        }

        byte[] bytes = File.ReadAllBytes(folder.File("a.npy"));
        string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
        Assert.Equal([0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(text.PadRight(117) + "\n")], bytes[..128]);
        Assert.Equal(24, bytes.Length - 128);
        Assert.Equal(6f, BitConverter.ToSingle(bytes, 148));
    }

    [Theory]
    [InlineData]
    [InlineData(5L)]
    [InlineData(2L, 3L)]
    [InlineData(0L, 3L)]
    [InlineData(1L, 2L, 1L, 2L, 1L, 2L, 1L, 2L)]
    public void FloatsComeBack(params long[] sizes)
    {
        using var folder = new ScratchFolder();
        var shape = new Shape(sizes);
        float[] values = [.. Enumerable.Range(0, (int)shape.Count).Select(i => i * 0.25f)];
        NpyWriter.Write(folder.File("a.npy"), values, shape);
        Assert.Equal(["a.npy"], folder.Files);
        using NpyFile file = NpyFile.Open(folder.File("a.npy"));
        Assert.Equal(shape, file.Values.Shape);
        Assert.Equal(DType.F32, file.Values.DType);
        Assert.Equal(values, file.ToFloats());
    }

    [Fact]
    public void IntegersAreRead()
    {
        byte[] header = [.. "{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }\n"u8];
        using NpyFile longs = NpyFile.Parse(ScratchFolder.Storage([.. Prefix(1, header.Length), .. header, .. BitConverter.GetBytes(-5L), .. BitConverter.GetBytes(1L << 40)]), "memory");
        Assert.Equal([-5, 1L << 40], longs.ToIntegers());
        header = [.. "{\"shape\":(1,2),\"fortran_order\":False,\"descr\":\"<i4\"}"u8]; // misaligned by its length, version 2, another order
        using NpyFile ints = NpyFile.Parse(ScratchFolder.Storage([.. Prefix(2, header.Length), .. header, .. BitConverter.GetBytes(-5), .. BitConverter.GetBytes(6)]), "memory");
        Assert.Equal([-5, 6], ints.ToIntegers());
        Assert.Equal(new Shape(1, 2), ints.Values.Shape);
        Assert.Throws<PunaException>(() => ints.ToFloats());
    }

    [Theory]
    [InlineData("", 0, "expected '{'")]
    [InlineData("{}", 0, "expected descr, fortran_order and shape")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7, "npy data: expected 8 bytes for f32 [2], got 7")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9, "npy data: expected 8 bytes for f32 [2], got 9")]
    [InlineData("{'descr': '<f4', 'fortran_order': True, 'shape': (1, 2), }", 8, "expected C order")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8, "expected a little-endian number type such as <f4, got >f4")]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", 8, "got |O")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", 8, "expected a short text in quotes")]
    [InlineData("{'descr': '<f4', 'fortran_order': 0, 'shape': (2,), }", 8, "expected True or False")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-2,), }", 8, "expected a tuple of sizes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': 2, }", 8, "expected '('")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }", 8, "expected a tuple of sizes")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9223372036854775807, 9), }", 8, "product fits 63 bits")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 1, 1), }", 8, "expected at most 8 dimensions")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': 1}", 8, "got more")]
    [InlineData("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", 8, "got descr")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x", 8, "expected nothing behind the dictionary")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)", 8, "expected '}'")]
    public void BadHeadersAreRefused(string header, int dataBytes, string message)
    {
        using NativeStorage storage = ScratchFolder.Storage([.. Prefix(1, header.Length), .. Encoding.ASCII.GetBytes(header), .. new byte[dataBytes]]);
        Assert.Contains(message, Assert.Throws<FileFormatException>(() => NpyFile.Parse(storage, "some.npy")).Message);
    }

    [Fact]
    public void EveryTruncationIsRefused()
    {
        using var folder = new ScratchFolder();
        NpyWriter.Write(folder.File("a.npy"), [1, 2], new Shape(2));
        byte[] bytes = File.ReadAllBytes(folder.File("a.npy"));
        for (int length = 0; length < bytes.Length; length++)
        {
            using NativeStorage storage = ScratchFolder.Storage(bytes.AsSpan(0, length));
            Assert.Throws<FileFormatException>(() => NpyFile.Parse(storage, "some.npy"));
        }
    }

    [Fact]
    public void UnfinishedFilesLeaveNothing()
    {
        using var folder = new ScratchFolder();
        using (var writer = new NpyWriter(folder.File("a.npy"), new Shape(2)))
        {
            writer.Write([1]);
            Assert.Throws<InvalidOperationException>(writer.Complete);
            Assert.Throws<InvalidOperationException>(() => writer.Write([1, 2]));
        }

        Assert.Empty(folder.Files);
    }

    private static byte[] Prefix(byte version, int length)
    {
        byte[] bytes = new byte[version == 1 ? 2 : 4];
        if (version == 1)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)length);
        }
        else
        {
            BinaryPrimitives.WriteInt32LittleEndian(bytes, length);
        }

        return [0x93, .. "NUMPY"u8, version, 0, .. bytes];
    }
}
