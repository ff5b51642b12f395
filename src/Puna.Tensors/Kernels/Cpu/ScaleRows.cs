using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>y = x s, each row with a factor of its own: attention temperature, and the router's score on what an expert reads (spec llama4.md 3.6, 3.9). An item is a row.</summary>
internal unsafe struct ScaleRows : IVectorJob
{
    /// <summary>Input and output <c>[rows, columns]</c>.</summary>
    public float* X;
    public float* Y;

    /// <summary>A factor per row.</summary>
    public float* Scales;

    public int Columns;

    /// <summary>Whether to add to what stands in <see cref="Y"/>: the way back.</summary>
    public bool Add;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float* x = X + ((nint)item * Columns);
        float* y = Y + ((nint)item * Columns);
        float scale = Scales[item];
        V s = S.Splat(scale);
        int i = 0;
        for (; i + S.Width <= Columns; i += S.Width)
        {
            V product = S.Mul(S.Load(x + i), s);
            S.Store(Add ? S.Add(S.Load(y + i), product) : product, y + i);
        }

        for (; i < Columns; i++)
        {
            y[i] = Add ? y[i] + (x[i] * scale) : x[i] * scale;
        }
    }
}
