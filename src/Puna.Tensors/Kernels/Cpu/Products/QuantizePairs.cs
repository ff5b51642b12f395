using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Quantises input rows to <see cref="PairRows"/>, an item a row. Every operation is exact or rounded once, so all paths give the same bits.</summary>
internal unsafe struct QuantizePairs : IKernelJob
{
    // Below this the reciprocal overflows; such a block is nothing beside any other.
    private const float Smallest = 1e-30f;

    /// <summary>Kernel to use.</summary>
    public CpuPath Path;

    /// <summary>Inputs <c>[tokens, K]</c>.</summary>
    public float* X;

    /// <summary>Floats from a row to the next.</summary>
    public nint XStride;

    /// <summary>Receives the quantised rows.</summary>
    public PairRows Rows;

    /// <inheritdoc/>
    public readonly void Execute(int item, int worker)
    {
        float* x = X + (item * XStride);
        short* q = Rows.Q + ((nint)item * Rows.Stride);
        nint blocks = Rows.K / 32;
        float* scales = Rows.Scales + (item * blocks);
        bool wide = Path != CpuPath.Scalar && Avx2.IsSupported;
        for (nint b = 0; b < blocks; b++)
        {
            scales[b] = wide ? Wide(x + (32 * b), q + (32 * b)) : Scalar(x + (32 * b), q + (32 * b));
        }
    }

    private static float Scalar(float* x, short* q)
    {
        float largest = 0;
        for (int i = 0; i < 32; i++)
        {
            largest = MathF.Max(largest, MathF.Abs(x[i])); // a NaN stays
        }

        float inverse = Inverse(largest, out float scale);
        for (int i = 0; i < 32; i++)
        {
            q[PairRows.Place(i)] = inverse == 0 ? (short)0 : (short)MathF.Round(x[i] * inverse);
        }

        return scale;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Wide(float* x, short* q)
    {
        Vector256<float> a = Vector256.Load(x), b = Vector256.Load(x + 8), c = Vector256.Load(x + 16), d = Vector256.Load(x + 24);
        Vector256<float> m = Vector256.Max(Vector256.Max(Vector256.Abs(a), Vector256.Abs(b)), Vector256.Max(Vector256.Abs(c), Vector256.Abs(d)));
        Vector128<float> four = Vector128.Max(m.GetLower(), m.GetUpper());
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
        four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2)));
        float inverse = Inverse(four.ToScalar(), out float scale);
        if (inverse == 0)
        {
            new Span<short>(q, 32).Clear();
            return scale;
        }

        // ConvertToVector256Int32 rounds to nearest, ties to even, as MathF.Round does. Packing works in halves of 128 bits: the permutation puts them in order.
        Vector256<float> s = Vector256.Create(inverse);
        Vector256<short> low = Avx2.PackSignedSaturate(Avx.ConvertToVector256Int32(a * s), Avx.ConvertToVector256Int32(b * s));
        Vector256<short> high = Avx2.PackSignedSaturate(Avx.ConvertToVector256Int32(c * s), Avx.ConvertToVector256Int32(d * s));
        low = Avx2.Permute4x64(low.AsInt64(), 0b11_01_10_00).AsInt16();
        high = Avx2.Permute4x64(high.AsInt64(), 0b11_01_10_00).AsInt16();

        // Even inputs before odd ones in every four, then two of the first sixteen beside two of the others: the order of PairRows.
        low = Avx2.ShuffleHigh(Avx2.ShuffleLow(low, 0b11_01_10_00), 0b11_01_10_00);
        high = Avx2.ShuffleHigh(Avx2.ShuffleLow(high, 0b11_01_10_00), 0b11_01_10_00);
        Vector256<int> even = Avx2.UnpackLow(low.AsInt32(), high.AsInt32()); // groups 0 and 2
        Vector256<int> odd = Avx2.UnpackHigh(low.AsInt32(), high.AsInt32()); // groups 1 and 3
        Avx2.Permute2x128(even, odd, 0x20).AsInt16().Store(q);
        Avx2.Permute2x128(even, odd, 0x31).AsInt16().Store(q + 16);
        return scale;
    }

    /// <summary>What to multiply with, 0 for a block that becomes zeros; infinity and NaN give a NaN scale, so that they are not hidden.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Inverse(float largest, out float scale)
    {
        if (largest < Smallest)
        {
            scale = 0;
            return 0;
        }

        if (!float.IsFinite(largest))
        {
            scale = float.NaN;
            return 0;
        }

        scale = largest / PairRows.Limit;
        return PairRows.Limit / largest;
    }
}
