using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>
/// Gradient of <see cref="LayerNorm"/> by its input: with n = (x - mean) r and g = dy w, dx = r (g - mean(g) - n mean(g n)). An item is a row. Also leaves n, for <see cref="ColumnSums"/>.
/// </summary>
internal unsafe struct LayerNormBack : IVectorJob
{
    /// <summary>Gradient by the output, input, weight <c>[columns]</c>, gradient by the input.</summary>
    public float* Dy;
    public float* X;
    public float* W;
    public float* Dx;

    /// <summary>Receives the normed input <c>[rows, columns]</c>.</summary>
    public float* Normed;

    public int Columns;
    public float Epsilon;

    /// <summary>Whether to add to what stands in <see cref="Dx"/>.</summary>
    public bool Add;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        nint row = (nint)item * Columns;
        float* x = X + row;
        float* dy = Dy + row;
        float* dx = Dx + row;
        float* normed = Normed + row;
        float r = LayerNorm.Scale<S, V>(x, Columns, Epsilon, out float mean);
        float* sums = stackalloc float[Lanes.Count];
        float* products = stackalloc float[Lanes.Count];
        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            V sum = S.Splat(0), product = sum;
            for (int i = j; i + S.Width <= Columns; i += Lanes.Count)
            {
                V n = S.Mul(S.Sub(S.Load(x + i), S.Splat(mean)), S.Splat(r));
                V g = S.Mul(S.Load(dy + i), S.Load(W + i));
                S.Store(n, normed + i);
                sum = S.Add(sum, g);
                product = S.Fma(g, n, product);
            }

            S.Store(sum, sums + j);
            S.Store(product, products + j);
        }

        for (int i = Columns - (Columns % S.Width); i < Columns; i++)
        {
            float g = dy[i] * W[i];
            normed[i] = (x[i] - mean) * r;
            sums[i % Lanes.Count] += g;
            products[i % Lanes.Count] = MathF.FusedMultiplyAdd(g, normed[i], products[i % Lanes.Count]);
        }

        float meanG = Lanes.Sum(sums) / Columns, meanGn = Lanes.Sum(products) / Columns;
        int c = 0;
        for (; c + S.Width <= Columns; c += S.Width)
        {
            V g = S.Sub(S.Mul(S.Load(dy + c), S.Load(W + c)), S.Splat(meanG));
            V gradient = S.Mul(S.Fma(S.Load(normed + c), S.Splat(-meanGn), g), S.Splat(r));
            S.Store(Add ? S.Add(S.Load(dx + c), gradient) : gradient, dx + c);
        }

        for (; c < Columns; c++)
        {
            float gradient = MathF.FusedMultiplyAdd(normed[c], -meanGn, (dy[c] * W[c]) - meanG) * r;
            dx[c] = Add ? dx[c] + gradient : gradient;
        }
    }
}
