using System.Buffers.Binary;

namespace Puna.Fuzz;

/// <summary>A small random generator (SplitMix64, Steele, Lea and Flood 2014) whose sequence will never change, so that a seed names an input
/// forever.</summary>
public sealed class FuzzRandom
{
    private ulong _state;

    /// <summary>Starts the sequence of a seed.</summary>
    public FuzzRandom(ulong seed) => _state = seed;

    /// <summary>The generator of one iteration: any iteration can be run alone.</summary>
    public static FuzzRandom For(string target, long seed, long iteration)
    {
        ulong hash = 0xCBF29CE484222325; // FNV-1a
        foreach (char letter in target)
        {
            hash = (hash ^ letter) * 0x100000001B3;
        }

        var mixed = new FuzzRandom(hash ^ (ulong)seed);
        return new FuzzRandom(mixed.Next() ^ (ulong)iteration * 0xD1342543DE82EF95);
    }

    /// <summary>The next 64 bits.</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to <paramref name="limit"/> - 1; 0 where there is no such number.</summary>
    public int Below(int limit) => limit <= 1 ? 0 : (int)(Next() % (ulong)limit);

    /// <summary>True once in <paramref name="times"/>.</summary>
    public bool OneIn(int times) => Below(times) == 0;

    /// <summary>How many changes to make: mostly one, each further one half as likely. One change gets deep into a parser, many do not.</summary>
    public int Changes(int most)
    {
        int changes = 1;
        while (changes < most && OneIn(2))
        {
            changes++;
        }

        return changes;
    }

    /// <summary>One of some things.</summary>
    public T Pick<T>(params ReadOnlySpan<T> things) => things[Below(things.Length)];

    /// <summary>Random bytes.</summary>
    public byte[] Bytes(int count)
    {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++)
        {
            bytes[i] = (byte)Next();
        }

        return bytes;
    }

    /// <summary>A number at which counts, offsets and products go wrong: small, at a power of two, at the end of a type, or near
    /// <paramref name="near"/>.</summary>
    public ulong Interesting(ulong near = 0) => Below(8) switch
    {
        0 => (ulong)Below(5),
        1 => (1UL << Below(64)) - (ulong)Below(3),
        2 => (1UL << Below(64)) + (ulong)Below(3),
        3 => ulong.MaxValue - (ulong)Below(300),
        4 => Pick<ulong>(0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000),
        5 => near + (ulong)Below(9) - 4,
        6 => near * (ulong)(2 + Below(15)),
        _ => Next() >> Below(64),
    };

    /// <summary>Writes <paramref name="value"/> into as many bytes as the span has (1, 2, 4 or 8), little-endian, or sometimes big-endian.</summary>
    public void Write(Span<byte> bytes, ulong value)
    {
        Span<byte> whole = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(whole, value);
        whole[..bytes.Length].CopyTo(bytes);
        if (OneIn(8))
        {
            bytes.Reverse();
        }
    }
}
