using System.Buffers.Binary;
using System.Text;

namespace Puna.Formats.Tests.Meta;

/// <summary>Assembles zip files by hand, right and wrong ones; shares nothing with the code under test. Checksums are 0 unless given.</summary>
internal sealed class ZipBytes
{
    private readonly MemoryStream _central = new();
    private readonly Stream _file;
    private int _count;

    public ZipBytes(Stream? file = null) => _file = file ?? new MemoryStream();

    /// <summary>Where the record of the next entry begins, in the central directory.</summary>
    public long CentralLength => _central.Length;

    public long Position => _file.Position;

    /// <summary>A torch file with this pickle and these storages, keys 0, 1, 2 ...; every entry begins at an even offset unless told otherwise.</summary>
    public static byte[] Torch(byte[] pickle, params byte[][] storages)
    {
        var zip = new ZipBytes();
        zip.Add("archive/data.pkl", pickle);
        for (int i = 0; i < storages.Length; i++)
        {
            zip.Add($"archive/data/{i}", storages[i]);
        }

        return zip.End();
    }

    /// <summary>Adds an entry. A null length means what the data has; with <paramref name="wide"/> sizes are in zip64 fields.</summary>
    public ZipBytes Add(string name, byte[] data, int flags = 0, int method = 0, bool wide = false, bool wideOffset = false, uint crc = 0,
        long? length = null, long? offset = null, int align = 4, string? localName = null, uint? localCrc = null, long? localLength = null)
    {
        byte[] rawName = Encoding.UTF8.GetBytes(name), rawLocal = Encoding.UTF8.GetBytes(localName ?? name);
        long start = _file.Position, size = length ?? data.Length;
        bool descriptor = (flags & 8) != 0;
        int before = 30 + rawLocal.Length + (wide && !descriptor ? 20 : 0);
        int padding = (int)((align - ((start + before + 4) % align)) % align);
        long there = descriptor ? 0 : localLength ?? size;
        var local = new Fields().U32(0x04034b50).U16(20).U16(flags).U16(method).U32(0).U32(descriptor ? 0 : localCrc ?? crc);
        local.U32(wide && !descriptor ? uint.MaxValue : there).U32(wide && !descriptor ? uint.MaxValue : there).U16(rawLocal.Length).U16(before - 30 - rawLocal.Length + 4 + padding).Raw(rawLocal);
        if (wide && !descriptor)
        {
            local.U16(1).U16(16).U64(there).U64(there);
        }

        local.U16(0x4246).U16(padding).Raw(new byte[padding]);
        _file.Write(local.Bytes);
        _file.Write(data);
        if (descriptor)
        {
            var after = new Fields().U32(0x08074b50).U32(localCrc ?? crc);
            _file.Write((wide ? after.U64(size).U64(size) : after.U32(size).U32(size)).Bytes);
        }

        long where = offset ?? start;
        int values = (wide ? 16 : 0) + (wideOffset ? 8 : 0);
        var record = new Fields().U32(0x02014b50).U16(45).U16(45).U16(flags).U16(method).U32(0).U32(crc);
        record.U32(wide ? uint.MaxValue : size).U32(wide ? uint.MaxValue : size).U16(rawName.Length).U16(values > 0 ? 4 + values : 0).U16(0).U16(0).U16(0).U32(0);
        record.U32(wideOffset ? uint.MaxValue : where).Raw(rawName);
        if (values > 0)
        {
            record.U16(1).U16(values);
        }

        if (wide)
        {
            record.U64(size).U64(size);
        }

        if (wideOffset)
        {
            record.U64(where);
        }

        _central.Write(record.Bytes);
        _count++;
        return this;
    }

    /// <summary>Writes bytes that belong to no entry.</summary>
    public ZipBytes Raw(params ReadOnlySpan<byte> bytes)
    {
        _file.Write(bytes);
        return this;
    }

    /// <summary>Leaves a hole in the file.</summary>
    public ZipBytes Skip(long bytes)
    {
        _file.Position += bytes;
        return this;
    }

    /// <summary>Writes the directory and the end record, and returns the file if it is in memory.</summary>
    public byte[] End(bool zip64 = false, long? count = null, long? length = null, long? start = null, string comment = "", int disk = 0)
    {
        long at = _file.Position;
        _central.Position = 0;
        _central.CopyTo(_file);
        long end = _file.Position;
        (long n, long size, long from) = (count ?? _count, length ?? _central.Length, start ?? at);
        if (zip64)
        {
            var wide = new Fields().U32(0x06064b50).U64(44).U16(45).U16(45).U32(0).U32(0).U64(n).U64(n).U64(size).U64(from);
            _file.Write(wide.U32(0x07064b50).U32(0).U64(end).U32(1).Bytes);
        }

        var record = new Fields().U32(0x06054b50).U16(disk).U16(disk).U16(zip64 ? ushort.MaxValue : n).U16(zip64 ? ushort.MaxValue : n);
        record.U32(zip64 ? uint.MaxValue : size).U32(zip64 ? uint.MaxValue : from).U16(comment.Length).Raw(Encoding.ASCII.GetBytes(comment));
        _file.Write(record.Bytes);
        return _file is MemoryStream memory ? memory.ToArray() : [];
    }

    private sealed class Fields
    {
        private readonly List<byte> _bytes = [];

        public byte[] Bytes => [.. _bytes];

        public Fields U16(long value) => Number(value, 2);

        public Fields U32(long value) => Number(value, 4);

        public Fields U64(long value) => Number(value, 8);

        public Fields Raw(byte[] bytes)
        {
            _bytes.AddRange(bytes);
            return this;
        }

        private Fields Number(long value, int bytes)
        {
            var raw = new byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(raw, value);
            _bytes.AddRange(raw.AsSpan(0, bytes));
            return this;
        }
    }
}
