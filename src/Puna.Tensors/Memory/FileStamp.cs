using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Puna.Tensors;

/// <summary>
/// What the system notes of a file each time its content changes. As long as all of it is the same, so is the content: no program can set the time of the last change of
/// state (ctime), which moves with every write, rename and change of the other times.
/// </summary>
/// <param name="Device">The file system.</param>
/// <param name="Inode">The file on it.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Modified">Last write, in nanoseconds since 1970.</param>
/// <param name="Changed">Last change of state, in nanoseconds since 1970.</param>
public readonly partial record struct FileStamp(ulong Device, ulong Inode, long Length, long Modified, long Changed)
{
    private const int CurrentFolder = -100;
    private const int EmptyPath = 0x1000;
    private const uint BasicFields = 0x7FF;

    /// <summary>The stamp of an open file; null where the system keeps none that can be relied on (anything but Linux).</summary>
    public static FileStamp? Of(SafeFileHandle file)
    {
        bool held = false;
        try
        {
            file.DangerousAddRef(ref held);
            return Read((int)file.DangerousGetHandle(), "", EmptyPath);
        }
        finally
        {
            if (held)
            {
                file.DangerousRelease();
            }
        }
    }

    /// <summary>The stamp of the file that a path names now; null where there is none, or as in <see cref="Of(SafeFileHandle)"/>.</summary>
    public static FileStamp? Of(string path) => Read(CurrentFolder, Path.GetFullPath(path), 0);

    private static FileStamp? Read(int folder, string path, int flags)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        // The layout of struct statx is the same on every processor (linux/stat.h).
        Span<byte> s = stackalloc byte[256];
        s.Clear();
        try
        {
            if (StatX(folder, path, flags, BasicFields, ref MemoryMarshal.GetReference(s)) != 0 || (Unsigned32(s) & BasicFields) != BasicFields)
            {
                return null;
            }
        }
        catch (EntryPointNotFoundException)
        {
            return null; // a C library older than the call
        }

        ulong device = ((ulong)Unsigned32(s[136..]) << 32) | Unsigned32(s[140..]);
        return new FileStamp(device, BinaryPrimitives.ReadUInt64LittleEndian(s[32..]), BinaryPrimitives.ReadInt64LittleEndian(s[40..]), Time(s[112..]), Time(s[96..]));
    }

    private static uint Unsigned32(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt32LittleEndian(bytes);

    private static long Time(ReadOnlySpan<byte> bytes) => unchecked((BinaryPrimitives.ReadInt64LittleEndian(bytes) * 1_000_000_000) + Unsigned32(bytes[8..]));

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatX(int folder, string path, int flags, uint mask, ref byte result);
}
