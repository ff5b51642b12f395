using System.Runtime.CompilerServices;
using Puna.Tensors.Quantization.Decoding;

namespace Puna.Tensors.Kernels.Cpu.Quantization;

/// <summary>Rows of any storage type to float32, by raw pointers: what a matrix product calls for a tile of a weight. Nothing is checked.</summary>
public static unsafe class DequantizeKernels
{
    /// <summary>
    /// Decodes <paramref name="count"/> values that start at a block boundary. Gives the bits of the scalar definition (spec llama1-3.md 3.4) on every
    /// processor, which NaN excepted.
    /// </summary>
    /// <param name="type">F32, F16, BF16 or a block type.</param>
    /// <param name="source">First block, any alignment.</param>
    /// <param name="destination">Room for <paramref name="count"/> values, any alignment.</param>
    /// <param name="count">A multiple of the type's block size.</param>
    /// <exception cref="PunaException">The type has no decoder (integers, float64, float8).</exception>
    public static void DequantizeRow(DType type, byte* source, float* destination, long count) =>
        DequantizeRow(type, CpuFeatures.Chosen, source, destination, count);

    /// <summary>The same with the kernels of one path, to compare paths; the paths that the processor lacks are slow but right.</summary>
    /// <exception cref="PunaException">The type has no decoder.</exception>
    internal static void DequantizeRow(DType type, CpuPath path, byte* source, float* destination, long count)
    {
        switch (type)
        {
            case DType.F32: Buffer.MemoryCopy(source, destination, count * sizeof(float), count * sizeof(float)); break;
            case DType.F16: Halves(path, (ushort*)source, destination, count); break;
            case DType.BF16: BFloats(path, (ushort*)source, destination, count); break;
            case DType.Q4_0: Rows<Q4_0Decoder, VectorQ4_0>(path, source, destination, count); break;
            case DType.Q4_1: Rows<Q4_1Decoder, VectorQ4_1>(path, source, destination, count); break;
            case DType.Q5_0: Rows<Q5_0Decoder, VectorQ5_0>(path, source, destination, count); break;
            case DType.Q5_1: Rows<Q5_1Decoder, VectorQ5_1>(path, source, destination, count); break;
            case DType.Q8_0: Rows<Q8_0Decoder, VectorQ8_0>(path, source, destination, count); break;
            case DType.Q2_K: Rows<Q2KDecoder, VectorQ2K>(path, source, destination, count); break;
            case DType.Q3_K: Rows<Q3KDecoder, VectorQ3K>(path, source, destination, count); break;
            case DType.Q4_K: Rows<Q4KDecoder, VectorQ4K>(path, source, destination, count); break;
            case DType.Q5_K: Rows<Q5KDecoder, VectorQ5K>(path, source, destination, count); break;
            case DType.Q6_K: Rows<Q6KDecoder, VectorQ6K>(path, source, destination, count); break;
            case DType.IQ4_NL: Rows<Iq4NlDecoder, VectorIq4Nl>(path, source, destination, count); break;
            case DType.IQ4_XS: Rows<Iq4XsDecoder, VectorIq4Xs>(path, source, destination, count); break;
            case DType.MXFP4: Rows<MxFp4Decoder, VectorMxFp4>(path, source, destination, count); break;
            case DType.NVFP4: Rows<NvFp4Decoder, VectorNvFp4>(path, source, destination, count); break;
            case DType.TQ1_0: Rows<Tq1_0Decoder, VectorTq1_0>(path, source, destination, count); break;
            case DType.TQ2_0: Rows<Tq2_0Decoder, VectorTq2_0>(path, source, destination, count); break;
            case DType.IQ2_XXS: Rows<Iq2XxsDecoder, VectorIq2Xxs>(path, source, destination, count); break;
            case DType.IQ2_XS: Rows<Iq2XsDecoder, VectorIq2Xs>(path, source, destination, count); break;
            case DType.IQ2_S: Rows<Iq2SDecoder, VectorIq2S>(path, source, destination, count); break;
            case DType.IQ3_XXS: Rows<Iq3XxsDecoder, VectorIq3Xxs>(path, source, destination, count); break;
            case DType.IQ3_S: Rows<Iq3SDecoder, VectorIq3S>(path, source, destination, count); break;
            case DType.IQ1_S: Rows<Iq1SDecoder, VectorIq1S>(path, source, destination, count); break;
            case DType.IQ1_M: Rows<Iq1MDecoder, VectorIq1M>(path, source, destination, count); break;
            default: throw new PunaException($"dequantise: expected a float or block type, got {type.Name()}");
        }
    }

    /// <summary>The span entry behind <see cref="Puna.Tensors.Quantization.Dequantizer"/>, lengths checked there.</summary>
    internal static void DequantizeSpan(DType type, CpuPath path, ReadOnlySpan<byte> source, Span<float> destination)
    {
        fixed (byte* from = source)
        fixed (float* to = destination)
        {
            DequantizeRow(type, path, from, to, destination.Length);
        }
    }

    private static void Rows<TScalar, TVector>(CpuPath path, byte* source, float* destination, long count)
        where TScalar : struct, IBlockDecoder
        where TVector : struct, IVectorDecoder
    {
        switch (path)
        {
            case CpuPath.Avx512: Vector<TScalar, TVector, Lanes512>(source, destination, count); break;
            case CpuPath.Avx2: Vector<TScalar, TVector, Lanes256>(source, destination, count); break;
            case CpuPath.Vector128: Vector<TScalar, TVector, Lanes128>(source, destination, count); break;
            default: Scalar<TScalar>(source, destination, count); break;
        }
    }

    private static void Halves(CpuPath path, ushort* source, float* destination, long count)
    {
        switch (path)
        {
            case CpuPath.Avx512: VectorFloats.Half<Lanes512>(source, destination, count); break;
            case CpuPath.Avx2: VectorFloats.Half<Lanes256>(source, destination, count); break;
            case CpuPath.Vector128: VectorFloats.Half<Lanes128>(source, destination, count); break;
            default: Scalar<F16Decoder>((byte*)source, destination, count); break;
        }
    }

    private static void BFloats(CpuPath path, ushort* source, float* destination, long count)
    {
        switch (path)
        {
            case CpuPath.Avx512: VectorFloats.BFloat16<Lanes512>(source, destination, count); break;
            case CpuPath.Avx2: VectorFloats.BFloat16<Lanes256>(source, destination, count); break;
            case CpuPath.Vector128: VectorFloats.BFloat16<Lanes128>(source, destination, count); break;
            default: Scalar<BF16Decoder>((byte*)source, destination, count); break;
        }
    }

    // Compiled by the JIT for this processor, never ahead of time for a baseline one.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Vector<TScalar, TVector, TLanes>(byte* source, float* destination, long count)
        where TScalar : struct, IBlockDecoder
        where TVector : struct, IVectorDecoder
        where TLanes : struct, ILanes
    {
        for (long done = 0; done < count; done += TScalar.Values)
        {
            TVector.Decode<TLanes>(source, destination);
            source += TScalar.Bytes;
            destination += TScalar.Values;
        }
    }

    private static void Scalar<TScalar>(byte* source, float* destination, long count)
        where TScalar : struct, IBlockDecoder
    {
        for (long done = 0; done < count; done += TScalar.Values)
        {
            TScalar.Decode(new ReadOnlySpan<byte>(source, TScalar.Bytes), new Span<float>(destination, TScalar.Values));
            source += TScalar.Bytes;
            destination += TScalar.Values;
        }
    }
}
