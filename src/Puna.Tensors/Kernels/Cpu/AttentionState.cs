using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// What attention remembers of the keys it has met, for a number of queries: the largest score, the sum of the weights relative to it, and the sum of the values weighted so. Two states
/// of different keys can be joined.
/// </summary>
internal unsafe struct AttentionState
{
    public int HeadDim;

    /// <summary>Sums of weighted values <c>[queries, headDim]</c>.</summary>
    public float* Sums;

    /// <summary>Largest score of each query; minus infinity before the first key.</summary>
    public float* Largest;

    /// <summary>Sum of each query's weights.</summary>
    public float* Total;

    /// <summary>A state in <see cref="Floats"/> floats of memory.</summary>
    public AttentionState(float* memory, int queries, int headDim)
    {
        HeadDim = headDim;
        Sums = memory;
        Largest = memory + ((nint)queries * headDim);
        Total = Largest + queries;
    }

    /// <summary>Floats that a state takes.</summary>
    public static nint Floats(int queries, int headDim) => (nint)queries * (headDim + 2);

    /// <summary>Forgets everything.</summary>
    public readonly void Clear(int queries)
    {
        new Span<float>(Sums, queries * HeadDim).Clear();
        new Span<float>(Largest, queries).Fill(float.NegativeInfinity);
        new Span<float>(Total, queries).Clear();
    }

    /// <summary>Joins the keys of <paramref name="later"/>, which stand behind those of this state.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Join<S, TV>(in AttentionState later, int queries)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        for (int q = 0; q < queries; q++)
        {
            float* a = Sums + ((nint)q * HeadDim);
            float* b = later.Sums + ((nint)q * HeadDim);
            if (IsEmpty(later.Largest[q], later.Total[q]))
            {
                continue;
            }

            if (IsEmpty(Largest[q], Total[q]))
            {
                new Span<float>(b, HeadDim).CopyTo(new Span<float>(a, HeadDim));
                Largest[q] = later.Largest[q];
                Total[q] = later.Total[q];
                continue;
            }

            float top = later.Largest[q] > Largest[q] ? later.Largest[q] : Largest[q];
            float own = VectorMath.Exp<Simd1, float>(Largest[q] - top);
            float other = VectorMath.Exp<Simd1, float>(later.Largest[q] - top);
            Largest[q] = top;
            Total[q] = MathF.FusedMultiplyAdd(later.Total[q], other, Total[q] * own);
            int i = 0;
            for (; i + S.Width <= HeadDim; i += S.Width)
            {
                S.Store(S.Fma(S.Load(b + i), S.Splat(other), S.Mul(S.Load(a + i), S.Splat(own))), a + i);
            }

            for (; i < HeadDim; i++)
            {
                a[i] = MathF.FusedMultiplyAdd(b[i], other, a[i] * own);
            }
        }
    }

    /// <summary>Writes a query's result: the weighted mean of the values. A query that saw no key at all gives zeros, not 0 / 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Finish<S, TV>(int query, float* y)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        float* sum = Sums + ((nint)query * HeadDim);
        float total = IsEmpty(Largest[query], Total[query]) ? 1 : Total[query];
        int i = 0;
        for (; i + S.Width <= HeadDim; i += S.Width)
        {
            S.Store(S.Div(S.Load(sum + i), S.Splat(total)), y + i);
        }

        for (; i < HeadDim; i++)
        {
            y[i] = sum[i] / total;
        }
    }

    private static bool IsEmpty(float largest, float total) => total == 0 && float.IsNegativeInfinity(largest);
}
