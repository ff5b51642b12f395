using System.Security.Cryptography;
using System.Runtime.InteropServices;

namespace Puna.Training.Data;

/// <summary>Hashes of text: the same on every machine and in every run.</summary>
internal static class TextHash
{
    /// <summary>A bijection of 64 bits that spreads every input bit (the finaliser of SplitMix64: Steele, Lea, Flood, OOPSLA 2014).</summary>
    public static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }

    /// <summary>64 bits of a short piece of text, against chance, not against malice.</summary>
    public static ulong Of(ReadOnlySpan<char> text)
    {
        ulong hash = (ulong)text.Length;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 0x9E3779B97F4A7C15;
            hash ^= hash >> 29;
        }

        return Mix(hash);
    }

    /// <summary>128 bits of a text against malice too: the beginning of its SHA-256.</summary>
    public static UInt128 Strong(ReadOnlySpan<char> text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        if (BitConverter.IsLittleEndian)
        {
            SHA256.HashData(MemoryMarshal.AsBytes(text), hash);
        }
        else
        {
            SHA256.HashData(System.Text.Encoding.Unicode.GetBytes(text.ToArray()), hash);
        }

        return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}
