using System.Buffers.Binary;
using System.Reflection;

namespace Puna.Tensors.Quantization.Decoding;

/// <summary>
/// The grids of the IQ types, unpacked from <c>Data/codebooks.bin</c> (its README says how they are packed) on first use: rows of eight or four small
/// integers, one after the other.
/// </summary>
internal static class Codebooks
{
    private const string Resource = "Puna.Tensors.Quantization.codebooks.bin";

    static Codebooks()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Resource)
            ?? throw new InvalidOperationException($"resource {Resource} is missing from the assembly");
        var packed = new byte[stream.Length];
        stream.ReadExactly(packed);
        ReadOnlySpan<byte> rest = packed;
        Iq2Xxs = Unpack(ref rest, 256, 2, [8, 25, 43]);
        Iq2Xs = Unpack(ref rest, 512, 2, [8, 25, 43]);
        Iq2S = Unpack(ref rest, 1024, 2, [8, 25, 43]);
        Iq1 = Unpack(ref rest, 2048, 2, [-1, 0, 1]);
        Iq3Xxs = Unpack(ref rest, 256, 4, [4, 12, 20, 28, 36, 44, 52, 62]);
        Iq3S = Unpack(ref rest, 512, 4, [1, 3, 5, 7, 9, 11, 13, 15]);
    }

    /// <summary>[256, 8]</summary>
    public static sbyte[] Iq2Xxs { get; }

    /// <summary>[512, 8]</summary>
    public static sbyte[] Iq2Xs { get; }

    /// <summary>[1024, 8]</summary>
    public static sbyte[] Iq2S { get; }

    /// <summary>[2048, 8], of IQ1_S and IQ1_M.</summary>
    public static sbyte[] Iq1 { get; }

    /// <summary>[256, 4]</summary>
    public static sbyte[] Iq3Xxs { get; }

    /// <summary>[512, 4]</summary>
    public static sbyte[] Iq3S { get; }

    /// <summary>Seven sign bits to eight: the missing one makes the number of minus signs even.</summary>
    public static int Signs(uint seven)
    {
        uint bits = seven & 127;
        return (int)(bits | ((uint)(System.Numerics.BitOperations.PopCount(bits) & 1) << 7));
    }

    private static sbyte[] Unpack(ref ReadOnlySpan<byte> rest, int rows, int bits, ReadOnlySpan<sbyte> levels)
    {
        int perRow = 16 / bits;
        var grid = new sbyte[rows * perRow];
        for (int row = 0; row < rows; row++)
        {
            int word = BinaryPrimitives.ReadUInt16LittleEndian(rest[(2 * row)..]);
            for (int j = 0; j < perRow; j++)
            {
                grid[(row * perRow) + j] = levels[(word >> (bits * j)) & ((1 << bits) - 1)];
            }
        }

        rest = rest[(2 * rows)..];
        return grid;
    }
}
