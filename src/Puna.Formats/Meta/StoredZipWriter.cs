using System.Buffers.Binary;
using System.Text;

namespace Puna.Formats.Meta;

/// <summary>
/// Writes a zip file of stored entries as <c>torch.save</c> lays it out (spec llama1-3.md 3.1): the data of each begins at a multiple of 64 bytes. The length
/// of an entry is known before its data, so that sizes above 4 GB get their zip64 form; the checksum is put into the header afterwards.
/// </summary>
public sealed class StoredZipWriter
{
    /// <summary>Alignment of every entry's data in the file.</summary>
    public const int Alignment = 64;

    private const uint Saturated = uint.MaxValue;
    private const ushort Wide = 45; // "version needed" of zip64
    private const ushort Plain = 10;
    private const ushort Date = 0x0021; // 1980-01-01: the same input gives the same file

    private readonly List<Entry> _entries = [];
    private readonly Stream _stream;
    private readonly bool _wide;
    private uint _crc;
    private long _left = -1;

    /// <summary>Creates a writer at the beginning of a stream.</summary>
    /// <param name="stream">Empty, can write and seek; stays open.</param>
    /// <param name="alwaysZip64">Writes zip64 fields even where sizes do not need them.</param>
    public StoredZipWriter(Stream stream, bool alwaysZip64 = false)
    {
        _stream = stream;
        _wide = alwaysZip64;
    }

    /// <summary>Begins an entry; the one before must have been ended.</summary>
    /// <param name="name">Unique name, at most 65,535 bytes of UTF-8.</param>
    /// <param name="length">Bytes that will follow.</param>
    public void Begin(string name, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (_left >= 0)
        {
            throw new InvalidOperationException($"zip entry {_entries[^1].Name} has not been ended");
        }

        byte[] rawName = Encoding.UTF8.GetBytes(name);
        bool wide = _wide || length >= Saturated;
        long offset = _stream.Position;
        int before = 30 + rawName.Length + (wide ? 20 : 0) + 4;
        int padding = (int)((Alignment - ((offset + before) % Alignment)) % Alignment);
        var header = new LittleEndian(before + padding);
        header.U32(0x04034b50).U16(wide ? Wide : Plain).U16(0x0800).U16(0).U16(0).U16(Date);
        header.U32(0).U32(wide ? Saturated : (uint)length).U32(wide ? Saturated : (uint)length);
        header.U16(checked((ushort)rawName.Length)).U16((ushort)(before + padding - 30 - rawName.Length)).Raw(rawName);
        if (wide)
        {
            header.U16(1).U16(16).U64((ulong)length).U64((ulong)length);
        }

        header.U16(0x4246).U16((ushort)padding); // the field torch pads with, "FB"
        _stream.Write(header.Bytes);
        _entries.Add(new Entry(name, rawName, offset, length, 0));
        _left = length;
        _crc = 0;
    }

    /// <summary>Writes the next bytes of the entry.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > _left)
        {
            throw new InvalidOperationException($"zip: expected at most {_left} more bytes, got {bytes.Length}");
        }

        _crc = Crc32.Append(_crc, bytes);
        _stream.Write(bytes);
        _left -= bytes.Length;
    }

    /// <summary>Ends the entry, all of whose bytes must have been written.</summary>
    public void End()
    {
        if (_left != 0)
        {
            throw new InvalidOperationException($"zip: expected {_left} more bytes before the end of the entry");
        }

        long end = _stream.Position;
        Span<byte> crc = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(crc, _crc);
        _stream.Position = _entries[^1].Offset + 14;
        _stream.Write(crc);
        _stream.Position = end;
        _entries[^1] = _entries[^1] with { Crc = _crc };
        _left = -1;
    }

    /// <summary>Writes a whole entry.</summary>
    public void Add(string name, ReadOnlySpan<byte> bytes)
    {
        Begin(name, bytes.Length);
        Write(bytes);
        End();
    }

    /// <summary>Writes the directory; nothing may follow.</summary>
    public void Finish()
    {
        long start = _stream.Position;
        foreach (Entry entry in _entries)
        {
            WriteRecord(entry);
        }

        long length = _stream.Position - start;
        bool wide = _wide || start >= Saturated || length >= Saturated || _entries.Count >= ushort.MaxValue;
        var end = new LittleEndian((wide ? 56 + 20 : 0) + 22);
        if (wide)
        {
            end.U32(0x06064b50).U64(44).U16(Wide).U16(Wide).U32(0).U32(0);
            end.U64((ulong)_entries.Count).U64((ulong)_entries.Count).U64((ulong)length).U64((ulong)start);
            end.U32(0x07064b50).U32(0).U64((ulong)(start + length)).U32(1);
        }

        var count = (ushort)Math.Min(_entries.Count, ushort.MaxValue);
        end.U32(0x06054b50).U16(0).U16(0).U16(count).U16(count).U32((uint)Math.Min(length, Saturated)).U32((uint)Math.Min(start, Saturated)).U16(0);
        _stream.Write(end.Bytes);
    }

    private void WriteRecord(Entry entry)
    {
        bool wideLength = _wide || entry.Length >= Saturated, wideOffset = _wide || entry.Offset >= Saturated;
        int values = (wideLength ? 16 : 0) + (wideOffset ? 8 : 0), extra = values > 0 ? 4 + values : 0;
        uint length = wideLength ? Saturated : (uint)entry.Length;
        var record = new LittleEndian(46 + entry.RawName.Length + extra);
        record.U32(0x02014b50).U16(Wide).U16(extra > 0 ? Wide : Plain).U16(0x0800).U16(0).U16(0).U16(Date);
        record.U32(entry.Crc).U32(length).U32(length).U16((ushort)entry.RawName.Length).U16((ushort)extra).U16(0).U16(0).U16(0).U32(0);
        record.U32(wideOffset ? Saturated : (uint)entry.Offset).Raw(entry.RawName);
        if (extra > 0)
        {
            record.U16(1).U16((ushort)values);
        }

        if (wideLength)
        {
            record.U64((ulong)entry.Length).U64((ulong)entry.Length);
        }

        if (wideOffset)
        {
            record.U64((ulong)entry.Offset);
        }

        _stream.Write(record.Bytes);
    }

    private readonly record struct Entry(string Name, byte[] RawName, long Offset, long Length, uint Crc);

    /// <summary>A record of known size, filled from the front; what is left stays zero.</summary>
    private sealed class LittleEndian(int size)
    {
        private readonly byte[] _bytes = new byte[size];
        private int _at;

        public ReadOnlySpan<byte> Bytes => _bytes;

        public LittleEndian U16(ushort value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(_at), value);
            _at += 2;
            return this;
        }

        public LittleEndian U32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(_at), value);
            _at += 4;
            return this;
        }

        public LittleEndian U64(ulong value)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(_bytes.AsSpan(_at), value);
            _at += 8;
            return this;
        }

        public LittleEndian Raw(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_bytes.AsSpan(_at));
            _at += bytes.Length;
            return this;
        }
    }
}
