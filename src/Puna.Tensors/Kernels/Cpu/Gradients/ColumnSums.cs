using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>
/// Sums over the rows of a batch, for weights that every row uses: dw += sum of dy (a bias) or of dy x r (a norm). An item is a stripe of columns that goes through all rows in order, so that the
/// result does not depend on threads.
/// </summary>
internal unsafe struct ColumnSums : IVectorJob
{
    /// <summary>Columns of a stripe: a cache line of 16 floats twice.</summary>
    public const int Stripe = 32;

    /// <summary>Gradient by the output <c>[rows, columns]</c>.</summary>
    public float* Dy;

    /// <summary>Input of the norm <c>[rows, columns]</c>, or null for a bias.</summary>
    public float* X;

    /// <summary>1 / rms of each row.</summary>
    public float* Scales;

    /// <summary>Sums <c>[columns]</c>; added to.</summary>
    public float* Dw;

    public int Rows;
    public int Columns;

    public readonly int Items => (Columns + Stripe - 1) / Stripe;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int end = Math.Min(Columns, (item + 1) * Stripe);
        int c = item * Stripe;
        for (; c + S.Width <= end; c += S.Width)
        {
            V sum = S.Splat(0);
            for (int t = 0; t < Rows; t++)
            {
                nint at = ((nint)t * Columns) + c;
                sum = X is null ? S.Add(sum, S.Load(Dy + at)) : S.Fma(S.Load(Dy + at), S.Mul(S.Load(X + at), S.Splat(Scales[t])), sum);
            }

            S.Store(S.Add(S.Load(Dw + c), sum), Dw + c);
        }

        for (; c < end; c++)
        {
            float sum = 0;
            for (int t = 0; t < Rows; t++)
            {
                nint at = ((nint)t * Columns) + c;
                sum = X is null ? sum + Dy[at] : MathF.FusedMultiplyAdd(Dy[at], X[at] * Scales[t], sum);
            }

            Dw[c] += sum;
        }
    }
}
