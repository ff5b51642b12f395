using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>Gradient of <see cref="RmsNorm"/> by its input: with n = x r and g = dy w, dx = r (g - n mean(g n)). An item is a row. Also leaves r, for <see cref="ColumnSums"/>.</summary>
internal unsafe struct RmsNormBack : IVectorJob
{
    /// <summary>Gradient by the output, input, weight <c>[columns]</c>, gradient by the input.</summary>
    public float* Dy;
    public float* X;
    public float* W;
    public float* Dx;

    /// <summary>Receives 1 / rms of each row.</summary>
    public float* Scales;

    public int Columns;
    public float Epsilon;

    /// <summary>Whether to add to what stands in <see cref="Dx"/>.</summary>
    public bool Add;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float* x = X + ((nint)item * Columns);
        float* dy = Dy + ((nint)item * Columns);
        float* dx = Dx + ((nint)item * Columns);
        float* squares = stackalloc float[Lanes.Count];
        float* products = stackalloc float[Lanes.Count];
        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            V square = S.Splat(0), product = square;
            for (int i = j; i + S.Width <= Columns; i += Lanes.Count)
            {
                V v = S.Load(x + i);
                square = S.Fma(v, v, square);
                product = S.Fma(S.Mul(S.Load(dy + i), S.Load(W + i)), v, product);
            }

            S.Store(square, squares + j);
            S.Store(product, products + j);
        }

        for (int i = Columns - (Columns % S.Width); i < Columns; i++)
        {
            squares[i % Lanes.Count] = MathF.FusedMultiplyAdd(x[i], x[i], squares[i % Lanes.Count]);
            products[i % Lanes.Count] = MathF.FusedMultiplyAdd(dy[i] * W[i], x[i], products[i % Lanes.Count]);
        }

        float r = 1f / MathF.Sqrt((Lanes.Sum(squares) / Columns) + Epsilon);
        Scales[item] = r;

        // dx = r g - x r^3 mean(g x)
        float back = -(r * r * r) * (Lanes.Sum(products) / Columns);
        int n = 0;
        for (; n + S.Width <= Columns; n += S.Width)
        {
            V before = Add ? S.Load(dx + n) : S.Splat(0);
            V g = S.Mul(S.Load(dy + n), S.Load(W + n));
            S.Store(S.Add(before, S.Fma(g, S.Splat(r), S.Mul(S.Load(x + n), S.Splat(back)))), dx + n);
        }

        for (; n < Columns; n++)
        {
            dx[n] = (Add ? dx[n] : 0) + MathF.FusedMultiplyAdd(dy[n] * W[n], r, x[n] * back);
        }
    }
}
