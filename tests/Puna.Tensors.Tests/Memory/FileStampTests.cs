namespace Puna.Tensors.Tests.Memory;

public sealed class FileStampTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-stamp-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void AStampTellsEveryChange()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs stamps, which only Linux gives");
        string path = Path.Combine(_folder, "a");
        File.WriteAllText(path, "one");
        FileStamp first = FileStamp.Of(path)!.Value;
        Assert.Equal(3, first.Length);
        Assert.Equal(new FileInfo(path).LastWriteTimeUtc.Ticks, DateTime.UnixEpoch.Ticks + (first.Modified / 100)); // both from the system, in nanoseconds and ticks of 100
        using (FileStream stream = File.OpenRead(path))
        {
            Assert.Equal(first, FileStamp.Of(stream.SafeFileHandle));
        }

        using (var mapped = (MemoryMappedStorage)MemoryMappedStorage.Map(path))
        {
            Assert.Equal(first, mapped.Stamp);
        }

        // The same length and, put back, the same time of the last write.
        DateTime time = File.GetLastWriteTimeUtc(path);
        Thread.Sleep(30);
        File.WriteAllText(path, "two");
        File.SetLastWriteTimeUtc(path, time);
        FileStamp second = FileStamp.Of(path)!.Value;
        Assert.Equal((first.Device, first.Inode, first.Length, first.Modified / 100), (second.Device, second.Inode, second.Length, second.Modified / 100));
        Assert.True(second.Changed > first.Changed);

        File.Copy(path, path + "b");
        Assert.NotEqual(second.Inode, FileStamp.Of(path + "b")!.Value.Inode);
        Assert.Null(FileStamp.Of(Path.Combine(_folder, "none")));
    }

    [Fact]
    public void DiscardedMemoryIsGoneAndItsNeighboursAreNot()
    {
        using var storage = new NativeStorage(1 << 20, clear: false);
        storage.Span<byte>(0, 1 << 20).Fill(7);
        storage.Discard(100_000, 500_000);
        Assert.False(storage.Span<byte>(0, 100_000).ContainsAnyExcept((byte)7));
        Assert.False(storage.Span<byte>(600_000, (1 << 20) - 600_000).ContainsAnyExcept((byte)7));
        if (OperatingSystem.IsLinux())
        {
            Assert.Equal(0, storage.Span<byte>(300_000, 1)[0]);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => storage.Discard(1, 1 << 20));
        Assert.Throws<ArgumentOutOfRangeException>(() => storage.Discard(-1, 1));
    }
}
