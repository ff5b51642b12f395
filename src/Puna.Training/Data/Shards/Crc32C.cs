using System.Buffers.Binary;
using System.Numerics;

namespace Puna.Training.Data;

/// <summary>CRC-32C (RFC 3720, appendix B.4), piece by piece.</summary>
internal static class Crc32C
{
    /// <summary>The checksum of data whose checksum is <paramref name="crc"/> (0 for none) followed by <paramref name="bytes"/>.</summary>
    public static uint Append(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        while (bytes.Length >= sizeof(ulong))
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }

        foreach (byte b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return ~crc;
    }
}
