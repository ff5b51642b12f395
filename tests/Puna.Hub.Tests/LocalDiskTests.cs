using System.Globalization;

namespace Puna.Hub.Tests;

public class LocalDiskTests
{
    [Fact]
    public void KnowsAFullDisk()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "needs /dev/full, a device that is always full");
        IOException e = Assert.Throws<IOException>(() =>
        {
            using var stream = new FileStream("/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
            stream.Write(new byte[10]);
        });
        Assert.True(LocalDisk.IsFull(e));
        HubException told = LocalDisk.Fail("write", "x", e);
        Assert.Equal((HubErrorKind.Disk, "cannot write x: the disk is full; make room and pull again, it goes on from here"), (told.Kind, told.Message));
    }

    [Fact]
    public void OtherFailuresAreNotAFullDisk()
    {
        using var folder = new TempFolder();
        Exception e = Assert.ThrowsAny<IOException>(() => File.ReadAllBytes(folder.File("missing")));
        Assert.False(LocalDisk.IsFull(e));
        Assert.False(LocalDisk.IsFull(new InvalidOperationException()));
    }

    [Fact]
    public void KnowsAFileThatAnotherHasOpen()
    {
        using var folder = new TempFolder();
        using var held = new FileStream(folder.File("x"), FileMode.Create, FileAccess.ReadWrite, FileShare.None);
        Assert.True(LocalDisk.IsShared(Assert.Throws<IOException>(() => new FileStream(folder.File("x"), FileMode.Open, FileAccess.ReadWrite, FileShare.None))));
        Assert.False(LocalDisk.IsShared(Assert.ThrowsAny<IOException>(() => new FileStream(folder.File("y"), FileMode.Open))));
    }

    [Fact]
    public void FreeSpaceIsKnownOrNot()
    {
        using var folder = new TempFolder();
        Assert.True(LocalDisk.Free(folder) is null or > 0);
        LocalDisk.Require(folder, long.MaxValue, null);
        LocalDisk.Require(folder, 5, 5);
        Assert.Throws<HubException>(() => LocalDisk.Require(folder, 6, 5));
    }

    [Fact]
    public void AFileIsWrittenWholeOrNotAtAll()
    {
        using var folder = new TempFolder();
        LocalDisk.WriteWhole(folder.File("a", "b"), "one"u8);
        LocalDisk.WriteWhole(folder.File("a", "b"), "two"u8);
        Assert.Equal("two"u8.ToArray(), LocalDisk.ReadSmall(folder.File("a", "b"), 3));
        Assert.Null(LocalDisk.ReadSmall(folder.File("a", "b"), 2));
        Assert.Null(LocalDisk.ReadSmall(folder.File("a", "c"), 2));

        // A folder in the way: the write fails and leaves nothing.
        Directory.CreateDirectory(folder.File("a", "d"));
        Assert.Throws<HubException>(() => LocalDisk.WriteWhole(folder.File("a", "d"), "x"u8));
        Assert.Equal(["a/b"], folder.Files());
    }

    [Theory]
    [InlineData(0, "0 bytes")]
    [InlineData(999, "999 bytes")]
    [InlineData(1500, "1.5 kB")]
    [InlineData(2_500_000, "2.5 MB")]
    [InlineData(140_000_000_000, "140.0 GB")]
    public void SizesAreForPersons(long bytes, string text)
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = new CultureInfo("") { NumberFormat = { NumberDecimalSeparator = "," } };
            Assert.Equal(text, LocalDisk.Text(bytes));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
