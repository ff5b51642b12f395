using Microsoft.Win32.SafeHandles;
using Puna.Tensors;

namespace Puna.Formats;

/// <summary>
/// Files that appear together or not at all: each is written under a temporary name in its final folder, <see cref="Commit"/> renames them into place in
/// the order of their creation, and <see cref="Dispose"/> without it deletes what was written.
/// </summary>
public sealed class StagedFiles : IDisposable
{
    private const int BufferBytes = 1 << 18;

    // A temporary name tells whose it is, and stays within the 255 bytes that file systems allow.
    private const int MostOfName = 60;

    private readonly List<Entry> _entries = [];
    private readonly List<string> _folders = [];
    private bool _closed;

    /// <summary>Makes a folder, and those above it, where they are missing. Those that were made go away with the files unless <see cref="Commit"/> succeeds.</summary>
    /// <param name="path">The folder.</param>
    /// <exception cref="PunaException">It cannot be made, for example because there is a file of this name.</exception>
    public void MakeFolder(string path)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (File.Exists(path))
        {
            throw new PunaException($"folder {path}: cannot be made: there is a file of this name");
        }

        try
        {
            var missing = new Stack<string>();
            for (string? folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)); folder is not null && !Directory.Exists(folder); folder = Path.GetDirectoryName(folder))
            {
                missing.Push(folder);
            }

            foreach (string folder in missing)
            {
                Directory.CreateDirectory(folder);
                _folders.Add(folder);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException($"folder {path}: cannot be made: {e.Message}", e);
        }
    }

    /// <summary>Opens a new file for writing (and seeking). The caller may dispose the stream once the file is complete; <see cref="Commit"/> does it
    /// otherwise.</summary>
    /// <param name="path">Where the file will be. Its folder must exist; a file of this name is replaced on <see cref="Commit"/>.</param>
    /// <exception cref="PunaException">The folder is missing or may not be written.</exception>
    public FileStream Create(string path)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (Directory.Exists(path))
        {
            throw new PunaException($"file {path}: cannot be written: there is a folder of this name");
        }

        try
        {
            string full = Path.GetFullPath(path);
            string folder = Path.GetDirectoryName(full) ?? full;
            string name = Path.GetFileName(full);
            string temporary = Path.Combine(folder, $".{name[..Math.Min(name.Length, MostOfName)]}.{Path.GetRandomFileName()}.tmp");
            var stream = new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, BufferBytes);
            _entries.Add(new Entry(full, temporary, stream));
            return stream;
        }
        catch (DirectoryNotFoundException e)
        {
            throw new PunaException($"file {path}: cannot be written: its folder does not exist", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException($"file {path}: cannot be written: {e.Message}", e);
        }
    }

    /// <summary>
    /// Closes all files, has the system write them to the disk, and renames them into place: so that a name never stands for bytes that a power cut can take away. Where one cannot be renamed, none of them is
    /// left behind, and those that they replaced are there again.
    /// </summary>
    /// <exception cref="PunaException">A file cannot be renamed, for example because its target is in use.</exception>
    /// <exception cref="IOException">The last bytes could not be written, for example because the disk is full.</exception>
    public void Commit()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        foreach (Entry entry in _entries)
        {
            entry.Stream.Dispose();
            using SafeFileHandle file = File.OpenHandle(entry.Temporary, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(file);
        }

        int placed = 0;
        try
        {
            for (; placed < _entries.Count; placed++)
            {
                Place(_entries[placed]);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            foreach (Entry entry in _entries.Take(placed))
            {
                TakeBack(entry);
            }

            throw new PunaException($"file {_entries[placed].Path}: cannot be put in place: {e.Message}", e);
        }

        _closed = true;
        foreach (Entry entry in _entries)
        {
            Delete(entry.Replaced);
        }
    }

    /// <summary>Deletes the temporary files and the folders made for them, unless <see cref="Commit"/> succeeded.</summary>
    public void Dispose()
    {
        if (_closed)
        {
            return;
        }

        _closed = true;
        foreach (Entry entry in _entries)
        {
            try
            {
                entry.Stream.Dispose();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
            {
                // What could not be flushed (disk full; file too large for the file system, which .NET calls a wrong argument) is deleted next.
            }

            Delete(entry.Temporary);
        }

        for (int i = _folders.Count - 1; i >= 0; i--)
        {
            try
            {
                Directory.Delete(_folders[i]);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Somebody else has put something into it meanwhile.
            }
        }
    }

    /// <summary>Writes one whole file so that it appears complete or not at all.</summary>
    /// <inheritdoc cref="Create" path="/exception"/>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        using var files = new StagedFiles();
        files.Create(path).Write(bytes);
        files.Commit();
    }

    /// <summary>Renames a file into place; where others follow, what was there keeps a second name until all are.</summary>
    private void Place(Entry entry)
    {
        if (_entries.Count > 1 && File.Exists(entry.Path))
        {
            File.Replace(entry.Temporary, entry.Path, entry.Replaced, ignoreMetadataErrors: true);
        }
        else
        {
            File.Move(entry.Temporary, entry.Path, overwrite: true);
        }
    }

    private static void TakeBack(Entry entry)
    {
        try
        {
            if (File.Exists(entry.Replaced))
            {
                File.Move(entry.Replaced, entry.Path, overwrite: true);
                return;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // What was there is still there under its second name.
            return;
        }

        Delete(entry.Path);
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Best effort: the error that led here is the one to report.
        }
    }

    private readonly record struct Entry(string Path, string Temporary, FileStream Stream)
    {
        /// <summary>Second name of what was there before.</summary>
        public string Replaced => Temporary + ".old";
    }
}
