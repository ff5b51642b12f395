using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Four vectors of 128 bits, portable code only.</summary>
internal unsafe struct Lanes128 : ILanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale(Vector128<sbyte> n, float scale, float* to)
    {
        Vector128<float> s = Vector128.Create(scale);
        (Vector128<short> low, Vector128<short> high) = Vector128.Widen(n);
        (s * Vector128.ConvertToSingle(Vector128.WidenLower(low))).Store(to);
        (s * Vector128.ConvertToSingle(Vector128.WidenUpper(low))).Store(to + 4);
        (s * Vector128.ConvertToSingle(Vector128.WidenLower(high))).Store(to + 8);
        (s * Vector128.ConvertToSingle(Vector128.WidenUpper(high))).Store(to + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ScaleAdd(Vector128<sbyte> n, float scale, float add, float* to)
    {
        Vector128<float> s = Vector128.Create(scale);
        Vector128<float> a = Vector128.Create(add);
        (Vector128<short> low, Vector128<short> high) = Vector128.Widen(n);
        ((s * Vector128.ConvertToSingle(Vector128.WidenLower(low))) + a).Store(to);
        ((s * Vector128.ConvertToSingle(Vector128.WidenUpper(low))) + a).Store(to + 4);
        ((s * Vector128.ConvertToSingle(Vector128.WidenLower(high))) + a).Store(to + 8);
        ((s * Vector128.ConvertToSingle(Vector128.WidenUpper(high))) + a).Store(to + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Half(ushort* from, float* to)
    {
        for (int i = 0; i < 16; i += 8)
        {
            (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(Vector128.Load(from + i));
            HalfBits.ToSingle(low).Store(to + i);
            HalfBits.ToSingle(high).Store(to + i + 4);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void BFloat16(ushort* from, float* to)
    {
        for (int i = 0; i < 16; i += 8)
        {
            (Vector128<uint> low, Vector128<uint> high) = Vector128.Widen(Vector128.Load(from + i));
            (low << 16).AsSingle().Store(to + i);
            (high << 16).AsSingle().Store(to + i + 4);
        }
    }
}
