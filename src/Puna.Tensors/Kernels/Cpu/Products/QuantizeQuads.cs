using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Quantises input rows to <see cref="QuadRows"/>, an item a row. Every operation is exact or rounded once, so all paths give the same bits.</summary>
internal unsafe struct QuantizeQuads : IKernelJob
{
    // Below this the reciprocal overflows; such a row is nothing beside any other.
    private const float Smallest = 1e-30f;

    /// <summary>Kernel to use.</summary>
    public CpuPath Path;

    /// <summary>Inputs <c>[tokens, K]</c>.</summary>
    public float* X;

    /// <summary>Floats from a row to the next.</summary>
    public nint XStride;

    /// <summary>Receives the quantised rows.</summary>
    public QuadRows Rows;

    /// <inheritdoc/>
    public readonly void Execute(int item, int worker)
    {
        float* x = X + (item * XStride);
        QuadRows row = Rows.From(item, 0);
        bool wide = Path != CpuPath.Scalar && Avx2.IsSupported;

        // The largest of each 16 waits where the sums will be.
        float largest = wide ? LargestWide(x, row) : Largest(x, row);
        if (largest < Smallest || !float.IsFinite(largest))
        {
            // Infinity and NaN give a NaN scale, so that they are not hidden.
            row.Scale[0] = largest < Smallest ? 0 : float.NaN;
            Clear(row);
            return;
        }

        float scale = largest / (QuadRows.Limit * QuadRows.MaxMultiplier);
        row.Scale[0] = scale;
        float steps = 1 / (QuadRows.Limit * scale);
        nint lanes = row.Lanes;
        int before = 0;
        for (int g = 0; g < row.K / 16; g++)
        {
            int m = Math.Min(QuadRows.MaxMultiplier, (int)MathF.Ceiling(row.Means16[g * lanes] * steps));
            float inverse = m == 0 ? 0 : 1 / (m * scale);
            int sum = m * (wide ? Wide(x + (16 * g), row.Q + (4 * g * lanes), lanes, inverse) : Scalar(x + (16 * g), row.Q + (4 * g * lanes), lanes, inverse));
            row.M[g * lanes] = m * 0x0001_0001;
            row.Sums16[g * lanes] = sum;
            row.Means16[g * lanes] = sum;
            if (g % 2 == 1)
            {
                row.Sums32[g / 2 * lanes] = before + sum;
                row.Means32[g / 2 * lanes] = before + sum;
            }

            before = sum;
        }
    }

    private static void Clear(in QuadRows row)
    {
        nint lanes = row.Lanes;
        for (int i = 0; i < row.K / 4; i++)
        {
            row.Q[i * lanes] = 0;
        }

        for (int g = 0; g < row.K / 16; g++)
        {
            row.M[g * lanes] = 0;
            row.Sums16[g * lanes] = 0;
            row.Means16[g * lanes] = 0;
            row.Sums32[g / 2 * lanes] = 0;
            row.Means32[g / 2 * lanes] = 0;
        }
    }

    private static float Largest(float* x, in QuadRows row)
    {
        float all = 0;
        for (int g = 0; g < row.K / 16; g++)
        {
            float largest = 0;
            for (int i = 0; i < 16; i++)
            {
                largest = MathF.Max(largest, MathF.Abs(x[(16 * g) + i])); // a NaN stays
            }

            row.Means16[g * (nint)row.Lanes] = largest;
            all = MathF.Max(all, largest);
        }

        return all;
    }

    private static int Scalar(float* x, int* q, nint lanes, float inverse)
    {
        int sum = 0;
        for (int i = 0; i < 16; i++)
        {
            int value = (int)MathF.Round(x[i] * inverse);
            ((sbyte*)(q + (i / 4 * lanes)))[i % 4] = (sbyte)value;
            sum += value;
        }

        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float LargestWide(float* x, in QuadRows row)
    {
        Vector128<float> all = default;
        for (int g = 0; g < row.K / 16; g++, x += 16)
        {
            Vector256<float> m = Vector256.Max(Vector256.Abs(Vector256.Load(x)), Vector256.Abs(Vector256.Load(x + 8)));
            Vector128<float> four = Vector128.Max(m.GetLower(), m.GetUpper());
            four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(2, 3, 0, 1)));
            four = Vector128.Max(four, Vector128.Shuffle(four, Vector128.Create(1, 0, 3, 2)));
            row.Means16[g * (nint)row.Lanes] = four.ToScalar();
            all = Vector128.Max(all, four);
        }

        return all.ToScalar();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Wide(float* x, int* q, nint lanes, float inverse)
    {
        // ConvertToVector256Int32 rounds to nearest, ties to even, as MathF.Round does. Packing works in halves of 128 bits: the permutation puts them in order.
        Vector256<float> s = Vector256.Create(inverse);
        Vector256<int> a = Avx.ConvertToVector256Int32(Vector256.Load(x) * s), b = Avx.ConvertToVector256Int32(Vector256.Load(x + 8) * s);
        Vector256<short> words = Avx2.Permute4x64(Avx2.PackSignedSaturate(a, b).AsInt64(), 0b11_01_10_00).AsInt16();
        Vector128<int> bytes = Sse2.PackSignedSaturate(words.GetLower(), words.GetUpper()).AsInt32();
        if (lanes == 1)
        {
            bytes.Store(q);
        }
        else
        {
            q[0] = bytes.ToScalar();
            q[lanes] = bytes.GetElement(1);
            q[2 * lanes] = bytes.GetElement(2);
            q[3 * lanes] = bytes.GetElement(3);
        }

        Vector128<int> sum = (a + b).GetLower() + (a + b).GetUpper();
        sum += Vector128.Shuffle(sum, Vector128.Create(2, 3, 0, 1));
        return sum.GetElement(0) + sum.GetElement(1);
    }
}
