using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace Puna.Text.Vocabularies;

/// <summary>
/// Hash of a short byte string, seeded per process so that a vocabulary file cannot be built to collide. Multiply and fold, eight bytes at a time.
/// </summary>
internal static class ByteHash
{
    private const ulong Odd = 0x9E3779B97F4A7C15;
    private static readonly ulong Seed = (ulong)Random.Shared.NextInt64() | 1;

    /// <summary>The hash of the bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        int length = bytes.Length;
        ulong a, b;
        if (length >= 8)
        {
            if (length > 16)
            {
                return Long(bytes);
            }

            a = BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            b = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(length - 8)..]);
        }
        else if (length >= 4)
        {
            a = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            b = BinaryPrimitives.ReadUInt32LittleEndian(bytes[(length - 4)..]);
        }
        else if (length > 0)
        {
            a = bytes[0];
            b = (ulong)bytes[length >> 1] | ((ulong)bytes[length - 1] << 8);
        }
        else
        {
            a = b = 0;
        }

        return Mix(a ^ Seed, b ^ (Odd + (ulong)length));
    }

    /// <summary>The hash of a pair of ids.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Of(ulong pair) => Mix(pair ^ Seed, Odd);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }

    private static ulong Long(ReadOnlySpan<byte> bytes)
    {
        ulong hash = Seed ^ (ulong)bytes.Length;
        ReadOnlySpan<byte> rest = bytes;
        while (rest.Length > 16)
        {
            hash = Mix(BinaryPrimitives.ReadUInt64LittleEndian(rest) ^ hash, BinaryPrimitives.ReadUInt64LittleEndian(rest[8..]) ^ Odd);
            rest = rest[16..];
        }

        ReadOnlySpan<byte> last = bytes[^16..];
        return Mix(BinaryPrimitives.ReadUInt64LittleEndian(last) ^ hash, BinaryPrimitives.ReadUInt64LittleEndian(last[8..]) ^ Odd);
    }
}
