using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Puna.Bench.Experts;

/// <summary>Which parts of a file are in memory, as far as Linux lets a program say: parts are dropped from the file cache, and what is read from the disk is counted. Owns the handle.</summary>
internal sealed partial class FilePages(string path) : IDisposable
{
    private const int DontNeed = 4;
    private readonly SafeFileHandle _file = File.OpenHandle(path);

    /// <summary>Bytes that this process has read from disks, and pages that it had to wait for.</summary>
    public static (long Bytes, long Faults) Reads()
    {
        string line = File.ReadLines("/proc/self/io").First(static l => l.StartsWith("read_bytes:", StringComparison.Ordinal));
        string stat = File.ReadAllText("/proc/self/stat");

        // Behind the name, which may hold anything but ends with the last bracket: state is field 3, major faults are field 12.
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(line.AsSpan("read_bytes:".Length), CultureInfo.InvariantCulture), long.Parse(fields[9], CultureInfo.InvariantCulture));
    }

    /// <summary>Drops whole pages of a range that no process has mapped at present.</summary>
    /// <param name="offset">First byte.</param>
    /// <param name="length">Bytes; 0 is to the end.</param>
    public void Drop(long offset, long length) => _ = Advise(_file, offset, length, DontNeed);

    /// <summary>Bytes per second of reading from end to end what is not in memory.</summary>
    /// <param name="most">Bytes to read at most.</param>
    public double ReadRate(long most)
    {
        Drop(0, 0);
        var buffer = new byte[8 << 20];
        long start = Stopwatch.GetTimestamp(), at = 0;
        while (at < most && RandomAccess.Read(_file, buffer, at) is > 0 and int count)
        {
            at += count;
        }

        double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        Drop(0, 0);
        return at / seconds;
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();

    [LibraryImport("libc", EntryPoint = "posix_fadvise")]
    private static partial int Advise(SafeFileHandle file, long offset, long length, int advice);
}
