using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>IQ4_NL with vectors: the levels are a table of sixteen bytes, looked up by one shuffle.</summary>
internal unsafe struct VectorIq4Nl : IVectorDecoder
{
    /// <summary>The levels of the IQ4 types.</summary>
    public static Vector128<sbyte> Levels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create(-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block);
        Vector128<byte> q = Vector128.Load(block + 2);
        TLanes.Scale(Unpack.Lookup(Levels, Unpack.Low(q)), d, to);
        TLanes.Scale(Unpack.Lookup(Levels, Unpack.High(q)), d, to + 16);
    }
}

/// <summary>IQ4_XS with vectors.</summary>
internal unsafe struct VectorIq4Xs : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block);
        uint high = Unsafe.ReadUnaligned<ushort>(block + 2);
        uint low = Unsafe.ReadUnaligned<uint>(block + 4);
        for (int g = 0; g < 8; g++)
        {
            int scale = (int)(((low >> (4 * g)) & 15) | (((high >> (2 * g)) & 3) << 4));
            float ds = d * (scale - 32);
            Vector128<byte> q = Vector128.Load(block + 8 + (16 * g));
            TLanes.Scale(Unpack.Lookup(VectorIq4Nl.Levels, Unpack.Low(q)), ds, to + (32 * g));
            TLanes.Scale(Unpack.Lookup(VectorIq4Nl.Levels, Unpack.High(q)), ds, to + (32 * g) + 16);
        }
    }
}

/// <summary>MXFP4 with vectors.</summary>
internal unsafe struct VectorMxFp4 : IVectorDecoder
{
    /// <summary>Twice the E2M1 values.</summary>
    public static Vector128<sbyte> Levels
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Vector128.Create(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        uint e = *block;
        float scale = BitConverter.UInt32BitsToSingle(e < 2 ? 0x0020_0000u << (int)e : (e - 1) << 23);
        Vector128<byte> q = Vector128.Load(block + 1);
        TLanes.Scale(Unpack.Lookup(Levels, Unpack.Low(q)), scale, to);
        TLanes.Scale(Unpack.Lookup(Levels, Unpack.High(q)), scale, to + 16);
    }
}

/// <summary>NVFP4 with vectors: eight bytes are the low nibbles of eight values and the high nibbles of the next eight.</summary>
internal unsafe struct VectorNvFp4 : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        const ulong Nibbles = 0x0F0F_0F0F_0F0F_0F0F;
        for (int g = 0; g < 4; g++)
        {
            int e = (block[g] >> 3) & 15;
            int m = block[g] & 7;
            float scale = e == 0 ? m * (1f / 1024) : (8 + m) * BitConverter.Int32BitsToSingle((e - 11 + 127) << 23);
            ulong q = Unsafe.ReadUnaligned<ulong>(block + 4 + (8 * g));
            Vector128<byte> n = Vector128.Create(q & Nibbles, (q >> 4) & Nibbles).AsByte();
            TLanes.Scale(Unpack.Lookup(VectorMxFp4.Levels, n), scale, to + (16 * g));
        }
    }
}
