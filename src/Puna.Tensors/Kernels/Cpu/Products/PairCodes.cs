using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Takes signed bytes out of packed words as pairs of 16-bit integers, for as many rows as a vector has lanes.</summary>
internal static unsafe class PairCodes<TSimd, I, F>
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>The four pairs of group <paramref name="g"/>, in the order of <see cref="PairRows"/>.</summary>
    /// <param name="codes">Codes of 32 inputs, at the first of the vector's rows.</param>
    /// <param name="g">0 to 3.</param>
    /// <param name="p0">First pair of the first sixteen inputs.</param>
    /// <param name="p1">First pair of the others.</param>
    /// <param name="p2">Second pair of the first sixteen inputs.</param>
    /// <param name="p3">Second pair of the others.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Take(byte* codes, int g, out I p0, out I p1, out I p2, out I p3)
    {
        I first = TSimd.Load(codes + (64 * g));
        I second = TSimd.Load(codes + (64 * g) + 256);
        p0 = TSimd.ShiftRightSigned16(TSimd.ShiftLeft16(first, 8), 8);
        p1 = TSimd.ShiftRightSigned16(TSimd.ShiftLeft16(second, 8), 8);
        p2 = TSimd.ShiftRightSigned16(first, 8);
        p3 = TSimd.ShiftRightSigned16(second, 8);
    }
}
