using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Puna.Formats.Packed;

/// <summary>
/// A checksum of 128 bits against damage, not against malice: four CRC-32C, the first over the 64-bit words 0, 4, 8, ..., the second over 1, 5, 9, ... and so on; the end is
/// filled up with zeros to 32 bytes, and the length follows in each. A change within 32 neighbouring bits is always found, as is a change of any two bits of one
/// lane; any other escapes with probability 2^-32 for each lane it touches.
/// </summary>
/// <remarks>Four lanes, because a processor's instruction for it takes three cycles and can begin each cycle: it keeps up with memory.</remarks>
public static class LaneChecksum
{
    /// <summary>Bytes of a checksum.</summary>
    public const int Bytes = 16;

    private const int StepBytes = 32;

    /// <summary>The checksum of some bytes, as a number whose lowest 32 bits are the first lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static UInt128 Of(ReadOnlySpan<byte> bytes)
    {
        uint a = uint.MaxValue, b = uint.MaxValue, c = uint.MaxValue, d = uint.MaxValue;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        int whole = bytes.Length / StepBytes * 4;
        for (int i = 0; i + 3 < whole; i += 4)
        {
            a = BitOperations.Crc32C(a, words[i]);
            b = BitOperations.Crc32C(b, words[i + 1]);
            c = BitOperations.Crc32C(c, words[i + 2]);
            d = BitOperations.Crc32C(d, words[i + 3]);
        }

        if (bytes.Length % StepBytes != 0)
        {
            Span<byte> end = stackalloc byte[StepBytes];
            end.Clear();
            bytes[(whole * 8)..].CopyTo(end);
            a = BitOperations.Crc32C(a, BinaryPrimitives.ReadUInt64LittleEndian(end));
            b = BitOperations.Crc32C(b, BinaryPrimitives.ReadUInt64LittleEndian(end[8..]));
            c = BitOperations.Crc32C(c, BinaryPrimitives.ReadUInt64LittleEndian(end[16..]));
            d = BitOperations.Crc32C(d, BinaryPrimitives.ReadUInt64LittleEndian(end[24..]));
        }

        ulong length = (ulong)bytes.Length;
        a = BitOperations.Crc32C(a, length);
        b = BitOperations.Crc32C(b, length);
        c = BitOperations.Crc32C(c, length);
        d = BitOperations.Crc32C(d, length);
        return new UInt128(((ulong)d << 32) | c, ((ulong)b << 32) | a);
    }
}
