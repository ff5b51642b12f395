namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>One block of a storage type to float32 with vectors; gives the bits of the type's scalar twin in <c>Quantization/Decoding</c>.</summary>
internal unsafe interface IVectorDecoder
{
    /// <summary>Decodes the block at <paramref name="block"/> (any alignment).</summary>
    static abstract void Decode<TLanes>(byte* block, float* to)
        where TLanes : struct, ILanes;
}
