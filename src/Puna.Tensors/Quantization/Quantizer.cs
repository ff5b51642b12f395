using System.Runtime.InteropServices;
using Puna.Tensors.Quantization.Encoding;

namespace Puna.Tensors.Quantization;

/// <summary>
/// float32 to storage types: the float types, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 and the K types. Gives the bytes that llama.cpp's quantiser gives without an
/// importance matrix (spec llama1-3.md 3.4 for the layouts).
/// </summary>
public static class Quantizer
{
    /// <summary>Whether values can be written as <paramref name="type"/>.</summary>
    public static bool Supports(DType type) => type is DType.F32 or DType.F16 or DType.BF16 or DType.Q4_0 or DType.Q4_1 or DType.Q5_0 or DType.Q5_1
        or DType.Q8_0 or DType.Q2_K or DType.Q3_K or DType.Q4_K or DType.Q5_K or DType.Q6_K;

    /// <summary>Encodes whole blocks. Blocks do not depend on each other, so a tensor may be cut anywhere between them.</summary>
    /// <param name="type">Type to write.</param>
    /// <param name="values">A whole number of blocks; finite for block types. Float types keep NaN and infinity, and F16 rounds to infinity as IEEE 754 has it.</param>
    /// <param name="destination">Exactly the bytes of these blocks.</param>
    /// <exception cref="PunaException">
    /// The type has no encoder, the lengths do not belong together, or a block type meets a value that is not finite or too large for its half-precision scale.
    /// </exception>
    public static void Quantize(DType type, ReadOnlySpan<float> values, Span<byte> destination)
    {
        if (!Supports(type))
        {
            throw new PunaException($"quantise: expected f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0 or q2_k to q6_k, got {type.Name()}");
        }

        long bytes = type.RowBytes(values.Length);
        if (destination.Length != bytes)
        {
            throw new PunaException($"quantise {type.Name()}: expected room of {bytes} bytes for {values.Length} values, got {destination.Length}");
        }

        switch (type)
        {
            case DType.F32: Rows<F32Encoder>(type, values, destination); break;
            case DType.F16: Rows<F16Encoder>(type, values, destination); break;
            case DType.BF16: Rows<BF16Encoder>(type, values, destination); break;
            case DType.Q4_0: Rows<Q4_0Encoder>(type, values, destination); break;
            case DType.Q4_1: Rows<Q4_1Encoder>(type, values, destination); break;
            case DType.Q5_0: Rows<Q5_0Encoder>(type, values, destination); break;
            case DType.Q5_1: Rows<Q5_1Encoder>(type, values, destination); break;
            case DType.Q8_0: Rows<Q8_0Encoder>(type, values, destination); break;
            case DType.Q2_K: Rows<Q2KEncoder>(type, values, destination); break;
            case DType.Q3_K: Rows<Q3KEncoder>(type, values, destination); break;
            case DType.Q4_K: Rows<Q4KEncoder>(type, values, destination); break;
            case DType.Q5_K: Rows<Q5KEncoder>(type, values, destination); break;
            default: Rows<Q6KEncoder>(type, values, destination); break;
        }
    }

    private static void Rows<T>(DType type, ReadOnlySpan<float> values, Span<byte> destination)
        where T : struct, IBlockEncoder
    {
        if (T.Values > 1)
        {
            CheckFinite(type, values);
        }

        for (int block = 0; block < values.Length / T.Values; block++)
        {
            ReadOnlySpan<float> from = values.Slice(block * T.Values, T.Values);
            if (!T.Encode(from, destination.Slice(block * T.Bytes, T.Bytes)))
            {
                throw new PunaException(
                    $"quantise {type.Name()}: expected values that fit half-precision scales, got {Extremes.Signed(from):R} (values {block * T.Values} to {((block + 1) * T.Values) - 1})");
            }
        }
    }

    private static void CheckFinite(DType type, ReadOnlySpan<float> values)
    {
        // The exponent of a finite value is not all ones: one pass over the bits without a branch per value.
        const uint Exponent = 0x7F80_0000;
        uint found = 0;
        foreach (uint bits in MemoryMarshal.Cast<float, uint>(values))
        {
            found |= (bits & Exponent) == Exponent ? 1u : 0u;
        }

        for (int i = 0; found != 0 && i < values.Length; i++)
        {
            if (!float.IsFinite(values[i]))
            {
                throw new PunaException($"quantise {type.Name()}: expected finite values, got {(float.IsNaN(values[i]) ? "NaN" : values[i] > 0 ? "infinity" : "-infinity")} (value {i})");
            }
        }
    }
}
