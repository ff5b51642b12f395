using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Quantization;

namespace Puna.Tensors.Quantization;

/// <summary>
/// Storage types to float32, bit for bit as the format defines them, signs of zero included (spec llama1-3.md 3.4): F32, F16, BF16 and every block type
/// of GGUF.
/// </summary>
public static class Dequantizer
{
    /// <summary>Whether <paramref name="type"/> can be decoded: the float types and every block type, not integers, float64 and float8.</summary>
    public static bool Supports(DType type) => DTypes.IsDefined(type) && (type.IsFloat() || type.IsBlock());

    /// <summary>Decodes whole blocks.</summary>
    /// <param name="type">Type of the bytes.</param>
    /// <param name="source">Blocks without gaps; exactly the bytes of <paramref name="destination"/>'s values.</param>
    /// <param name="destination">Receives the values; a whole number of blocks.</param>
    /// <exception cref="PunaException">The type has no decoder, or the lengths do not belong together.</exception>
    public static void Dequantize(DType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        if (!Supports(type))
        {
            throw new PunaException($"dequantise: expected a float or block type, got {type.Name()}");
        }

        long bytes = type.RowBytes(destination.Length);
        if (source.Length != bytes)
        {
            throw new PunaException($"dequantise {type.Name()}: expected {bytes} bytes for {destination.Length} values, got {source.Length}");
        }

        DequantizeKernels.DequantizeSpan(type, CpuFeatures.Chosen, source, destination);
    }
}
