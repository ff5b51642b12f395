using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>Finds out, once, which kernels this processor can run.</summary>
public static class CpuFeatures
{
    /// <summary>The environment variable that forces a path: <c>scalar</c>, <c>vector128</c>, <c>avx2</c> or <c>avx512</c>.</summary>
    public const string Variable = "PUNA_CPU";

    /// <summary>The fastest path of this processor, whatever the environment says.</summary>
    public static CpuPath Best { get; } =
        // Not Vector512.IsHardwareAccelerated: it is false on first-generation AVX-512, where 512 bits are the fastest all the same.
        Avx512BW.IsSupported && Avx512DQ.IsSupported && Avx512F.VL.IsSupported ? CpuPath.Avx512
        : Avx2.IsSupported && Fma.IsSupported ? CpuPath.Avx2
        : AdvSimd.Arm64.IsSupported ? CpuPath.Vector128
        : CpuPath.Scalar;

    /// <summary>The path in use: <see cref="Best"/>, or what <see cref="Variable"/> asks for.</summary>
    /// <exception cref="PunaException">The variable names no path, or one this processor lacks.</exception>
    public static CpuPath Chosen => ChosenOnce.Value;

    private static Lazy<CpuPath> ChosenOnce { get; } = new(() => Choose(Environment.GetEnvironmentVariable(Variable)));

    /// <summary>The path for a value of <see cref="Variable"/>; null or empty means the best.</summary>
    public static CpuPath Choose(string? wish)
    {
        if (string.IsNullOrWhiteSpace(wish))
        {
            return Best;
        }

        if (!Enum.TryParse(wish.Trim(), ignoreCase: true, out CpuPath path) || !Enum.IsDefined(path) || char.IsAsciiDigit(wish.Trim()[0]))
        {
            throw new PunaException($"{Variable}: expected scalar, vector128, avx2 or avx512, got {wish}");
        }

        bool possible = path switch
        {
            CpuPath.Avx512 => Best == CpuPath.Avx512,
            CpuPath.Avx2 => Avx2.IsSupported && Fma.IsSupported,
            CpuPath.Vector128 => Vector128.IsHardwareAccelerated,
            _ => true,
        };
        return possible ? path : throw new PunaException($"{Variable}: expected a path this processor has, got {wish} (its best is {Best})");
    }
}
