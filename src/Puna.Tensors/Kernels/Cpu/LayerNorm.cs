using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>y = (x - mean) / sqrt(variance + eps) * w + b, row by row; the variance is that of the row, divided by its length. Sums have the shape of <see cref="Lanes"/>.</summary>
internal unsafe struct LayerNorm : IVectorJob
{
    public float* X;
    public float* W;
    public float* B;
    public float* Y;
    public int Columns;
    public float Epsilon;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float* x = X + ((nint)item * Columns);
        float* y = Y + ((nint)item * Columns);
        float scale = Scale<S, V>(x, Columns, Epsilon, out float mean);
        int n = 0;
        for (; n + S.Width <= Columns; n += S.Width)
        {
            V normed = S.Mul(S.Sub(S.Load(x + n), S.Splat(mean)), S.Splat(scale));
            S.Store(S.Fma(normed, S.Load(W + n), S.Load(B + n)), y + n);
        }

        for (; n < Columns; n++)
        {
            y[n] = MathF.FusedMultiplyAdd((x[n] - mean) * scale, W[n], B[n]);
        }
    }

    /// <summary>1 / sqrt(variance + eps) of a row, and its mean.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Scale<S, V>(float* x, int columns, float epsilon, out float mean)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float* lanes = stackalloc float[Lanes.Count];
        int tail = columns - (columns % S.Width);
        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            V sum = S.Splat(0);
            for (int i = j; i + S.Width <= columns; i += Lanes.Count)
            {
                sum = S.Add(sum, S.Load(x + i));
            }

            S.Store(sum, lanes + j);
        }

        for (int i = tail; i < columns; i++)
        {
            lanes[i % Lanes.Count] += x[i];
        }

        float middle = Lanes.Sum(lanes) / columns;
        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            V sum = S.Splat(0);
            for (int i = j; i + S.Width <= columns; i += Lanes.Count)
            {
                V d = S.Sub(S.Load(x + i), S.Splat(middle));
                sum = S.Fma(d, d, sum);
            }

            S.Store(sum, lanes + j);
        }

        for (int i = tail; i < columns; i++)
        {
            float d = x[i] - middle;
            lanes[i % Lanes.Count] = MathF.FusedMultiplyAdd(d, d, lanes[i % Lanes.Count]);
        }

        mean = middle;
        return 1f / MathF.Sqrt((Lanes.Sum(lanes) / columns) + epsilon);
    }
}
