using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Quantization.Decoding;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Rows of the grids and signs, sixteen values at a time.</summary>
internal static class Grid
{
    /// <summary>Two rows of eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Eights(ref sbyte grid, int first, int second) =>
        Vector128.Create(Row<ulong>(ref grid, 8 * first), Row<ulong>(ref grid, 8 * second)).AsSByte();

    /// <summary>Four rows of four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Fours(ref sbyte grid, int first, int second, int third, int fourth) =>
        Vector128.Create(
            Row<uint>(ref grid, 4 * first), Row<uint>(ref grid, 4 * second), Row<uint>(ref grid, 4 * third), Row<uint>(ref grid, 4 * fourth)).AsSByte();

    /// <summary>Minus where the bit is set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Negate(Vector128<sbyte> n, uint signs)
    {
        Vector128<sbyte> mask = Unpack.Mask(signs).AsSByte();
        return (n ^ mask) - mask;
    }

    /// <summary>Two groups of seven sign bits, next to each other, to sixteen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Signs(uint fourteen) => (uint)(Codebooks.Signs(fourteen) | (Codebooks.Signs(fourteen >> 7) << 8));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static T Row<T>(ref sbyte grid, int offset)
        where T : unmanaged => Unsafe.ReadUnaligned<T>(ref Unsafe.As<sbyte, byte>(ref Unsafe.Add(ref grid, offset)));
}

/// <summary>IQ2_XXS with vectors.</summary>
internal unsafe struct VectorIq2Xxs : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        ref sbyte grid = ref MemoryMarshal.GetArrayDataReference(Codebooks.Iq2Xxs);
        float d = Unpack.Half(block);
        block += 2;
        for (int g = 0; g < 8; g++, block += 8, to += 32)
        {
            uint word = Unsafe.ReadUnaligned<uint>(block + 4);
            float scale = d * (0.5f + (word >> 28)) * 0.25f;
            TLanes.Scale(Grid.Negate(Grid.Eights(ref grid, block[0], block[1]), Grid.Signs(word)), scale, to);
            TLanes.Scale(Grid.Negate(Grid.Eights(ref grid, block[2], block[3]), Grid.Signs(word >> 14)), scale, to + 16);
        }
    }
}

/// <summary>IQ2_XS with vectors.</summary>
internal unsafe struct VectorIq2Xs : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        ref sbyte grid = ref MemoryMarshal.GetArrayDataReference(Codebooks.Iq2Xs);
        float d = Unpack.Half(block);
        for (int g = 0; g < 16; g++)
        {
            uint words = Unsafe.ReadUnaligned<uint>(block + 2 + (4 * g));
            float scale = d * (0.5f + ((block[66 + (g / 2)] >> (4 * (g & 1))) & 15)) * 0.25f;
            uint signs = (uint)(Codebooks.Signs(words >> 9) | (Codebooks.Signs(words >> 25) << 8));
            TLanes.Scale(Grid.Negate(Grid.Eights(ref grid, (int)(words & 511), (int)((words >> 16) & 511)), signs), scale, to + (16 * g));
        }
    }
}

/// <summary>IQ2_S with vectors.</summary>
internal unsafe struct VectorIq2S : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        ref sbyte grid = ref MemoryMarshal.GetArrayDataReference(Codebooks.Iq2S);
        float d = Unpack.Half(block);
        for (int g = 0; g < 16; g++)
        {
            int high = block[66 + (g / 2)] >> (4 * (g & 1));
            int first = block[2 + (2 * g)] | ((high & 3) << 8);
            int second = block[3 + (2 * g)] | ((high & 12) << 6);
            float scale = d * (0.5f + ((block[74 + (g / 2)] >> (4 * (g & 1))) & 15)) * 0.25f;
            uint signs = Unsafe.ReadUnaligned<ushort>(block + 34 + (2 * g));
            TLanes.Scale(Grid.Negate(Grid.Eights(ref grid, first, second), signs), scale, to + (16 * g));
        }
    }
}

