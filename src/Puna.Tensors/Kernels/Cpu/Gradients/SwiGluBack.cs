using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>Gradients of silu(a) b: with s = 1 / (1 + e^-a), da = dy b s (1 + a (1 - s)) and db = dy a s. An item is a stretch of values.</summary>
internal unsafe struct SwiGluBack : IVectorJob
{
    public const int Chunk = 8192;

    /// <summary>Gradient by the output, the gate, the way up, and the gradients by these two.</summary>
    public float* Dy;
    public float* A;
    public float* B;
    public float* Da;
    public float* Db;

    /// <summary>Values in all.</summary>
    public nint Count;

    /// <summary>Whether to add to what stands in <see cref="Da"/> and <see cref="Db"/>.</summary>
    public bool AddA;
    public bool AddB;

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
        // The bound of the forward operation.
        V a = S.Max(S.Splat(-88f), S.Load(A + i));
        V one = S.Splat(1f);
        V s = S.Div(one, S.Add(one, VectorMath.Exp<S, V>(S.Sub(S.Splat(0f), a))));
        V dys = S.Mul(S.Load(Dy + i), s);
        V da = S.Mul(S.Mul(dys, S.Load(B + i)), S.Fma(a, S.Sub(one, s), one));
        V db = S.Mul(dys, a);
        S.Store(AddA ? S.Add(S.Load(Da + i), da) : da, Da + i);
        S.Store(AddB ? S.Add(S.Load(Db + i), db) : db, Db + i);
    }
}
