using System.Globalization;

namespace Puna.Hub;

/// <summary>Failures of the local disk in plain words, and writing a small file so that it is there whole or not at all.</summary>
internal static class LocalDisk
{
    /// <summary>The exception for a failed file operation.</summary>
    public static HubException Fail(string action, string path, Exception e)
    {
        string why = IsFull(e) ? "the disk is full; make room and pull again, it goes on from here" : e.Message.TrimEnd('.');
        return new HubException(HubErrorKind.Disk, $"cannot {action} {path}: {why}", e);
    }

    /// <summary>Whether an exception of a file operation says that the disk, or the user's share of it, is full.</summary>
    public static bool IsFull(Exception e)
    {
        if (e is not IOException) return false;

        // Windows: ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL as an HRESULT; elsewhere the plain errno: ENOSPC, and EDQUOT of Linux or macOS.
        return OperatingSystem.IsWindows()
            ? e.HResult is unchecked((int)0x80070027) or unchecked((int)0x80070070)
            : e.HResult == 28 || e.HResult == (OperatingSystem.IsLinux() ? 122 : 69);
    }

    /// <summary>Whether opening a file failed because another process has it open for itself.</summary>
    public static bool IsShared(IOException e)
    {
        // Windows: ERROR_SHARING_VIOLATION and ERROR_LOCK_VIOLATION; elsewhere EWOULDBLOCK of the advisory lock behind FileShare.None.
        return OperatingSystem.IsWindows()
            ? e.HResult is unchecked((int)0x80070020) or unchecked((int)0x80070021)
            : e.HResult == (OperatingSystem.IsLinux() ? 11 : 35);
    }

    /// <summary>Checks that a download fits.</summary>
    /// <param name="folder">An existing folder on the disk in question.</param>
    /// <param name="needed">Bytes still to come.</param>
    /// <param name="free">Free bytes, or null where the system does not say.</param>
    /// <exception cref="HubException">It does not fit.</exception>
    public static void Require(string folder, long needed, long? free)
    {
        if (free is { } bytes && needed > bytes)
        {
            throw new HubException(HubErrorKind.Disk, $"cache folder {folder}: expected {Text(needed)} of free disk space for the download, got {Text(bytes)}");
        }
    }

    /// <summary>Free bytes on the disk of a folder, or null where the system does not say.</summary>
    public static long? Free(string folder)
    {
        try
        {
            string? place = OperatingSystem.IsWindows() ? Path.GetPathRoot(folder) : folder;
            return string.IsNullOrEmpty(place) ? null : new DriveInfo(place).AvailableFreeSpace;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            // Network shares without a drive letter and the like.
            return null;
        }
    }

    /// <summary>Writes a small file by way of a temporary one beside it.</summary>
    public static void WriteWhole(string path, ReadOnlySpan<byte> content)
    {
        string temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}.tmp");
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllBytes(temporary, content);
            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TryDelete(temporary);
            throw Fail("write", path, e);
        }
    }

    /// <summary>Deletes a file if that is possible.</summary>
    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What is left is never taken for a complete file.
        }
    }

    /// <summary>Reads a small file; null where there is none, or it is not small or not readable.</summary>
    public static byte[]? ReadSmall(string path, int most)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.Length > most) return null;
            var content = new byte[stream.Length];
            stream.ReadExactly(content);
            return content;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>A size for a person: decimal units, as drives are labelled.</summary>
    public static string Text(long bytes) => bytes switch
    {
        >= 1_000_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0} GB"),
        >= 1_000_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
        >= 1_000 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e3:0.0} kB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes"),
    };
}
