using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>
/// Sixteen values to memory, in vectors of some width: the only part of the decoders that depends on the width. Multiplication and addition are separate
/// operations with a rounding each, as in the scalar twins; they must not be contracted to a fused one.
/// </summary>
internal unsafe interface ILanes
{
    /// <summary><c>to[i] = scale * n[i]</c></summary>
    static abstract void Scale(Vector128<sbyte> n, float scale, float* to);

    /// <summary><c>to[i] = (scale * n[i]) + add</c></summary>
    static abstract void ScaleAdd(Vector128<sbyte> n, float scale, float add, float* to);

    /// <summary>Sixteen IEEE halves.</summary>
    static abstract void Half(ushort* from, float* to);

    /// <summary>Sixteen bfloat16 values.</summary>
    static abstract void BFloat16(ushort* from, float* to);
}
