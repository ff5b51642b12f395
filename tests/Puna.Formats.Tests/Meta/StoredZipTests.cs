using System.IO.Compression;
using Puna.Formats.Meta;
using Puna.Tensors;

namespace Puna.Formats.Tests.Meta;

public class StoredZipTests
{
    private static readonly byte[] _some = [1, 2, 3, 4, 5, 6, 7, 8];

    [Theory]
    [InlineData(false, false, 0)]
    [InlineData(true, false, 0)]
    [InlineData(false, true, 0)]
    [InlineData(true, true, 8)]
    [InlineData(false, false, 8)]
    [InlineData(true, false, 0x808)]
    public void FindsEntries(bool wide, bool zip64, int flags)
    {
        byte[] bytes = new ZipBytes()
            .Add("p/", [])
            .Add("p/a", _some, flags, wide: wide, crc: 77)
            .Add("p/empty", [])
            .Add("p/ä", [9], flags, wide: wide, wideOffset: true)
            .End(zip64, comment: "a comment");
        using Storage storage = ScratchFolder.Storage(bytes);
        StoredZip zip = StoredZip.Read(storage, "x.zip");
        Assert.Equal(["p/", "p/a", "p/empty", "p/ä"], zip.Entries.Keys);
        StoredZipEntry a = zip.Entries["p/a"], last = zip.Entries["p/ä"];
        Assert.Equal(_some, storage.Span<byte>((nint)a.Offset, (int)a.Length).ToArray());
        Assert.Equal(77u, a.Crc32);
        Assert.Equal([9], storage.Span<byte>((nint)last.Offset, (int)last.Length).ToArray());
        Assert.Equal(0, zip.Entries["p/empty"].Length);
    }

