using System.IO.Compression;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Formats.Tests.Meta;

public class StoredZipWriterTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void IsReadByOthersAndByOurs(bool zip64)
    {
        byte[] data = [.. Enumerable.Range(0, 1000).Select(x => (byte)x)];
        using var memory = new MemoryStream();
        var writer = new StoredZipWriter(memory, zip64);
        writer.Add("p/one", data);
        writer.Add("p/empty", []);
        writer.Begin("p/ünicode", 5);
        writer.Write("he"u8);
        writer.Write("llo"u8);
        writer.End();
        writer.Finish();

        using (var archive = new ZipArchive(new MemoryStream(memory.ToArray())))
        {
            Assert.Equal(["p/one", "p/empty", "p/ünicode"], archive.Entries.Select(x => x.FullName));
            Assert.Equal([1000, 0, 5], archive.Entries.Select(x => x.Length));
            using var text = new StreamReader(archive.Entries[2].Open());
            Assert.Equal("hello", text.ReadToEnd());
        }

        using Storage storage = ScratchFolder.Storage(memory.ToArray());
        StoredZip zip = StoredZip.Read(storage, "x");
        StoredZipEntry one = zip.Entries["p/one"];
        Assert.Equal(data, storage.Span<byte>((nint)one.Offset, (int)one.Length).ToArray());
        Assert.All(zip.Entries.Values, x => Assert.Equal(0, x.Offset % StoredZipWriter.Alignment));
    }

    [Fact]
    public void MoreEntriesThan16BitsCanCount()
    {
        using var memory = new MemoryStream();
        var writer = new StoredZipWriter(memory);
        for (int i = 0; i < 65_540; i++)
        {
            writer.Add($"e{i}", []);
        }

        writer.Finish();
        using Storage storage = ScratchFolder.Storage(memory.ToArray());
        Assert.Equal(65_540, StoredZip.Read(storage, "x").Entries.Count);
    }

    [Fact]
    public void LengthsMustBeKept()
    {
        var writer = new StoredZipWriter(new MemoryStream());
        writer.Begin("a", 2);
        Assert.Throws<InvalidOperationException>(() => writer.Write([1, 2, 3]));
        writer.Write([1]);
        Assert.Throws<InvalidOperationException>(writer.End);
        Assert.Throws<InvalidOperationException>(() => writer.Begin("b", 1));
        writer.Write([2]);
        writer.End();
        Assert.Throws<InvalidOperationException>(writer.End);
    }
}
