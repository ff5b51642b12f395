using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Q4_0 with vectors.</summary>
internal unsafe struct VectorQ4_0 : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block);
        Vector128<byte> q = Vector128.Load(block + 2);
        Vector128<sbyte> eight = Vector128.Create((sbyte)8);
        TLanes.Scale(Unpack.Low(q).AsSByte() - eight, d, to);
        TLanes.Scale(Unpack.High(q).AsSByte() - eight, d, to + 16);
    }
}

/// <summary>Q4_1 with vectors.</summary>
internal unsafe struct VectorQ4_1 : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block);
        float m = Unpack.Half(block + 2);
        Vector128<byte> q = Vector128.Load(block + 4);
        TLanes.ScaleAdd(Unpack.Low(q).AsSByte(), d, m, to);
        TLanes.ScaleAdd(Unpack.High(q).AsSByte(), d, m, to + 16);
    }
}

/// <summary>Q5_0 with vectors.</summary>
internal unsafe struct VectorQ5_0 : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block);
        uint h = Unsafe.ReadUnaligned<uint>(block + 2);
        Vector128<byte> q = Vector128.Load(block + 6);

        // The fifth bit is worth 16 and 16 is taken away: together -16 where it is clear.
        Vector128<byte> minus16 = Vector128.Create(unchecked((byte)-16));
        TLanes.Scale((Unpack.Low(q) | Vector128.AndNot(minus16, Unpack.Mask(h & 0xFFFF))).AsSByte(), d, to);
        TLanes.Scale((Unpack.High(q) | Vector128.AndNot(minus16, Unpack.Mask(h >> 16))).AsSByte(), d, to + 16);
    }
}

/// <summary>Q5_1 with vectors.</summary>
internal unsafe struct VectorQ5_1 : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block);
        float m = Unpack.Half(block + 2);
        uint h = Unsafe.ReadUnaligned<uint>(block + 4);
        Vector128<byte> q = Vector128.Load(block + 8);
        Vector128<byte> sixteen = Vector128.Create((byte)16);
        TLanes.ScaleAdd((Unpack.Low(q) | (sixteen & Unpack.Mask(h & 0xFFFF))).AsSByte(), d, m, to);
        TLanes.ScaleAdd((Unpack.High(q) | (sixteen & Unpack.Mask(h >> 16))).AsSByte(), d, m, to + 16);
    }
}

/// <summary>Q8_0 with vectors.</summary>
internal unsafe struct VectorQ8_0 : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block);
        TLanes.Scale(Vector128.Load((sbyte*)block + 2), d, to);
        TLanes.Scale(Vector128.Load((sbyte*)block + 18), d, to + 16);
    }
}
