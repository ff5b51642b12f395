using System.Buffers.Binary;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>
/// The directory of a zip file whose entries are stored without compression, as <c>torch.save</c> writes it (spec llama1-3.md 3.1): the data of an entry
/// can then be used where it lies in a mapped file. Zip64 and data descriptors are understood; compressed, encrypted, split and self-contradicting
/// archives are refused.
/// </summary>
public sealed class StoredZip
{
    /// <summary>The most entries that are read; a checkpoint has a few per tensor.</summary>
    public const int MaxEntries = 1 << 17;

    private const int MaxDirectoryBytes = 1 << 26;
    private const int EndBytes = 22;
    private const int LocatorBytes = 20;
    private const int End64Bytes = 56;
    private const int CentralBytes = 46;
    private const int LocalBytes = 30;
    private const uint Saturated = uint.MaxValue;

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly OrderedDictionary<string, StoredZipEntry> _entries = new(StringComparer.Ordinal);
    private readonly Storage _storage;
    private readonly string _file;

    private StoredZip(Storage storage, string file)
    {
        _storage = storage;
        _file = file;
    }

    /// <summary>Entries by name, in the order of the central directory.</summary>
    public IReadOnlyDictionary<string, StoredZipEntry> Entries => _entries;

    /// <summary>Reads and checks the directory: every entry lies inside the file, before the directory, and overlaps no other.</summary>
    /// <param name="storage">The whole file.</param>
    /// <param name="file">Path for error messages.</param>
    /// <exception cref="FileFormatException">It is no such zip file; the message says where.</exception>
    public static StoredZip Read(Storage storage, string file)
    {
        var zip = new StoredZip(storage, file);
        zip.ReadDirectory(zip.FindDirectory());
        return zip;
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static string MethodName(int method) => method switch
    {
        8 => "8 (deflate)",
        9 => "9 (deflate64)",
        12 => "12 (bzip2)",
        14 => "14 (LZMA)",
        93 => "93 (Zstandard)",
        _ => $"{method}",
    };

    /// <summary>Bytes of the file; the range must have been checked.</summary>
    private ReadOnlySpan<byte> Bytes(long offset, int count) => _storage.Span<byte>(checked((nint)offset), count);

    private FileFormatException Error(string message, long offset = -1) => new(_file, message, offset);

    /// <summary>Finds the end record (and its zip64 form, which wins) and returns where the central directory is.</summary>
    private DirectoryPlace FindDirectory()
    {
        long length = _storage.ByteLength;
        int tail = (int)Math.Min(length, EndBytes + ushort.MaxValue);
        ReadOnlySpan<byte> bytes = Bytes(length - tail, tail);
        int at = tail - EndBytes;
        while (at >= 0 && !(U32(bytes, at) == 0x06054b50 && U16(bytes, at + 20) == tail - EndBytes - at))
        {
            at--;
        }

        if (at < 0)
        {
            throw Error($"zip: expected an end record, got none in {length} bytes: not a zip file, or cut off");
        }

        bytes = bytes[at..];
        long end = length - tail + at;
        var directory = new DirectoryPlace(U16(bytes, 10), U32(bytes, 12), U32(bytes, 16), end);
        if (U16(bytes, 4) is not (0 or ushort.MaxValue) || U16(bytes, 6) is not (0 or ushort.MaxValue) || U16(bytes, 8) != U16(bytes, 10))
        {
            throw Error("zip: expected one file, got a split archive", end);
        }

        if (end >= LocatorBytes && Bytes(end - LocatorBytes, LocatorBytes) is var locator && U32(locator, 0) == 0x07064b50)
        {
            directory = ReadEnd64(locator, end - LocatorBytes, directory);
        }

        if (directory.Count > MaxEntries)
        {
            throw Error($"zip: expected at most {MaxEntries} entries, got {directory.Count}", end);
        }

        if (directory.Length > MaxDirectoryBytes || directory.Length < directory.Count * CentralBytes)
        {
            throw Error($"zip: expected a directory of {directory.Count * CentralBytes} to {MaxDirectoryBytes} bytes for {directory.Count} entries, got {directory.Length}", end);
        }

        if (directory.Offset > directory.End || directory.Length != directory.End - directory.Offset)
        {
            throw Error($"zip: expected the directory to end at byte {directory.End}, got {directory.Length} bytes at {directory.Offset}", end);
        }

        return directory;
    }

    private DirectoryPlace ReadEnd64(ReadOnlySpan<byte> locator, long locatorAt, DirectoryPlace classic)
    {
        ulong at = U64(locator, 8);
        if (U32(locator, 4) != 0 || U32(locator, 16) > 1)
        {
            throw Error("zip: expected one file, got a split archive", locatorAt);
        }

        if (locatorAt < End64Bytes || at > (ulong)(locatorAt - End64Bytes))
        {
            throw Error($"zip: expected the zip64 end record before byte {locatorAt}, got offset {at}", locatorAt);
        }

        ReadOnlySpan<byte> bytes = Bytes((long)at, End64Bytes);
        if (U32(bytes, 0) != 0x06064b50 || U64(bytes, 4) != (ulong)locatorAt - at - 12)
        {
            throw Error("zip: expected a zip64 end record", (long)at);
        }

        if (U32(bytes, 16) != 0 || U32(bytes, 20) != 0 || U64(bytes, 24) != U64(bytes, 32))
        {
            throw Error("zip: expected one file, got a split archive", (long)at);
        }

        ulong count = U64(bytes, 32), length = U64(bytes, 40), offset = U64(bytes, 48);
        if (!Agrees((ulong)classic.Count, count, ushort.MaxValue) || !Agrees((ulong)classic.Length, length, Saturated)
            || !Agrees((ulong)classic.Offset, offset, Saturated))
        {
            throw Error("zip: expected the end record to agree with the zip64 end record", (long)at);
        }

        if (Math.Max(count, Math.Max(length, offset)) > long.MaxValue / 64)
        {
            throw Error($"zip: expected a directory inside {_storage.ByteLength} bytes, got {count} entries, {length} bytes at {offset}", (long)at);
        }

        return new DirectoryPlace((long)count, (long)length, (long)offset, (long)at);

        static bool Agrees(ulong small, ulong large, ulong saturated) => small == large || small == saturated;
    }

    private void ReadDirectory(DirectoryPlace directory)
    {
        var records = new List<(long Start, long End, string Name)>((int)directory.Count);
        ReadOnlySpan<byte> bytes = Bytes(directory.Offset, (int)directory.Length);
        int at = 0;
        for (long i = 0; i < directory.Count; i++)
        {
            long where = directory.Offset + at;
            ReadOnlySpan<byte> rest = bytes[at..];
            if (rest.Length < CentralBytes || U32(rest, 0) != 0x02014b50)
            {
                throw Error($"zip: expected directory record {i + 1} of {directory.Count}", where);
            }

            int nameLength = U16(rest, 28), extraLength = U16(rest, 30), recordLength = CentralBytes + nameLength + extraLength + U16(rest, 32);
            if (recordLength > rest.Length)
            {
                throw Error($"zip: expected {recordLength} bytes of directory record {i + 1}, got {rest.Length}", where);
            }

            ReadOnlySpan<byte> name = rest.Slice(CentralBytes, nameLength);
            records.Add(ReadEntry(rest[..CentralBytes], name, rest.Slice(CentralBytes + nameLength, extraLength), where, directory.Offset));
            at += recordLength;
        }

        if (at != bytes.Length)
        {
            throw Error($"zip: expected a directory of {at} bytes, got {bytes.Length}", directory.Offset + at);
        }

        records.Sort(static (a, b) => a.Start.CompareTo(b.Start));
        for (int i = 1; i < records.Count; i++)
        {
            if (records[i].Start < records[i - 1].End)
            {
                (string name, (_, long end, string before)) = (records[i].Name, records[i - 1]);
                throw Error($"zip entry {name}: expected to begin after {before}, which ends at byte {end}: entries overlap", records[i].Start);
            }
        }
    }

    private (long Start, long End, string Name) ReadEntry(ReadOnlySpan<byte> central, ReadOnlySpan<byte> rawName, ReadOnlySpan<byte> extra, long where, long limit)
    {
        string name;
        try
        {
            name = _strict.GetString(rawName);
        }
        catch (DecoderFallbackException e)
        {
            throw new FileFormatException(_file, "zip: expected an entry name in UTF-8", where, e);
        }

        int flags = U16(central, 8), method = U16(central, 10);
        if ((flags & 0x2041) != 0)
        {
            throw Error($"zip entry {name}: expected plain data, got an encrypted entry", where);
        }

        if (method != 0 || (flags & 0x20) != 0)
        {
            throw Error($"zip entry {name}: expected stored data, got compression method {MethodName(method)}", where);
        }

        if (U16(central, 34) is not (0 or ushort.MaxValue))
        {
            throw Error($"zip entry {name}: expected one file, got a split archive", where);
        }

        (ulong length, ulong packed, ulong offset) = (U32(central, 24), U32(central, 20), U32(central, 42));
        if (!Widen(extra, ref length, ref packed, ref offset))
        {
            throw Error($"zip entry {name}: expected 64-bit sizes in its directory record", where);
        }

        if (length != packed)
        {
            throw Error($"zip entry {name}: expected as many stored bytes as it has, got {packed} of {length}", where);
        }

        if (offset > (ulong)limit || (ulong)limit - offset < LocalBytes || (ulong)limit - offset - LocalBytes < length)
        {
            throw Error($"zip entry {name}: expected {length} bytes before the directory at {limit}, got offset {offset}", where);
        }

        uint crc = U32(central, 16);
        long data = CheckLocal((long)offset, name, rawName, flags, crc, length, limit);
        if (!_entries.TryAdd(name, new StoredZipEntry(name, data, (long)length, crc)))
        {
            throw Error($"zip entry {name}: expected a name that occurs once", where);
        }

        long end = data + (long)length;
        if ((flags & 8) != 0 && limit - end >= 16 && Bytes(end, 8) is var descriptor && U32(descriptor, 0) == 0x08074b50)
        {
            if (U32(descriptor, 4) != crc)
            {
                throw Error($"zip entry {name}: expected checksum {crc:x8} after its data, got {U32(descriptor, 4):x8}", end);
            }

            end += 16; // or 24, but how wide its sizes are cannot be told; the shorter form keeps neighbours apart as well
        }

        return ((long)offset, end, name);
    }

    /// <summary>Checks the header in front of an entry's data against its directory record; returns where the data begins.</summary>
    private long CheckLocal(long offset, string name, ReadOnlySpan<byte> rawName, int flags, uint crc, ulong length, long limit)
    {
        ReadOnlySpan<byte> local = Bytes(offset, LocalBytes);
        int extraLength = U16(local, 28);
        if (U32(local, 0) != 0x04034b50)
        {
            throw Error($"zip entry {name}: expected its header", offset);
        }

        long data = offset + LocalBytes + rawName.Length + extraLength;
        if (data > limit || (ulong)(limit - data) < length)
        {
            throw Error($"zip entry {name}: expected {length} bytes before the directory at {limit}, got data at {data}", offset);
        }

        if (U16(local, 26) != rawName.Length || !Bytes(offset + LocalBytes, rawName.Length).SequenceEqual(rawName)
            || U16(local, 8) != 0 || ((U16(local, 6) ^ flags) & 0x2069) != 0)
        {
            throw Error($"zip entry {name}: expected its header to agree with the directory", offset);
        }

        if ((flags & 8) == 0)
        {
            // Without a descriptor after the data, the header itself has checksum and sizes.
            (ulong localLength, ulong localPacked, ulong none) = (U32(local, 22), U32(local, 18), 0);
            bool wide = Widen(Bytes(offset + LocalBytes + rawName.Length, extraLength), ref localLength, ref localPacked, ref none);
            if (!wide || localLength != length || localPacked != length || U32(local, 14) != crc)
            {
                throw Error($"zip entry {name}: expected {length} bytes with checksum {crc:x8} in its header, got {localLength} with {U32(local, 14):x8}", offset);
            }
        }

        return data;
    }

    /// <summary>Replaces saturated 32-bit fields by their 64-bit values from the zip64 extra field; false where they are missing or absurd.</summary>
    private static bool Widen(ReadOnlySpan<byte> extra, ref ulong length, ref ulong packed, ref ulong offset)
    {
        if (length != Saturated && packed != Saturated && offset != Saturated)
        {
            return true;
        }

        while (extra.Length >= 4)
        {
            int size = U16(extra, 2);
            if (size > extra.Length - 4)
            {
                return false;
            }

            if (U16(extra, 0) == 1)
            {
                ReadOnlySpan<byte> values = extra.Slice(4, size);
                return Next(ref values, ref length) && Next(ref values, ref packed) && Next(ref values, ref offset);
            }

            extra = extra[(4 + size)..];
        }

        return false;

        static bool Next(ref ReadOnlySpan<byte> values, ref ulong field)
        {
            if (field != Saturated)
            {
                return true;
            }

            if (values.Length < 8)
            {
                return false;
            }

            field = U64(values, 0);
            values = values[8..];
            return field <= long.MaxValue;
        }
    }

    private readonly record struct DirectoryPlace(long Count, long Length, long Offset, long End);
}
