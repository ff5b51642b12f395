using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>y (+)= s x, one factor for all values: a gate, both ways. An item is a piece.</summary>
internal unsafe struct ScaleAll : IVectorJob
{
    /// <summary>Values of a piece: enough work to be worth handing to another thread.</summary>
    public const int Chunk = 8192;

    public float* X;
    public float* Y;
    public float Factor;
    public nint Count;

    /// <summary>Whether to add to what stands in <see cref="Y"/>.</summary>
    public bool Add;

    public readonly int Items => (int)((Count + Chunk - 1) / Chunk);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        nint first = (nint)item * Chunk;
        int count = (int)Math.Min(Chunk, Count - first);
        float* x = X + first;
        float* y = Y + first;
        int i = 0;
        for (; i + S.Width <= count; i += S.Width)
        {
            V product = S.Mul(S.Load(x + i), S.Splat(Factor));
            S.Store(Add ? S.Add(S.Load(y + i), product) : product, y + i);
        }

        for (; i < count; i++)
        {
            y[i] = Add ? y[i] + (x[i] * Factor) : x[i] * Factor;
        }
    }
}
