using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>How wide the vectors of a decoder are. Every level gives the same bits.</summary>
internal enum VectorLevel
{
    /// <summary>The scalar twin.</summary>
    Scalar,

    /// <summary>128 bits: Arm, and x86 without AVX2.</summary>
    V128,

    /// <summary>256 bits: AVX2.</summary>
    V256,

    /// <summary>512 bits: AVX-512 F and BW.</summary>
    V512,
}

/// <summary>The level of this processor.</summary>
internal static class VectorLevels
{
    /// <summary>The widest one the processor has; asks for AVX-512 itself, because the runtime calls 512 bits unaccelerated on its first generation.</summary>
    public static VectorLevel Best =>
        Avx512BW.IsSupported ? VectorLevel.V512
        : Avx2.IsSupported ? VectorLevel.V256
        : Vector128.IsHardwareAccelerated ? VectorLevel.V128
        : VectorLevel.Scalar;
}
