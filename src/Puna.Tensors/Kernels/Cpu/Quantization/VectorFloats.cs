using System.Runtime.CompilerServices;
using Puna.Tensors.Quantization;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Rows of the 16-bit float types, which have no blocks: sixteen values at a time, and the rest one by one.</summary>
internal static unsafe class VectorFloats
{
    /// <summary>IEEE halves.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Half<TLanes>(ushort* from, float* to, long count)
        where TLanes : struct, ILanes
    {
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            TLanes.Half(from + i, to + i);
        }

        for (; i < count; i++)
        {
            to[i] = FloatBits.FromHalf(Unsafe.ReadUnaligned<ushort>(from + i));
        }
    }

    /// <summary>bfloat16 values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void BFloat16<TLanes>(ushort* from, float* to, long count)
        where TLanes : struct, ILanes
    {
        long i = 0;
        for (; i <= count - 16; i += 16)
        {
            TLanes.BFloat16(from + i, to + i);
        }

        for (; i < count; i++)
        {
            to[i] = FloatBits.FromBFloat16(Unsafe.ReadUnaligned<ushort>(from + i));
        }
    }
}
