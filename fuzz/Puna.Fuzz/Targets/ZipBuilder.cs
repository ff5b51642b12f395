using System.Text;

namespace Puna.Fuzz.Targets;

/// <summary>
/// Builds zip files that are right but for a few lies in the fields of their headers, directory and end records. Written apart from the project's own writer,
/// whose guards would be in the way.
/// </summary>
internal sealed class ZipBuilder
{
    private readonly FuzzRandom _random;
    private readonly MemoryStream _stream = new();
    private readonly BinaryWriter _writer;
    private int _lies;

    private ZipBuilder(FuzzRandom random, int lies)
    {
        _random = random;
        _lies = lies;
        _writer = new BinaryWriter(_stream);
    }

    /// <summary>A file of these entries, stored, with at most <paramref name="lies"/> lies; zip64 fields and data descriptors as chance has it.</summary>
    public static byte[] Build(FuzzRandom random, int lies, IReadOnlyList<(string Name, byte[] Data)> entries) => new ZipBuilder(random, lies).Build(entries);

    private byte[] Build(IReadOnlyList<(string Name, byte[] Data)> entries)
    {
        var records = new List<byte[]>();
        foreach ((string name, byte[] data) in entries)
        {
            records.Add(Entry(name, data));
            if (_lies > 0 && _random.OneIn(30))
            {
                records.Add(records[^1]); // the same entry twice
                _lies--;
            }
        }

        long start = _stream.Position;
        foreach (byte[] record in records)
        {
            _writer.Write(record);
        }

        long end = _stream.Position;
        bool wide = _random.OneIn(2);
        if (wide)
        {
            _writer.Write(U32(0x06064b50));
            _writer.Write(Lie(44));
            _writer.Write(U16(45));
            _writer.Write(U16(45));
            _writer.Write(U32(0));
            _writer.Write(U32(0));
            ulong count = Lie((ulong)records.Count);
            _writer.Write(count);
            _writer.Write(_random.OneIn(20) ? Lie(count) : count);
            _writer.Write(Lie((ulong)(end - start)));
            _writer.Write(Lie((ulong)start));
            _writer.Write(U32(0x07064b50));
            _writer.Write(U32(0));
            _writer.Write(Lie((ulong)end));
            _writer.Write(U32(1));
        }

        bool saturated = wide && _random.OneIn(2);
        _writer.Write(U32(0x06054b50));
        _writer.Write(U16(0));
        _writer.Write(U16(0));
        ushort small = U16(saturated ? ushort.MaxValue : (ushort)records.Count);
        _writer.Write(small);
        _writer.Write(small);
        _writer.Write(U32(saturated ? uint.MaxValue : (uint)(end - start)));
        _writer.Write(U32(saturated ? uint.MaxValue : (uint)start));
        byte[] comment = new byte[_random.OneIn(4) ? _random.Below(30) : 0];
        _writer.Write(U16((ushort)comment.Length));
        _writer.Write(comment);
        _writer.Flush();
        return _stream.ToArray();
    }

    /// <summary>Writes header, data and perhaps a descriptor; returns the directory's record.</summary>
    private byte[] Entry(string name, byte[] data)
    {
        byte[] rawName = Encoding.UTF8.GetBytes(name);
        bool descriptor = _random.OneIn(3), wide = _random.OneIn(4), wideOffset = _random.OneIn(4);
        ushort flags = (ushort)(descriptor ? 0x808 : 0);
        uint crc = (uint)_random.Next(), length = (uint)data.Length;
        long offset = _stream.Position;
        byte[] padding = new byte[_random.Below(70)];
        bool wideHeader = wide && !descriptor;

        _writer.Write(U32(0x04034b50));
        _writer.Write(U16(20));
        _writer.Write(U16(flags));
        _writer.Write(U16(0));
        _writer.Write(0u);
        _writer.Write(U32(descriptor ? 0 : crc));
        _writer.Write(U32(wideHeader ? uint.MaxValue : descriptor ? 0 : length));
        _writer.Write(U32(wideHeader ? uint.MaxValue : descriptor ? 0 : length));
        _writer.Write(U16((ushort)rawName.Length));
        _writer.Write(U16((ushort)((wideHeader ? 20 : 0) + 4 + padding.Length)));
        _writer.Write(rawName);
        if (wideHeader)
        {
            _writer.Write(U16(1));
            _writer.Write(U16(16));
            _writer.Write(Lie(length));
            _writer.Write(Lie(length));
        }

        _writer.Write(U16(0x4246));
        _writer.Write(U16((ushort)padding.Length));
        _writer.Write(padding);
        _writer.Write(data);
        if (descriptor)
        {
            _writer.Write(U32(0x08074b50));
            _writer.Write(U32(crc));
            _writer.Write(new byte[wide ? 16 : 8]);
        }

        return Record(rawName, flags, crc, length, (uint)offset, wide, wideOffset);
    }

    private byte[] Record(byte[] rawName, ushort flags, uint crc, uint length, uint offset, bool wide, bool wideOffset)
    {
        using var stream = new MemoryStream();
        using var record = new BinaryWriter(stream);
        int values = (wide ? 16 : 0) + (wideOffset ? 8 : 0);
        record.Write(U32(0x02014b50));
        record.Write(U16(45));
        record.Write(U16(45));
        record.Write(U16(flags));
        record.Write(U16(0));
        record.Write(0u);
        record.Write(U32(crc));
        record.Write(U32(wide ? uint.MaxValue : length));
        record.Write(U32(wide ? uint.MaxValue : length));
        record.Write(U16((ushort)rawName.Length));
        record.Write(U16((ushort)(values > 0 ? 4 + values : 0)));
        record.Write(U16(0));
        record.Write(U16(0));
        record.Write(U16(0));
        record.Write(0u);
        record.Write(U32(wideOffset ? uint.MaxValue : offset));
        record.Write(rawName);
        if (values > 0)
        {
            record.Write(U16(1));
            record.Write(U16((ushort)values));
        }

        if (wide)
        {
            record.Write(Lie(length));
            record.Write(Lie(length));
        }

        if (wideOffset)
        {
            record.Write(Lie(offset));
        }

        record.Flush();
        return stream.ToArray();
    }

    private ulong Lie(ulong truth)
    {
        if (_lies > 0 && _random.OneIn(25))
        {
            _lies--;
            return _random.Interesting(truth);
        }

        return truth;
    }

    private uint U32(uint truth) => (uint)Lie(truth);

    private ushort U16(ushort truth) => (ushort)Lie(truth);
}
