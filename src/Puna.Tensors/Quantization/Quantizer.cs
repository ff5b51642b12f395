using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Puna.Tensors.Kernels.Cpu.Quantization;
using Puna.Tensors.Quantization.Encoding;

namespace Puna.Tensors.Quantization;

/// <summary>
/// float32 to storage types: the float types, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, the K types and IQ4_NL. Gives the bytes that llama.cpp's quantiser gives without an
/// importance matrix (spec llama1-3.md 3.4 for the layouts).
/// </summary>
public static class Quantizer
{
    /// <summary>Whether values can be written as <paramref name="type"/>.</summary>
    public static bool Supports(DType type) => type is DType.F32 or DType.F16 or DType.BF16 or DType.Q4_0 or DType.Q4_1 or DType.Q5_0 or DType.Q5_1
        or DType.Q8_0 or DType.Q2_K or DType.Q3_K or DType.Q4_K or DType.Q5_K or DType.Q6_K or DType.IQ4_NL;

    /// <summary>Encodes whole blocks. Blocks do not depend on each other, so a tensor may be cut anywhere between them.</summary>
    /// <param name="type">Type to write.</param>
    /// <param name="values">
    /// A whole number of blocks; finite for block types. Float types keep NaN and infinity, and F16 rounds to infinity as IEEE 754 has it.
    /// </param>
    /// <param name="destination">Exactly the bytes of these blocks.</param>
    /// <exception cref="PunaException">
    /// The type has no encoder, the lengths do not belong together, or a block type meets a value that is not finite or too large for its half-precision scale.
    /// </exception>
    public static void Quantize(DType type, ReadOnlySpan<float> values, Span<byte> destination) =>
        Quantize(type, Vector128.IsHardwareAccelerated, values, destination);

    /// <summary>The same with the groups of a super-block fitted side by side or one by one.</summary>
    /// <exception cref="PunaException">As above.</exception>
    internal static void Quantize(DType type, bool lanes, ReadOnlySpan<float> values, Span<byte> destination)
    {
        if (!Supports(type))
        {
            throw new PunaException($"quantise: expected f32, f16, bf16, q4_0, q4_1, q5_0, q5_1, q8_0, q2_k to q6_k or iq4_nl, got {type.Name()}");
        }

        long bytes = type.RowBytes(values.Length);
        if (destination.Length != bytes)
        {
            throw new PunaException($"quantise {type.Name()}: expected room of {bytes} bytes for {values.Length} values, got {destination.Length}");
        }

        switch (type)
        {
            case DType.F32: MemoryMarshal.AsBytes(values).CopyTo(destination); break;
            case DType.F16: Rows<F16Encoder>(type, values, destination); break;
            case DType.BF16: Rows<BF16Encoder>(type, values, destination); break;
            case DType.Q4_0: Rows<Q4_0Encoder>(type, values, destination); break;
            case DType.Q4_1: Rows<Q4_1Encoder>(type, values, destination); break;
            case DType.Q5_0: Rows<Q5_0Encoder>(type, values, destination); break;
            case DType.Q5_1: Rows<Q5_1Encoder>(type, values, destination); break;
            case DType.Q8_0: Rows<Q8_0Encoder>(type, values, destination); break;
            case DType.IQ4_NL: Rows<Iq4NlEncoder>(type, values, destination); break;
            case DType.Q2_K: SuperBlocks<Q2KEncoder<LaneFitter>, Q2KEncoder<ScalarFitter>>(type, lanes, values, destination); break;
            case DType.Q3_K: SuperBlocks<Q3KEncoder<LaneFitter>, Q3KEncoder<ScalarFitter>>(type, lanes, values, destination); break;
            case DType.Q4_K: SuperBlocks<Q4KEncoder<LaneFitter>, Q4KEncoder<ScalarFitter>>(type, lanes, values, destination); break;
            case DType.Q5_K: SuperBlocks<Q5KEncoder<LaneFitter>, Q5KEncoder<ScalarFitter>>(type, lanes, values, destination); break;
            default: SuperBlocks<Q6KEncoder<LaneFitter>, Q6KEncoder<ScalarFitter>>(type, lanes, values, destination); break;
        }
    }

    private static void SuperBlocks<TLanes, TScalar>(DType type, bool lanes, ReadOnlySpan<float> values, Span<byte> destination)
        where TLanes : struct, IBlockEncoder
        where TScalar : struct, IBlockEncoder
    {
        if (lanes)
        {
            Rows<TLanes>(type, values, destination);
        }
        else
        {
            Rows<TScalar>(type, values, destination);
        }
    }

    private static void Rows<T>(DType type, ReadOnlySpan<float> values, Span<byte> destination)
        where T : struct, IBlockEncoder
    {
        if (T.Values > 1)
        {
            CheckRange(type, values);
        }

        for (int block = 0; block < values.Length / T.Values; block++)
        {
            ReadOnlySpan<float> from = values.Slice(block * T.Values, T.Values);
            if (!T.Encode(from, destination.Slice(block * T.Bytes, T.Bytes)))
            {
                float extreme = Extremes.Signed(from);
                throw TooLargeFor(type, extreme, (block * T.Values) + from.IndexOf(extreme));
            }
        }
    }

    private static void CheckRange(DType type, ReadOnlySpan<float> values)
    {
        // One pass over the bits without a branch per value. No type can hold 2^30 (Q6_K gets furthest, 65504·128·32), and below it no search overflows.
        const uint Magnitude = 0x7FFF_FFFF;
        const uint TooLarge = (127 + 30) << 23;
        uint most = 0;
        foreach (uint bits in MemoryMarshal.Cast<float, uint>(values))
        {
            most = Math.Max(most, bits & Magnitude);
        }

        for (int i = 0; most >= TooLarge && i < values.Length; i++)
        {
            float value = values[i];
            if (!float.IsFinite(value))
            {
                string name = float.IsNaN(value) ? "NaN" : value > 0 ? "infinity" : "-infinity";
                throw new PunaException($"quantise {type.Name()}: expected finite values, got {name} (value {i})");
            }

            if (MathF.Abs(value) >= 1 << 30)
            {
                throw TooLargeFor(type, value, i);
            }
        }
    }

    private static PunaException TooLargeFor(DType type, float value, int index) =>
        new(string.Create(
            CultureInfo.InvariantCulture,
            $"quantise {type.Name()}: expected values that fit half-precision scales, got {value:R} (value {index})"));
}
