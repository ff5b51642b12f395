using System.IO.MemoryMappedFiles;

namespace Puna.Tensors;

/// <summary>
/// A whole file mapped into memory, read only. Pages are read on first touch, and shared with other processes that map the same file.
/// </summary>
/// <remarks>If another process truncates the file while it is mapped, the operating system may end this process (SIGBUS on Unix): open such files
/// with <see cref="Load"/> instead (<c>--no-mmap</c>).</remarks>
public sealed unsafe class MemoryMappedStorage : Storage
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private nint _address;

    private MemoryMappedStorage(MemoryMappedFile file, MemoryMappedViewAccessor view, nint length, FileStamp? stamp)
    {
        _file = file;
        _view = view;
        Stamp = stamp;
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        _address = (nint)(pointer + view.PointerOffset);
        ByteLength = length;
    }

    /// <summary>Releases a mapping that nobody disposed.</summary>
    ~MemoryMappedStorage() => Dispose(false);

    /// <inheritdoc/>
    public override nint Address => _address;

    /// <inheritdoc/>
    public override nint ByteLength { get; }

    /// <inheritdoc/>
    public override bool IsWritable => false;

    /// <summary>What the system noted of the file when it was opened; null where it notes nothing that can be relied on.</summary>
    public FileStamp? Stamp { get; }

    /// <summary>Opens a file: mapped, or read into owned memory. An empty file gives an empty storage.</summary>
    /// <param name="path">An existing regular file.</param>
    /// <param name="map">False reads the file instead of mapping it.</param>
    /// <exception cref="PunaException">The file is missing, not readable or not a regular file.</exception>
    public static Storage Open(string path, bool map = true) => map ? Map(path) : Load(path);

    /// <summary>Maps a file.</summary>
    /// <inheritdoc cref="Open"/>
    public static Storage Map(string path)
    {
        using FileStream stream = OpenRead(path);
        long length = stream.Length;
        if (length == 0)
        {
            return new NativeStorage(0);
        }

        FileStamp? stamp = FileStamp.Of(stream.SafeFileHandle);
        MemoryMappedFile? file = null;
        try
        {
            file = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            return new MemoryMappedStorage(file, file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read), checked((nint)length), stamp);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            file?.Dispose();
            throw new PunaException($"file {path}: cannot be mapped into memory: {e.Message}", e);
        }
    }

    /// <summary>Reads a file into owned memory.</summary>
    /// <inheritdoc cref="Open"/>
    public static NativeStorage Load(string path)
    {
        using FileStream stream = OpenRead(path);
        var storage = new NativeStorage(checked((nint)stream.Length), clear: false);
        try
        {
            const int Chunk = 1 << 24;
            for (nint at = 0; at < storage.ByteLength;)
            {
                Span<byte> part = storage.Span<byte>(at, (int)Math.Min(Chunk, storage.ByteLength - at));
                stream.ReadExactly(part);
                at += part.Length;
            }

            return storage;
        }
        catch (Exception e) when (e is IOException)
        {
            storage.Dispose();
            throw new PunaException($"file {path}: cannot be read: {e.Message}", e);
        }
    }

    /// <inheritdoc/>
    public override void GiveBack(nint byteOffset, nint byteLength) => Pages.DontNeed(_address + byteOffset, byteLength);

    /// <inheritdoc/>
    public override void Expect(nint byteOffset, nint byteLength) => Pages.WillNeed(_address + byteOffset, byteLength);

    /// <summary>Asks for large pages in the system's file cache and in the address translation, where it has them for files: worth it for what is read again and again.</summary>
    public void PreferLargePages() => Pages.PreferHuge(_address, ByteLength);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref _address, 0) != 0)
        {
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            if (disposing)
            {
                _view.Dispose();
                _file.Dispose();
            }
        }
    }

    private static FileStream OpenRead(string path)
    {
        try
        {
            var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            if (!stream.CanSeek)
            {
                stream.Dispose();
                throw new PunaException($"file {path}: expected a regular file");
            }

            return stream;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new PunaException($"file {path}: not found", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new PunaException(Directory.Exists(path) ? $"file {path}: expected a file, got a folder" : $"file {path}: cannot be opened: {e.Message}", e);
        }
    }
}
