using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>TQ2_0 with vectors.</summary>
internal unsafe struct VectorTq2_0 : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block + 64);
        Vector128<sbyte> one = Vector128.Create((sbyte)1);
        for (int half = 0; half < 2; half++, block += 32, to += 128)
        {
            Vector128<byte> q0 = Vector128.Load(block);
            Vector128<byte> q1 = Vector128.Load(block + 16);
            for (int p = 0; p < 4; p++)
            {
                TLanes.Scale(Unpack.Two(q0, 2 * p).AsSByte() - one, d, to + (32 * p));
                TLanes.Scale(Unpack.Two(q1, 2 * p).AsSByte() - one, d, to + (32 * p) + 16);
            }
        }
    }
}

/// <summary>
/// TQ1_0 with vectors. A digit is (3·y) >> 8 of a byte y, so at least one from 86 on and two from 171 on; tripling y modulo 256 moves to the next digit.
/// </summary>
internal unsafe struct VectorTq1_0 : IVectorDecoder
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes
    {
        float d = Unpack.Half(block + 52);
        Vector128<byte> a = Vector128.Load(block);
        Vector128<byte> b = Vector128.Load(block + 16);
        Vector128<byte> c = Vector128.Load(block + 32);
        Vector128<byte> h = Vector128.Create(Unsafe.ReadUnaligned<uint>(block + 48)).AsByte();
        for (int k = 0; k < 5; k++)
        {
            TLanes.Scale(Digit(a), d, to + (32 * k));
            TLanes.Scale(Digit(b), d, to + (32 * k) + 16);
            TLanes.Scale(Digit(c), d, to + 160 + (16 * k));
            a = Triple(a);
            b = Triple(b);
            c = Triple(c);
        }

        Vector128<byte> h3 = Triple(h);
        Vector128<byte> h9 = Triple(h3);
        Vector128<byte> h27 = Triple(h9);
        Vector128<uint> last = Vector128.Create(h.AsUInt32().ToScalar(), h3.AsUInt32().ToScalar(), h9.AsUInt32().ToScalar(), h27.AsUInt32().ToScalar());
        TLanes.Scale(Digit(last.AsByte()), d, to + 240);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Triple(Vector128<byte> y) => y + y + y;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<sbyte> Digit(Vector128<byte> y)
    {
        // A comparison that holds is -1; the digit less one is -1 less both.
        Vector128<sbyte> one = Vector128.GreaterThanOrEqual(y, Vector128.Create((byte)86)).AsSByte();
        Vector128<sbyte> two = Vector128.GreaterThanOrEqual(y, Vector128.Create((byte)171)).AsSByte();
        return Vector128<sbyte>.AllBitsSet - one - two;
    }
}
