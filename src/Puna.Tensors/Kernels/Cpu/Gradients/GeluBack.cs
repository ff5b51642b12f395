using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>Gradient of <see cref="Gelu"/>: dx = dy (Phi(x) + x phi(x)). An item is a stretch of values.</summary>
internal unsafe struct GeluBack : IVectorJob
{
    public const int Chunk = 4096;

    /// <summary>Gradient by the output, input, gradient by the input.</summary>
    public float* Dy;
    public float* X;
    public float* Dx;

    /// <summary>Values in all.</summary>
    public nint Count;

    /// <summary>Whether to add to what stands in <see cref="Dx"/>.</summary>
    public bool Add;

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
        V x = S.Load(X + i);
        V a = NormalTail.Bounded<S, V>(x);
        V tail = NormalTail.Of<S, V>(a, out V density);

        // 1 where x is positive, else 0: Phi(x) is the tail, or one less it.
        V step = S.Min(S.Splat(1f), S.Max(S.Splat(0f), S.Mul(x, S.Splat(1e38f))));
        V phi = S.Fma(step, S.Sub(S.Splat(1f), S.Add(tail, tail)), tail);
        V slope = S.Fma(S.Mul(S.Min(S.Splat(20f), S.Max(S.Splat(-20f), x)), density), S.Splat(0.39894228f), phi);
        V dx = S.Mul(S.Load(Dy + i), slope);
        S.Store(Add ? S.Add(S.Load(Dx + i), dx) : dx, Dx + i);
    }
}
