using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Q2_K with vectors. Sixteen products of a scale are made at once; a minimum is negated in its factor, which is exact.</summary>
internal unsafe struct VectorQ2K : IVectorDecoder
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        Unsafe.SkipInit(out Floats16 s16);
        Unsafe.SkipInit(out Floats16 m16);
        float* scales = (float*)&s16;
        float* leasts = (float*)&m16;
        Vector128<byte> s = Vector128.Load(block);
        TLanes.Scale(Unpack.Low(s).AsSByte(), Unpack.Half(block + 80), scales);
        TLanes.Scale(Unpack.High(s).AsSByte(), -Unpack.Half(block + 82), leasts);
        for (int half = 0; half < 2; half++, scales += 8, leasts += 8, to += 128)
        {
            Vector128<byte> q0 = Vector128.Load(block + 16 + (32 * half));
            Vector128<byte> q1 = Vector128.Load(block + 32 + (32 * half));
            for (int p = 0; p < 4; p++)
            {
                TLanes.ScaleAdd(Unpack.Two(q0, 2 * p).AsSByte(), scales[2 * p], leasts[2 * p], to + (32 * p));
                TLanes.ScaleAdd(Unpack.Two(q1, 2 * p).AsSByte(), scales[(2 * p) + 1], leasts[(2 * p) + 1], to + (32 * p) + 16);
            }
        }
    }
}

/// <summary>Q3_K with vectors.</summary>
internal unsafe struct VectorQ3K : IVectorDecoder
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        Unsafe.SkipInit(out Floats16 s16);
        float* scales = (float*)&s16;
        TLanes.Scale(Scales(block + 96), Unpack.Half(block + 108), scales);
        Vector128<byte> h0 = Vector128.Load(block);
        Vector128<byte> h1 = Vector128.Load(block + 16);
        for (int half = 0; half < 2; half++, scales += 8, to += 128)
        {
            Vector128<byte> q0 = Vector128.Load(block + 32 + (32 * half));
            Vector128<byte> q1 = Vector128.Load(block + 48 + (32 * half));
            for (int p = 0; p < 4; p++)
            {
                Vector128<byte> bit = Vector128.Create((byte)(1 << ((4 * half) + p)));
                TLanes.Scale(Value(q0, h0, 2 * p, bit), scales[2 * p], to + (32 * p));
                TLanes.Scale(Value(q1, h1, 2 * p, bit), scales[(2 * p) + 1], to + (32 * p) + 16);
            }
        }
    }

    /// <summary>Sixteen 6-bit scales less 32: nibbles of the first eight bytes, four planes of two bits in the last four.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Scales(byte* s)
    {
        ulong nibbles = Unsafe.ReadUnaligned<ulong>(s);
        uint high = Unsafe.ReadUnaligned<uint>(s + 8);
        Vector128<uint> planes = Vector128.Create(high << 4, high << 2, high, high >> 2) & Vector128.Create(0x3030_3030u);
        Vector128<byte> low = Vector128.Create(nibbles & 0x0F0F_0F0F_0F0F_0F0F, (nibbles >> 4) & 0x0F0F_0F0F_0F0F_0F0F).AsByte();
        return (low | planes.AsByte()).AsSByte() - Vector128.Create((sbyte)32);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Value(Vector128<byte> q, Vector128<byte> h, int shift, Vector128<byte> bit) =>
        (Unpack.Two(q, shift) - (Vector128.Equals(h & bit, Vector128<byte>.Zero) & Vector128.Create((byte)4))).AsSByte();
}

