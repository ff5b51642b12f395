using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>One step of AdamW (spec training.md 1.4) on a stretch of one parameter's values; an item is a stretch.</summary>
internal unsafe struct AdamWStep : IVectorJob
{
    public const int Chunk = 8192;

    /// <summary>Values, gradient, first and second moment.</summary>
    public float* W;
    public float* G;
    public float* M;
    public float* U;

    public nint Count;

    /// <summary>What the gradient is multiplied by: clipping.</summary>
    public float Scale;

    public float Beta1;
    public float Beta2;

    /// <summary>1 - rate * decay.</summary>
    public float Keep;

    /// <summary>rate / (1 - beta1^t).</summary>
    public float Rate;

    /// <summary>1 / sqrt(1 - beta2^t).</summary>
    public float Root;

    public float Epsilon;

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
            At<S, V>(i);
        }

        for (; i < end; i++)
        {
            At<Simd1, float>(i);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void At<S, V>(nint i)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        V g = S.Mul(S.Load(G + i), S.Splat(Scale));
        V m = S.Fma(S.Splat(1 - Beta1), g, S.Mul(S.Splat(Beta1), S.Load(M + i)));
        V u = S.Fma(S.Mul(S.Splat(1 - Beta2), g), g, S.Mul(S.Splat(Beta2), S.Load(U + i)));
        S.Store(m, M + i);
        S.Store(u, U + i);
        V step = S.Div(S.Mul(S.Splat(Rate), m), S.Fma(S.Sqrt(u), S.Splat(Root), S.Splat(Epsilon)));
        S.Store(S.Sub(S.Mul(S.Load(W + i), S.Splat(Keep)), step), W + i);
    }
}
