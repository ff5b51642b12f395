namespace Puna.Hub;

/// <summary>
/// Keeps other processes (and other pulls of this one) from writing to a model's folder. It is an open file: the system lets go of it when a process
/// ends, however it ends. The file itself stays; deleting it would let two processes hold two files of the same name.
/// </summary>
internal sealed class CacheLock : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);

    private readonly FileStream _stream;

    private CacheLock(FileStream stream) => _stream = stream;

    /// <summary>Takes the lock, waiting for whoever has it.</summary>
    /// <param name="path">Path of the lock file.</param>
    /// <param name="what">What is locked, for messages.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="waiting">Called once when there is somebody to wait for.</param>
    /// <param name="cancellation">The caller's wish to stop.</param>
    /// <exception cref="HubException">Another process still has it.</exception>
    public static async Task<CacheLock> TakeAsync(string path, string what, TimeSpan timeout, Action? waiting, CancellationToken cancellation)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        bool told = false;
        while (true)
        {
            if (TryTake(path) is { } taken) return taken;
            if (clock.Elapsed >= timeout) throw Busy(path, what);
            if (!told) waiting?.Invoke();
            told = true;
            await Task.Delay(Poll, cancellation);
        }
    }

    /// <summary>Takes the lock at once.</summary>
    /// <exception cref="HubException">Another process has it.</exception>
    public static CacheLock Take(string path, string what) => TryTake(path) ?? throw Busy(path, what);

    public void Dispose() => _stream.Dispose();

    private static CacheLock? TryTake(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return new CacheLock(new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0));
        }
        catch (IOException e) when (LocalDisk.IsShared(e))
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalDisk.Fail("write", path, e);
        }
    }

    private static HubException Busy(string path, string what) =>
        new(HubErrorKind.Busy, $"{what}: another process is downloading or removing it; try again when that is done ({path})");
}