/// <summary>IQ3_XXS with vectors.</summary>
internal unsafe struct VectorIq3Xxs : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        ref sbyte grid = ref MemoryMarshal.GetArrayDataReference(Codebooks.Iq3Xxs);
        float d = Unpack.Half(block);
        byte* q = block + 2;
        for (int g = 0; g < 8; g++, q += 8, to += 32)
        {
            uint word = Unsafe.ReadUnaligned<uint>(block + 66 + (4 * g));
            float scale = d * (0.5f + (word >> 28)) * 0.5f;
            TLanes.Scale(Grid.Negate(Grid.Fours(ref grid, q[0], q[1], q[2], q[3]), Grid.Signs(word)), scale, to);
            TLanes.Scale(Grid.Negate(Grid.Fours(ref grid, q[4], q[5], q[6], q[7]), Grid.Signs(word >> 14)), scale, to + 16);
        }
    }
}

/// <summary>IQ3_S with vectors.</summary>
internal unsafe struct VectorIq3S : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        ref sbyte grid = ref MemoryMarshal.GetArrayDataReference(Codebooks.Iq3S);
        float d = Unpack.Half(block);
        byte* q = block + 2;
        for (int g = 0; g < 16; g++, q += 4)
        {
            int high = block[66 + (g / 2)] >> (4 * (g & 1));
            Vector128<sbyte> n = Grid.Fours(ref grid, q[0] | ((high & 1) << 8), q[1] | ((high & 2) << 7), q[2] | ((high & 4) << 6), q[3] | ((high & 8) << 5));
            float scale = d * (1 + (2 * ((block[106 + (g / 4)] >> (4 * (g / 2 & 1))) & 15)));
            TLanes.Scale(Grid.Negate(n, Unsafe.ReadUnaligned<ushort>(block + 74 + (2 * g))), scale, to + (16 * g));
        }
    }
}

/// <summary>IQ1_S with vectors. grid ± ⅛ is (8·grid ± 1)·⅛, and an eighth of a scale is exact: it is a half times a small integer.</summary>
internal unsafe struct VectorIq1S : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        ref sbyte grid = ref MemoryMarshal.GetArrayDataReference(Codebooks.Iq1);
        float d = Unpack.Half(block);
        byte* q = block + 2;
        for (int g = 0; g < 8; g++, q += 4, to += 32)
        {
            int word = Unsafe.ReadUnaligned<ushort>(block + 34 + (2 * g));
            float scale = d * ((2 * ((word >> 12) & 7)) + 1) * 0.125f;
            Vector128<sbyte> delta = Vector128.Create((sbyte)(1 - (word >> 15 << 1)));
            Vector128<sbyte> low = Grid.Eights(ref grid, q[0] | ((word & 7) << 8), q[1] | ((word & 0x38) << 5));
            Vector128<sbyte> high = Grid.Eights(ref grid, q[2] | ((word & 0x1C0) << 2), q[3] | ((word & 0xE00) >> 1));
            TLanes.Scale(EightTimes(low) + delta, scale, to);
            TLanes.Scale(EightTimes(high) + delta, scale, to + 16);
        }
    }

    /// <summary>Bytes in -1 to 1, times eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> EightTimes(Vector128<sbyte> n)
    {
        Vector128<sbyte> four = n + n + n + n;
        return four + four;
    }
}

/// <summary>IQ1_M with vectors.</summary>
internal unsafe struct VectorIq1M : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        const ulong Plus = 0x0101_0101_0101_0101; // eight bytes of 1
        const ulong Minus = ulong.MaxValue; // eight bytes of -1
        ref sbyte grid = ref MemoryMarshal.GetArrayDataReference(Codebooks.Iq1);
        ulong s = Unsafe.ReadUnaligned<ulong>(block + 48);
        uint half = (uint)(((s >> 12) & 0xF) | ((s >> 24) & 0xF0) | ((s >> 36) & 0xF00) | ((s >> 48) & 0xF000));
        float d = Unpack.Half((byte*)&half);
        for (int g = 0; g < 16; g++)
        {
            int c = block[32 + g];
            int shift = (16 * (g / 4)) + (3 * (g & 3));
            float scale = d * ((2 * (int)((s >> shift) & 7)) + 1) * 0.125f;
            Vector128<sbyte> n = Grid.Eights(ref grid, block[2 * g] | ((c & 7) << 8), block[(2 * g) + 1] | ((c & 0x70) << 4));
            Vector128<sbyte> delta = Vector128.Create((c & 8) != 0 ? Minus : Plus, (c & 128) != 0 ? Minus : Plus).AsSByte();
            TLanes.Scale(VectorIq1S.EightTimes(n) + delta, scale, to + (16 * g));
        }
    }
}
