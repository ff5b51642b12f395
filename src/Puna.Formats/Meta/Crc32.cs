using System.Buffers.Binary;

namespace Puna.Formats.Meta;

/// <summary>The checksum of zip files: CRC-32 with the reflected polynomial 0xEDB88320 (ISO 3309), eight bytes a step.</summary>
public static class Crc32
{
    private static readonly uint[][] _tables = MakeTables();

    /// <summary>The checksum of <paramref name="bytes"/> appended to data whose checksum is <paramref name="crc"/> (0 for none).</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        uint[] t0 = _tables[0], t1 = _tables[1], t2 = _tables[2], t3 = _tables[3], t4 = _tables[4], t5 = _tables[5], t6 = _tables[6], t7 = _tables[7];
        uint state = ~crc;
        while (bytes.Length >= 8)
        {
            uint low = BinaryPrimitives.ReadUInt32LittleEndian(bytes) ^ state;
            uint high = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
            state = t7[(byte)low] ^ t6[(byte)(low >> 8)] ^ t5[(byte)(low >> 16)] ^ t4[low >> 24]
                ^ t3[(byte)high] ^ t2[(byte)(high >> 8)] ^ t1[(byte)(high >> 16)] ^ t0[high >> 24];
            bytes = bytes[8..];
        }

        foreach (byte b in bytes)
        {
            state = t0[(byte)(state ^ b)] ^ (state >> 8);
        }

        return ~state;
    }

    private static uint[][] MakeTables()
    {
        var tables = new uint[8][];
        tables[0] = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
            {
                value = (value >> 1) ^ ((value & 1) * 0xEDB88320);
            }

            tables[0][i] = value;
        }

        for (int k = 1; k < 8; k++)
        {
            tables[k] = [.. tables[k - 1].Select(x => tables[0][(byte)x] ^ (x >> 8))];
        }

        return tables;
    }
}
