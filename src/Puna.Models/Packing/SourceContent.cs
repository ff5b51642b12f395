using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Puna.Formats;
using Puna.Formats.Packed;
using Puna.Tensors;

namespace Puna.Models.Packing;

/// <summary>
/// The SHA-256 that identifies what a checkpoint's files hold: of the hashes of their pieces of 4 MB, which several threads compute, and of the names, types, shapes and places
/// of the tensors that were found in them.
/// </summary>
/// <remarks>
/// A collision would let one model run as another, hence no quicker hash. It is computed once: what came out is noted beside the packed forms with the <see cref="FileStamp"/>
/// of each file, and holds while the stamps are what they were. Where the system has no such stamp, it is computed each time.
/// </remarks>
internal sealed class SourceContent
{
    private const int Piece = 4 << 20;

    // Clocks of files tick every few milliseconds, those of some file systems every two seconds: within a tick a file may change and its stamp not.
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    private readonly TensorFile _file;
    private readonly string _folder;
    private readonly int _threads;

    /// <summary>Prepares.</summary>
    /// <param name="file">The checkpoint; its sources are mapped.</param>
    /// <param name="folder">Where notes are kept.</param>
    /// <param name="threads">Threads that compute.</param>
    public SourceContent(TensorFile file, string folder, int threads) => (_file, _folder, _threads) = (file, folder, threads);

    /// <summary>The hash: from the note, or computed and noted.</summary>
    /// <param name="cancel">Stops it.</param>
    public byte[] Identify(CancellationToken cancel)
    {
        byte[]? stamps = Stamps(static source => (source.Bytes as MemoryMappedStorage)?.Stamp, out long latest);
        byte[]? content = stamps is null ? null : ReadNote(stamps);
        if (content is null)
        {
            long now = (DateTime.UtcNow - DateTime.UnixEpoch).Ticks * 100;
            content = Hash(cancel);
            bool isSettled = stamps is not null && latest < now - (Tick.Ticks * 100)
                && Stamps(static source => FileStamp.Of(source.Path), out _).AsSpan().SequenceEqual(stamps);
            if (isSettled)
            {
                WriteNote(stamps!, content);
            }
        }

        return SHA256.HashData([.. content, .. Encoding.UTF8.GetBytes(Table())]);
    }

    /// <summary>Paths and stamps of all files in one piece; null where one has none.</summary>
    private byte[]? Stamps(Func<TensorSource, FileStamp?> stampOf, out long latest)
    {
        var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("PUNANOTE"u8);
        latest = long.MinValue;
        foreach (TensorSource source in _file.Sources)
        {
            if (stampOf(source) is not { } stamp)
            {
                return null;
            }

            latest = Math.Max(latest, Math.Max(stamp.Modified, stamp.Changed));
            writer.Write(Path.GetFullPath(source.Path));
            writer.Write(stamp.Device);
            writer.Write(stamp.Inode);
            writer.Write(stamp.Length);
            writer.Write(stamp.Modified);
            writer.Write(stamp.Changed);
        }

        return stream.ToArray();
    }

    private byte[] Hash(CancellationToken cancel)
    {
        Span<byte> length = stackalloc byte[sizeof(long)];
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (TensorSource source in _file.Sources)
        {
            Storage bytes = source.Bytes;
            var pieces = new byte[(int)((bytes.ByteLength + Piece - 1) / Piece)][];
            Parallel.For(0, pieces.Length, new ParallelOptions { MaxDegreeOfParallelism = _threads, CancellationToken = cancel }, i =>
            {
                nint at = (nint)i * Piece;
                int count = (int)Math.Min(Piece, bytes.ByteLength - at);
                pieces[i] = SHA256.HashData(bytes.Span<byte>(at, count));
                bytes.GiveBack(at, count);
            });
            BinaryPrimitives.WriteInt64LittleEndian(length, bytes.ByteLength);
            all.AppendData(length);
            foreach (byte[] piece in pieces)
            {
                all.AppendData(piece);
            }
        }

        return all.GetHashAndReset();
    }

    // An index or other settings may make other tensors of the same files. What the files are called says nothing.
    private string Table()
    {
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (TensorSource source in _file.Sources)
        {
            numbers.TryAdd(source.Path, numbers.Count);
        }

        var text = new StringBuilder();
        foreach (TensorInfo tensor in _file.Tensors)
        {
            text.Append(CultureInfo.InvariantCulture, $"{tensor.Name}\n{tensor.DType.Name()}{tensor.Shape} {numbers.GetValueOrDefault(tensor.File, -1)} {tensor.Offset}\n");
        }

        return text.ToString();
    }

    private string NotePath()
    {
        // One note for the same files, whatever their stamps: a new one takes the place of the old.
        string names = string.Join('\n', _file.Sources.Select(static source => Path.GetFullPath(source.Path)));
        return Path.Combine(_folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(names)).AsSpan(0, 16)) + ".source");
    }

    /// <summary>The hash noted for exactly these stamps, or null. A note is the stamps, the hash and a checksum of both; anything else counts as none.</summary>
    private byte[]? ReadNote(byte[] stamps)
    {
        string path = NotePath();
        int length = stamps.Length + SHA256.HashSizeInBytes + LaneChecksum.Bytes;
        try
        {
            if (!File.Exists(path) || new FileInfo(path).Length != length)
            {
                return null;
            }

            byte[] note = File.ReadAllBytes(path);
            return note.Length == length && note.AsSpan(0, stamps.Length).SequenceEqual(stamps)
                && BinaryPrimitives.ReadUInt128LittleEndian(note.AsSpan(length - LaneChecksum.Bytes)) == LaneChecksum.Of(note.AsSpan(0, length - LaneChecksum.Bytes))
                ? note[stamps.Length..^LaneChecksum.Bytes]
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Then the files are read.
        }
    }

    private void WriteNote(byte[] stamps, byte[] content)
    {
        byte[] note = [.. stamps, .. content, .. new byte[LaneChecksum.Bytes]];
        BinaryPrimitives.WriteUInt128LittleEndian(note.AsSpan(note.Length - LaneChecksum.Bytes), LaneChecksum.Of(note.AsSpan(0, note.Length - LaneChecksum.Bytes)));
        try
        {
            Directory.CreateDirectory(_folder);
            StagedFiles.Write(NotePath(), note);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PunaException)
        {
            // Then the files are read each time. That the folder cannot be written is told where a packed form should be.
        }
    }
}
