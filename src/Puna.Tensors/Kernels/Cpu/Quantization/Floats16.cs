using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Sixteen floats on the stack: the scales of a super-block. A struct, not stackalloc, so that its users are inlined into their loop.</summary>
[InlineArray(16)]
internal struct Floats16
{
    private float _first;
}