/// <summary>Q4_K with vectors.</summary>
internal unsafe struct VectorQ4K : IVectorDecoder
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        Unsafe.SkipInit(out Floats16 s16);
        Unsafe.SkipInit(out Floats16 m16);
        float* scales = (float*)&s16;
        float* leasts = (float*)&m16;
        Vector128<sbyte> s = Scales(block + 4);
        TLanes.Scale(s, Unpack.Half(block), scales);
        TLanes.Scale(s, -Unpack.Half(block + 2), leasts);
        leasts += 8;
        for (int g = 0; g < 8; g += 2, to += 64)
        {
            Vector128<byte> q0 = Vector128.Load(block + 16 + (16 * g));
            Vector128<byte> q1 = Vector128.Load(block + 32 + (16 * g));
            TLanes.ScaleAdd(Unpack.Low(q0).AsSByte(), scales[g], leasts[g], to);
            TLanes.ScaleAdd(Unpack.Low(q1).AsSByte(), scales[g], leasts[g], to + 16);
            TLanes.ScaleAdd(Unpack.High(q0).AsSByte(), scales[g + 1], leasts[g + 1], to + 32);
            TLanes.ScaleAdd(Unpack.High(q1).AsSByte(), scales[g + 1], leasts[g + 1], to + 48);
        }
    }

    /// <summary>Eight 6-bit scales, then eight 6-bit minima, out of the twelve packed bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<sbyte> Scales(byte* s)
    {
        uint a = Unsafe.ReadUnaligned<uint>(s);
        uint b = Unsafe.ReadUnaligned<uint>(s + 4);
        uint c = Unsafe.ReadUnaligned<uint>(s + 8);
        uint scales = (c & 0x0F0F_0F0F) | ((a >> 2) & 0x3030_3030);
        uint leasts = ((c >> 4) & 0x0F0F_0F0F) | ((b >> 2) & 0x3030_3030);
        return Vector128.Create(a & 0x3F3F_3F3F, scales, b & 0x3F3F_3F3F, leasts).AsSByte();
    }
}

/// <summary>Q5_K with vectors.</summary>
internal unsafe struct VectorQ5K : IVectorDecoder
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        Unsafe.SkipInit(out Floats16 s16);
        Unsafe.SkipInit(out Floats16 m16);
        float* scales = (float*)&s16;
        float* leasts = (float*)&m16;
        Vector128<sbyte> s = VectorQ4K.Scales(block + 4);
        TLanes.Scale(s, Unpack.Half(block), scales);
        TLanes.Scale(s, -Unpack.Half(block + 2), leasts);
        leasts += 8;
        Vector128<byte> h0 = Vector128.Load(block + 16);
        Vector128<byte> h1 = Vector128.Load(block + 32);
        for (int g = 0; g < 8; g += 2, to += 64)
        {
            Vector128<byte> q0 = Vector128.Load(block + 48 + (16 * g));
            Vector128<byte> q1 = Vector128.Load(block + 64 + (16 * g));
            Vector128<byte> low = Vector128.Create((byte)(1 << g));
            Vector128<byte> high = Vector128.Create((byte)(2 << g));
            TLanes.ScaleAdd(Value(Unpack.Low(q0), h0, low), scales[g], leasts[g], to);
            TLanes.ScaleAdd(Value(Unpack.Low(q1), h1, low), scales[g], leasts[g], to + 16);
            TLanes.ScaleAdd(Value(Unpack.High(q0), h0, high), scales[g + 1], leasts[g + 1], to + 32);
            TLanes.ScaleAdd(Value(Unpack.High(q1), h1, high), scales[g + 1], leasts[g + 1], to + 48);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Value(Vector128<byte> nibble, Vector128<byte> h, Vector128<byte> bit) =>
        (nibble | (Vector128.Equals(h & bit, bit) & Vector128.Create((byte)16))).AsSByte();
}

/// <summary>Q6_K with vectors.</summary>
internal unsafe struct VectorQ6K : IVectorDecoder
{
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        Unsafe.SkipInit(out Floats16 s16);
        float* scales = (float*)&s16;
        TLanes.Scale(Vector128.Load((sbyte*)block + 192), Unpack.Half(block + 208), scales);
        for (int half = 0; half < 2; half++, block += 64, scales += 8, to += 128)
        {
            byte* high = block + 128 - (32 * half);
            for (int i = 0; i < 2; i++)
            {
                Vector128<byte> a = Vector128.Load(block + (16 * i));
                Vector128<byte> b = Vector128.Load(block + 32 + (16 * i));
                Vector128<byte> h = Vector128.Load(high + (16 * i));
                TLanes.Scale(Value(Unpack.Low(a), h << 4), scales[i], to + (16 * i));
                TLanes.Scale(Value(Unpack.Low(b), h << 2), scales[i + 2], to + (16 * i) + 32);
                TLanes.Scale(Value(Unpack.High(a), h), scales[i + 4], to + (16 * i) + 64);
                TLanes.Scale(Value(Unpack.High(b), (h.AsUInt16() >> 2).AsByte()), scales[i + 6], to + (16 * i) + 96);
            }
        }
    }

    /// <summary>A nibble with the two bits at 4 and 5 of <paramref name="high"/> above it, less 32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Value(Vector128<byte> nibble, Vector128<byte> high) =>
        (nibble | (high & Vector128.Create((byte)0x30))).AsSByte() - Vector128.Create((sbyte)32);
}
