namespace Puna.Tensors.Kernels.Cpu;

/// <summary>Which family of kernels runs. All give the same bits; they differ in speed.</summary>
public enum CpuPath
{
    /// <summary>Plain loops: the oracle, and the fallback.</summary>
    Scalar,

    /// <summary>128-bit vectors: Arm NEON. On x86 only on request, because without AVX2 there is no fused multiply-add either.</summary>
    Vector128,

    /// <summary>256-bit vectors with fused multiply-add.</summary>
    Avx2,

    /// <summary>512-bit vectors (AVX-512 F, BW, DQ, VL).</summary>
    Avx512,
}
