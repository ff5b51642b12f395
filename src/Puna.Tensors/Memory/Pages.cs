using System.Runtime.InteropServices;

namespace Puna.Tensors;

/// <summary>What can be said to the operating system about ranges of memory; nothing happens where it has no such call.</summary>
internal static partial class Pages
{
    private const int MadvWillNeed = 3;
    private const int MadvDontNeed = 4;
    private const int MadvHugePage = 14;

    /// <summary>Takes whole pages of a mapped file out of this process; they are read again when touched.</summary>
    /// <param name="address">First byte.</param>
    /// <param name="length">Bytes; parts of a page at either end stay.</param>
    public static void DontNeed(nint address, nint length)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        nint page = Environment.SystemPageSize;
        nint first = (address + page - 1) / page * page;
        nint end = (address + length) / page * page;
        if (end > first)
        {
            // A hint: what it answers changes nothing.
            _ = Advise(first, (nuint)(end - first), MadvDontNeed);
        }
    }

    /// <summary>Asks for the pages of a mapped file to be read, without waiting for them.</summary>
    /// <param name="address">First byte.</param>
    /// <param name="length">Bytes.</param>
    public static void WillNeed(nint address, nint length)
    {
        nint page = Environment.SystemPageSize;
        nint first = address / page * page;
        if (OperatingSystem.IsLinux() && length > 0)
        {
            _ = Advise(first, (nuint)(address + length - first), MadvWillNeed);
        }
    }

    /// <summary>Asks for huge pages where the range has not been touched yet.</summary>
    /// <param name="address">First byte, at a huge page's boundary.</param>
    /// <param name="length">Bytes.</param>
    public static void PreferHuge(nint address, nint length)
    {
        if (OperatingSystem.IsLinux())
        {
            _ = Advise(address, (nuint)length, MadvHugePage);
        }
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint address, nuint length, int advice);
}
