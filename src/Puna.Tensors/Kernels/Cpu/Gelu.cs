using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>y = x Phi(x) with the normal distribution function Phi: GELU in its exact form. An item is a stretch of values.</summary>
internal unsafe struct Gelu : IVectorJob
{
    public const int Chunk = 4096;

    public float* X;
    public float* Y;

    /// <summary>Values in all.</summary>
    public nint Count;

    public readonly int Items => (int)((Count + Chunk - 1) / Chunk);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        nint i = (nint)item * Chunk;
        nint end = Math.Min(Count, i + Chunk);
        for (; i + S.Width <= end; i += S.Width)
        {
            S.Store(Of<S, V>(S.Load(X + i)), Y + i);
        }

        for (; i < end; i++)
        {
            Y[i] = Of<Simd1, float>(X[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Of<S, V>(V x)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        // x Phi(x) is x or 0 less the tail on the other side; so nothing cancels.
        V a = NormalTail.Bounded<S, V>(x);
        return S.Sub(S.Max(S.Splat(0f), x), S.Mul(a, NormalTail.Of<S, V>(a, out _)));
    }
}
