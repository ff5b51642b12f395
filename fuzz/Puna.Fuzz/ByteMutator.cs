using System.Buffers.Binary;

namespace Puna.Fuzz;

/// <summary>Changes bytes without knowing what they mean.</summary>
public static class ByteMutator
{
    private const int MaxLength = 1 << 16;

    /// <summary>A changed copy of <paramref name="input"/>, one to six changes away; other inputs serve as sources of pieces.</summary>
    public static byte[] Mutate(FuzzRandom random, byte[] input, IReadOnlyList<byte[]> others)
    {
        byte[] bytes = [.. input];
        for (int changes = random.Changes(6); changes > 0; changes--)
        {
            bytes = Change(random, bytes, others);
        }

        return bytes.Length <= MaxLength ? bytes : bytes[..MaxLength];
    }

    private static byte[] Change(FuzzRandom random, byte[] bytes, IReadOnlyList<byte[]> others)
    {
        if (bytes.Length == 0)
        {
            return random.Bytes(random.Below(16));
        }

        int at = Position(random, bytes.Length);
        int length = 1 + random.Below(Math.Min(random.Pick(4, 16, 64, bytes.Length), bytes.Length - at));
        switch (random.Below(12))
        {
            case 0:
                bytes[at] ^= (byte)(1 << random.Below(8));
                return bytes;
            case 1:
                bytes[at] = (byte)random.Next();
                return bytes;
            case 2 or 3 or 4:
                int width = Math.Min(random.Pick(1, 2, 4, 8), bytes.Length - at);
                width = width is 3 ? 2 : width is > 4 and < 8 ? 4 : width;
                random.Write(bytes.AsSpan(at, width), random.Interesting(Value(bytes.AsSpan(at, width))));
                return bytes;
            case 5:
                return bytes[..at]; // cut off
            case 6:
                return [.. bytes, .. random.OneIn(2) ? random.Bytes(random.Below(64)) : new byte[random.Below(64)]];
            case 7:
                return [.. bytes.AsSpan(0, at), .. bytes.AsSpan(at + length)]; // delete
            case 8:
                return [.. bytes.AsSpan(0, at + length), .. bytes.AsSpan(at)]; // twice
            case 9:
                return [.. bytes.AsSpan(0, at), .. random.Bytes(length), .. bytes.AsSpan(at)]; // insert
            case 10:
                int from = random.Below(bytes.Length - length + 1);
                bytes.AsSpan(from, length).ToArray().CopyTo(bytes, at); // copy over
                return bytes;
            default:
                byte[] other = others[random.Below(others.Count)];
                return [.. bytes.AsSpan(0, at), .. other.AsSpan(random.Below(other.Length))]; // splice
        }
    }

    /// <summary>A place, more often near the start, where headers are.</summary>
    private static int Position(FuzzRandom random, int length) => random.OneIn(4) ? random.Below(Math.Min(length, 64)) : random.Below(length);

    private static ulong Value(ReadOnlySpan<byte> bytes) => bytes.Length switch
    {
        1 => bytes[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        4 => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        _ => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
    };
}
