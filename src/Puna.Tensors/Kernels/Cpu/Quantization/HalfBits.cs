using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>
/// IEEE halves to float32 by integer arithmetic on vectors, as in <see cref="Puna.Tensors.Quantization.FloatBits.FromHalf"/>. The runtime's own
/// conversion goes value by value.
/// </summary>
internal static class HalfBits
{
    private const uint Rebias = 112u << 23; // exponent bias 15 -> 127
    private const uint FirstNormal = 1u << 23; // the smallest normal half, shifted to float32's place
    private const uint LastFinite = (31u << 23) - 1; // above it infinity and NaN
    private const uint SmallestNormal = 113u << 23; // 2^-14

    /// <summary>Halves, zero-extended, to values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector128<float> ToSingle(Vector128<uint> half)
    {
        Vector128<uint> sign = (half & Vector128.Create(0x8000u)) << 16;
        Vector128<uint> magnitude = (half & Vector128.Create(0x7FFFu)) << 13;
        Vector128<uint> special = Vector128.GreaterThan(magnitude.AsInt32(), Vector128.Create((int)LastFinite)).AsUInt32() & Vector128.Create(Rebias);
        Vector128<uint> normal = magnitude + Vector128.Create(Rebias) + special;
        Vector128<float> denormal = (magnitude + Vector128.Create(SmallestNormal)).AsSingle() - Vector128.Create(SmallestNormal).AsSingle();
        Vector128<int> small = Vector128.LessThan(magnitude.AsInt32(), Vector128.Create((int)FirstNormal));
        return (Vector128.ConditionalSelect(small.AsUInt32(), denormal.AsUInt32(), normal) | sign).AsSingle();
    }

    /// <summary>Halves, zero-extended, to values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector256<float> ToSingle(Vector256<uint> half)
    {
        Vector256<uint> sign = (half & Vector256.Create(0x8000u)) << 16;
        Vector256<uint> magnitude = (half & Vector256.Create(0x7FFFu)) << 13;
        Vector256<uint> special = Vector256.GreaterThan(magnitude.AsInt32(), Vector256.Create((int)LastFinite)).AsUInt32() & Vector256.Create(Rebias);
        Vector256<uint> normal = magnitude + Vector256.Create(Rebias) + special;
        Vector256<float> denormal = (magnitude + Vector256.Create(SmallestNormal)).AsSingle() - Vector256.Create(SmallestNormal).AsSingle();
        Vector256<int> small = Vector256.LessThan(magnitude.AsInt32(), Vector256.Create((int)FirstNormal));
        return (Vector256.ConditionalSelect(small.AsUInt32(), denormal.AsUInt32(), normal) | sign).AsSingle();
    }

    /// <summary>Halves, zero-extended, to values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> ToSingle(Vector512<uint> half)
    {
        Vector512<uint> sign = (half & Vector512.Create(0x8000u)) << 16;
        Vector512<uint> magnitude = (half & Vector512.Create(0x7FFFu)) << 13;
        Vector512<uint> special = Vector512.GreaterThan(magnitude.AsInt32(), Vector512.Create((int)LastFinite)).AsUInt32() & Vector512.Create(Rebias);
        Vector512<uint> normal = magnitude + Vector512.Create(Rebias) + special;
        Vector512<float> denormal = (magnitude + Vector512.Create(SmallestNormal)).AsSingle() - Vector512.Create(SmallestNormal).AsSingle();
        Vector512<int> small = Vector512.LessThan(magnitude.AsInt32(), Vector512.Create((int)FirstNormal));
        return (Vector512.ConditionalSelect(small.AsUInt32(), denormal.AsUInt32(), normal) | sign).AsSingle();
    }
}