    [Fact]
    public void AnEmptyArchiveHasNoEntries()
    {
        using Storage storage = ScratchFolder.Storage(new ZipBytes().End());
        Assert.Empty(StoredZip.Read(storage, "x").Entries);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void ReadsWhatAnotherWriterStores(bool seekable)
    {
        using var memory = new MemoryStream();
        Stream target = seekable ? memory : new ForwardOnly(memory); // forward only: sizes follow the data
        using (var archive = new ZipArchive(target, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (string name in (string[])["one", "folder/two"])
            {
                using Stream entry = archive.CreateEntry(name, CompressionLevel.NoCompression).Open();
                entry.Write(_some);
            }
        }

        using Storage storage = ScratchFolder.Storage(memory.ToArray());
        StoredZip zip = StoredZip.Read(storage, "x");
        Assert.Equal(_some, storage.Span<byte>((nint)zip.Entries["folder/two"].Offset, _some.Length).ToArray());
        Assert.Equal(Crc32.Append(0, _some), zip.Entries["one"].Crc32);
    }

    [Fact]
    public void RefusesCompressedAndEncryptedEntriesByName()
    {
        Refuses(new ZipBytes().Add("p/big", _some, method: 8).End(), "p/big", "8 (deflate)");
        Refuses(new ZipBytes().Add("p/big", _some, method: 14).End(), "p/big", "14 (LZMA)");
        Refuses(new ZipBytes().Add("p/big", _some, method: 99).End(), "p/big", "99");
        Refuses(new ZipBytes().Add("p/big", _some, flags: 1).End(), "p/big", "encrypted");
        Refuses(new ZipBytes().Add("p/big", _some, flags: 0x40).End(), "p/big", "encrypted");
        Refuses(new ZipBytes().Add("p/big", _some, flags: 0x20).End(), "p/big", "stored");
    }

    [Fact]
    public void RefusesAbsurdCountsAndDirectories()
    {
        Refuses(new ZipBytes().Add("a", _some).End(count: 65535), "65535 entries");
        Refuses(new ZipBytes().Add("a", _some).End(count: 2), "directory");
        Refuses(new ZipBytes().Add("a", _some).End(count: 0), "directory of 0 bytes");
        Refuses(new ZipBytes().Add("a", _some).End(zip64: true, count: 1 << 20), "at most 131072 entries");
        Refuses(new ZipBytes().Add("a", _some).End(zip64: true, count: -1), "inside");
        Refuses(new ZipBytes().Add("a", _some).End(zip64: true, length: long.MinValue), "inside");
        Refuses(new ZipBytes().Add("a", _some).End(zip64: true, length: 1L << 40), "directory");
        Refuses(new ZipBytes().Add("a", _some).End(zip64: true, start: 1L << 50), "directory");
        Refuses(new ZipBytes().Add("a", _some).End(start: 5), "directory to end");
        Refuses(new ZipBytes().Add("a", _some).End(start: 0), "directory to end");
        Refuses(new ZipBytes().Add("a", _some).End(disk: 1), "split archive");
    }

    [Fact]
    public void RefusesOverlappingEntries()
    {
        // The second record names the header of the first again: same name, so a duplicate; with a header inside the first one's data, an overlap.
        Refuses(new ZipBytes().Add("a", _some).Add("a", _some, offset: 0).End(), "a", "occurs once");
        byte[] inner = new ZipBytes().Add("b", _some).End()[..(30 + 1 + 4 + 1 + _some.Length)];
        var zip = new ZipBytes();
        zip.Add("a", inner);
        long at = zip.Position - inner.Length;
        Refuses(zip.Add("b", _some, offset: at).End(), "b", "overlap");
    }

    [Fact]
    public void RefusesEntriesOutsideTheFile()
    {
        Refuses(new ZipBytes().Add("a", _some, length: 1 << 20).End(), "a", "1048576 bytes");
        Refuses(new ZipBytes().Add("a", _some, length: uint.MaxValue - 1).End(), "a", "bytes");
        Refuses(new ZipBytes().Add("a", _some, wide: true, length: long.MaxValue).End(), "a", "bytes");
        Refuses(new ZipBytes().Add("a", _some, wide: true, length: -5).End(), "a", "64-bit");
        Refuses(new ZipBytes().Add("a", _some, offset: 1000).End(), "a", "offset 1000");
        Refuses(new ZipBytes().Add("a", _some, wideOffset: true, offset: long.MaxValue).End(), "a", "offset");
        Refuses(new ZipBytes().Add("a", _some, offset: 3).End(), "a", "header");
    }

    [Fact]
    public void RefusesHeadersThatDisagree()
    {
        Refuses(new ZipBytes().Add("name", _some, localName: "nome").End(), "name", "agree");
        Refuses(new ZipBytes().Add("name", _some, localName: "longer").End(), "name", "agree");
        Refuses(new ZipBytes().Add("name", _some, localLength: 7).End(), "name", "8 bytes");
        Refuses(new ZipBytes().Add("name", _some, crc: 1, localCrc: 2).End(), "name", "checksum");
        Refuses(new ZipBytes().Add("name", _some, flags: 8, crc: 1, localCrc: 2).End(), "name", "checksum");
        byte[] bytes = new ZipBytes().Add("name", _some).End();
        bytes[8] = 8; // compression method in the header only
        Refuses(bytes, "name", "agree");
    }

    [Fact]
    public void RefusesSaturatedSizesWithoutTheirField()
    {
        byte[] bytes = new ZipBytes().Add("name", _some, wide: true).End();
        int field = bytes.AsSpan().LastIndexOf<byte>([1, 0, 16, 0]);
        bytes[field] = 2; // another kind of field
        Refuses(bytes, "name", "64-bit");
        bytes[field] = 1;
        bytes[field + 2] = 15; // too short for both sizes
        Refuses(bytes, "name", "64-bit");
        bytes[field + 2] = 200; // longer than the extra bytes
        Refuses(bytes, "name", "64-bit");
    }

    [Fact]
    public void RefusesWhatIsNoZip()
    {
        Refuses([], "no", "end record");
        Refuses("PK\u0003\u0004 and nothing else"u8.ToArray(), "end record");
        Refuses(new byte[100_000], "end record");
        byte[] bytes = new ZipBytes().Add("a", _some).End(zip64: true);
        int locator = bytes.AsSpan().LastIndexOf("PK\u0006\u0007"u8);
        bytes[locator + 8]++; // the zip64 end record is not where its locator says
        Refuses(bytes, "zip64");
        bytes[locator + 15] = 0x80;
        Refuses(bytes, "zip64");
    }

    [Fact]
    public void RefusesEveryTruncation()
    {
        byte[] bytes = new ZipBytes().Add("p/a", _some).Add("p/b", _some, flags: 8).End(zip64: true);
        for (int length = 0; length < bytes.Length; length++)
        {
            Refuses(bytes[..length]);
        }
    }

    [Fact]
    public void RefusesNamesThatAreNotText()
    {
        byte[] bytes = new ZipBytes().Add("abcd", _some).End();
        bytes[bytes.AsSpan().LastIndexOf("abcd"u8)] = 0xff;
        bytes[bytes.AsSpan().IndexOf("abcd"u8)] = 0xff;
        Refuses(bytes, "UTF-8");
    }

    private static void Refuses(byte[] bytes, params string[] parts)
    {
        using Storage storage = ScratchFolder.Storage(bytes);
        string message = Assert.Throws<FileFormatException>(() => StoredZip.Read(storage, "file.pth")).Message;
        Assert.DoesNotContain('\n', message);
        Assert.Contains("file.pth", message, StringComparison.Ordinal);
        foreach (string part in parts)
        {
            Assert.Contains(part, message, StringComparison.Ordinal);
        }
    }

    private sealed class ForwardOnly(Stream inner) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);
    }
}
