using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Two vectors of 256 bits: one instruction widens a byte to 32 bits where AVX2 is there, portable code gives the same without it.</summary>
internal unsafe struct Lanes256 : ILanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale(Vector128<sbyte> n, float scale, float* to)
    {
        Vector256<float> s = Vector256.Create(scale);
        (s * Lower(n)).Store(to);
        (s * Upper(n)).Store(to + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScaleAdd(Vector128<sbyte> n, float scale, float add, float* to)
    {
        Vector256<float> s = Vector256.Create(scale);
        Vector256<float> a = Vector256.Create(add);
        ((s * Lower(n)) + a).Store(to);
        ((s * Upper(n)) + a).Store(to + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Half(ushort* from, float* to)
    {
        HalfBits.ToSingle(Widen(from)).Store(to);
        HalfBits.ToSingle(Widen(from + 8)).Store(to + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BFloat16(ushort* from, float* to)
    {
        (Widen(from) << 16).AsSingle().Store(to);
        (Widen(from + 8) << 16).AsSingle().Store(to + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Widen(ushort* from)
    {
        if (Avx2.IsSupported)
        {
            return Avx2.ConvertToVector256Int32(from).AsUInt32();
        }

        (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(Vector128.Load(from));
        return Vector256.Create(low, high);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Lower(Vector128<sbyte> n)
    {
        if (Avx2.IsSupported)
        {
            return Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(n));
        }

        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(Vector128.WidenLower(n));
        return Vector256.ConvertToSingle(Vector256.Create(low, high));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Upper(Vector128<sbyte> n)
    {
        if (Avx2.IsSupported)
        {
            return Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(Sse2.ShiftRightLogical128BitLane(n, 8)));
        }

        (Vector128<int> low, Vector128<int> high) = Vector128.Widen(Vector128.WidenUpper(n));
        return Vector256.ConvertToSingle(Vector256.Create(low, high));
    }
}
