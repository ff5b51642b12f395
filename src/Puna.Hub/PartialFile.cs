using System.Buffers;
using System.Security.Cryptography;

namespace Puna.Hub;

/// <summary>
/// An unfinished download, <c>file.partial</c> with a note <c>file.partial.json</c> beside it. Its SHA-256 runs along with the writing. It gets its
/// final name only through <see cref="Commit"/>; disposing of it otherwise keeps it for the next pull.
/// </summary>
internal sealed class PartialFile : IDisposable
{
    public const int BufferSize = 1 << 20;

    private const int LongestNote = 1 << 16;

    private readonly string _target;
    private readonly string _path;
    private readonly string _notePath;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private FileStream? _stream;

    private PartialFile(string target)
    {
        _target = target;
        _path = target + SafePath.PartialSuffix;
        _notePath = target + SafePath.SidecarSuffix;
    }

    /// <summary>Bytes that are here and counted in the checksum.</summary>
    public long Length { get; private set; }

    /// <summary>What the bytes that are here belong to; null when there are none.</summary>
    public PartialNote? Note { get; private set; }

    /// <summary>How many bytes of a file an earlier pull left, without looking closer.</summary>
    public static long Left(string target)
    {
        try
        {
            var info = new FileInfo(target + SafePath.PartialSuffix);
            return info.Exists ? info.Length : 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Opens what an earlier pull left, if it belongs to the same content, or begins anew.</summary>
    /// <param name="target">The final path.</param>
    /// <param name="size">Size of the file, where known.</param>
    /// <param name="sha256">Its checksum, where known.</param>
    /// <param name="progress">Told how many of the old bytes have been read again for the checksum.</param>
    /// <param name="cancellation">The caller's wish to stop.</param>
    public static async Task<PartialFile> OpenAsync(string target, long? size, string? sha256, Action<long> progress, CancellationToken cancellation)
    {
        var file = new PartialFile(target);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            file._stream = new FileStream(file._path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            PartialNote? note = PartialNote.Read(LocalDisk.ReadSmall(file._notePath, LongestNote));
            long length = file._stream.Length;

            // All bytes and no checksum proves nothing: only a checksum may end a download without asking the server.
            bool usable = length > 0 && note is { CanResume: true } && (size is null || note.Size == size) && (sha256 is null || note.Sha256 == sha256)
                && (note.Size is not { } whole || length < whole || (length == whole && sha256 is not null));
            if (usable)
            {
                file.Note = note;
                await file.RereadAsync(length, progress, cancellation);
            }
            else
            {
                file._stream.SetLength(0);
            }

            return file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file.Dispose();
            throw LocalDisk.Fail("write", file._path, e);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Drops all bytes and notes what the next ones belong to.</summary>
    public void Restart(PartialNote note)
    {
        try
        {
            _stream!.SetLength(0);
            _stream.Position = 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalDisk.Fail("write", _path, e);
        }

        _hash.GetHashAndReset();
        Length = 0;
        Note = note;
        LocalDisk.WriteWhole(_notePath, note.Write());
    }

    /// <summary>Appends bytes.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        try
        {
            await _stream!.WriteAsync(bytes, cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalDisk.Fail("write", _path, e);
        }

        _hash.AppendData(bytes.Span);
        Length += bytes.Length;
    }

    /// <summary>SHA-256 of all bytes, lower-case hexadecimal.</summary>
    public string Sha256() => Convert.ToHexStringLower(_hash.GetCurrentHash());

    /// <summary>Makes sure that the bytes are on the disk, and gives the file its final name.</summary>
    public void Commit()
    {
        try
        {
            _stream!.Flush(flushToDisk: true);
            _stream.Dispose();
            _stream = null;
            File.Move(_path, _target, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw LocalDisk.Fail("write", _target, e);
        }

        LocalDisk.TryDelete(_notePath);
    }

    /// <summary>Deletes all bytes: they are wrong.</summary>
    public void Discard()
    {
        _stream?.Dispose();
        _stream = null;
        LocalDisk.TryDelete(_path);
        LocalDisk.TryDelete(_notePath);
        Length = 0;
    }

    /// <summary>Closes the file; bytes that are here stay for the next pull.</summary>
    public void Dispose()
    {
        if (_stream is not null)
        {
            // Not Length: that is still 0 when reading the old bytes again is interrupted.
            bool empty = _stream.Length == 0;
            _stream.Dispose();
            _stream = null;
            if (empty) Discard();
        }

        _hash.Dispose();
    }

    private async Task RereadAsync(long length, Action<long> progress, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (Length < length)
            {
                int read = await _stream!.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - Length)), cancellation);
                if (read == 0) break;
                _hash.AppendData(buffer.AsSpan(0, read));
                Length += read;
                progress(Length);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
