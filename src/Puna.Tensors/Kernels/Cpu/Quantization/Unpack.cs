using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Quantization;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Small steps that several vector decoders share.</summary>
internal static unsafe class Unpack
{
    /// <summary>The half at <paramref name="bytes"/>, any alignment.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Half(byte* bytes)
    {
        uint half = Unsafe.ReadUnaligned<ushort>(bytes);

        // Scales are nearly always normal numbers: one predictable branch, the rest is four integer operations.
        return ((half & 0x7FFF) - 0x0400) < 0x7800
            ? BitConverter.UInt32BitsToSingle(((half & 0x8000) << 16) | (((half & 0x7FFF) << 13) + (112u << 23)))
            : Rare(half);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static float Rare(uint half) => FloatBits.FromHalf(half);
    }

    /// <summary>The low nibble of every byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Low(Vector128<byte> q) => q & Vector128.Create((byte)15);

    /// <summary>The high nibble of every byte.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> High(Vector128<byte> q) => (q.AsUInt16() >> 4).AsByte() & Vector128.Create((byte)15);

    /// <summary>Bits <paramref name="shift"/> and <paramref name="shift"/> + 1 of every byte; <paramref name="shift"/> is at most 6.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Two(Vector128<byte> q, int shift) => (q.AsUInt16() >> shift).AsByte() & Vector128.Create((byte)3);

    /// <summary>All ones in byte i where bit i of the sixteen is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<byte> Mask(uint sixteen)
    {
        Vector128<byte> bit = Vector128.Create(0x8040_2010_0804_0201UL).AsByte();
        Vector128<byte> spread = Vector128.Shuffle(
            Vector128.CreateScalarUnsafe(sixteen).AsByte(),
            Vector128.Create((byte)0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1));
        return Vector128.Equals(spread & bit, bit);
    }

    /// <summary>Every byte as an index, 0 to 15, into <paramref name="table"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Lookup(Vector128<sbyte> table, Vector128<byte> index) => Vector128.ShuffleNative(table, index.AsSByte());
}
