using Puna.Tensors.Quantization.Decoding;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Rows of any storage type to float32, by raw pointers: what a matrix product calls for a tile of a weight. Nothing is checked.</summary>
public static unsafe class DequantizeKernels
{
    /// <summary>
    /// Decodes <paramref name="count"/> values that start at a block boundary. Gives the bits of the scalar definition (spec llama1-3.md 3.4) on every
    /// processor.
    /// </summary>
    /// <param name="type">F32, F16, BF16 or a block type.</param>
    /// <param name="source">First block, any alignment.</param>
    /// <param name="destination">Room for <paramref name="count"/> values, any alignment.</param>
    /// <param name="count">A multiple of the type's block size.</param>
    /// <exception cref="PunaException">The type has no decoder (integers, float64, float8).</exception>
    public static void DequantizeRow(DType type, byte* source, float* destination, long count)
    {
        if (type == DType.F32)
        {
            Buffer.MemoryCopy(source, destination, count * sizeof(float), count * sizeof(float));
            return;
        }

        Scalar(type, source, destination, count);
    }

    /// <summary>The scalar twin of <see cref="DequantizeRow"/>: the same contract, one value at a time.</summary>
    /// <exception cref="PunaException">The type has no decoder.</exception>
    public static void Scalar(DType type, byte* source, float* destination, long count)
    {
        switch (type)
        {
            case DType.F32: Rows<F32Decoder>(source, destination, count); break;
            case DType.F16: Rows<F16Decoder>(source, destination, count); break;
            case DType.BF16: Rows<BF16Decoder>(source, destination, count); break;
            case DType.Q4_0: Rows<Q4_0Decoder>(source, destination, count); break;
            case DType.Q4_1: Rows<Q4_1Decoder>(source, destination, count); break;
            case DType.Q5_0: Rows<Q5_0Decoder>(source, destination, count); break;
            case DType.Q5_1: Rows<Q5_1Decoder>(source, destination, count); break;
            case DType.Q8_0: Rows<Q8_0Decoder>(source, destination, count); break;
            case DType.Q2_K: Rows<Q2KDecoder>(source, destination, count); break;
            case DType.Q3_K: Rows<Q3KDecoder>(source, destination, count); break;
            case DType.Q4_K: Rows<Q4KDecoder>(source, destination, count); break;
            case DType.Q5_K: Rows<Q5KDecoder>(source, destination, count); break;
            case DType.Q6_K: Rows<Q6KDecoder>(source, destination, count); break;
            case DType.IQ4_NL: Rows<Iq4NlDecoder>(source, destination, count); break;
            case DType.IQ4_XS: Rows<Iq4XsDecoder>(source, destination, count); break;
            case DType.MXFP4: Rows<MxFp4Decoder>(source, destination, count); break;
            case DType.NVFP4: Rows<NvFp4Decoder>(source, destination, count); break;
            case DType.TQ1_0: Rows<Tq1_0Decoder>(source, destination, count); break;
            case DType.TQ2_0: Rows<Tq2_0Decoder>(source, destination, count); break;
            case DType.IQ2_XXS: Rows<Iq2XxsDecoder>(source, destination, count); break;
            case DType.IQ2_XS: Rows<Iq2XsDecoder>(source, destination, count); break;
            case DType.IQ2_S: Rows<Iq2SDecoder>(source, destination, count); break;
            case DType.IQ3_XXS: Rows<Iq3XxsDecoder>(source, destination, count); break;
            case DType.IQ3_S: Rows<Iq3SDecoder>(source, destination, count); break;
            case DType.IQ1_S: Rows<Iq1SDecoder>(source, destination, count); break;
            case DType.IQ1_M: Rows<Iq1MDecoder>(source, destination, count); break;
            default: throw new PunaException($"dequantise: expected a float or block type, got {type.Name()}");
        }
    }

    /// <summary>The span entry behind <see cref="Puna.Tensors.Quantization.Dequantizer"/>, lengths checked there.</summary>
    internal static void DequantizeSpan(DType type, ReadOnlySpan<byte> source, Span<float> destination)
    {
        fixed (byte* from = source)
        fixed (float* to = destination)
        {
            DequantizeRow(type, from, to, destination.Length);
        }
    }

    private static void Rows<T>(byte* source, float* destination, long count)
        where T : struct, IBlockDecoder
    {
        for (long done = 0; done < count; done += T.Values)
        {
            T.Decode(new ReadOnlySpan<byte>(source, T.Bytes), new Span<float>(destination, T.Values));
            source += T.Bytes;
            destination += T.Values;
        }
    }
}
