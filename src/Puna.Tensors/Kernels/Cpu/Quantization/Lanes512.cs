using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>One vector of 512 bits: one instruction widens a byte to 32 bits where AVX-512 is there, portable code gives the same without it.</summary>
internal unsafe struct Lanes512 : ILanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale(Vector128<sbyte> n, float scale, float* to) => (Vector512.Create(scale) * Widen(n)).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScaleAdd(Vector128<sbyte> n, float scale, float add, float* to) =>
        ((Vector512.Create(scale) * Widen(n)) + Vector512.Create(add)).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Half(ushort* from, float* to) => HalfBits.ToSingle(Widen(from)).Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BFloat16(ushort* from, float* to) => (Widen(from) << 16).AsSingle().Store(to);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Widen(ushort* from)
    {
        Vector256<ushort> half = Vector256.Load(from);
        if (Avx512F.IsSupported)
        {
            return Avx512F.ConvertToVector512UInt32(half);
        }

        (Vector256<uint> low, Vector256<uint> high) = Vector256.Widen(half);
        return Vector512.Create(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Widen(Vector128<sbyte> n)
    {
        if (Avx512F.IsSupported)
        {
            return Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(n));
        }

        (Vector256<int> low, Vector256<int> high) = Vector256.Widen(Vector256.Create(Vector128.WidenLower(n), Vector128.WidenUpper(n)));
        return Vector512.ConvertToSingle(Vector512.Create(low, high));
    }
}
