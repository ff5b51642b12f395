using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>A function of two numbers, for every vector width.</summary>
internal interface IBinaryOperation
{
    static abstract V Apply<S, V>(V a, V b)
        where S : struct, ISimd<V>
        where V : unmanaged;
}

/// <summary>a + b: the residual connection.</summary>
internal readonly struct AddOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V a, V b)
        where S : struct, ISimd<V>
        where V : unmanaged => S.Add(a, b);
}

/// <summary>silu(a) * b with silu(a) = a / (1 + e^-a): the gated unit of the feed-forward layer.</summary>
internal readonly struct SwiGluOperation : IBinaryOperation
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Apply<S, V>(V a, V b)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        // Below -88 the true value is less than 1e-36; without the bound a huge negative gate would meet an exponential that has stopped growing.
        a = S.Max(S.Splat(-88f), a);
        return S.Mul(S.Div(a, S.Add(S.Splat(1f), VectorMath.Exp<S, V>(S.Sub(S.Splat(0f), a)))), b);
    }
}

/// <summary>y = f(a, b) element by element over rows; b may be one row that is used for all (a bias). The skeleton every two-operand kernel shares.</summary>
internal unsafe struct Elementwise<TOperation> : IKernelJob
    where TOperation : struct, IBinaryOperation
{
    /// <summary>Values per item: enough work to be worth handing to another thread.</summary>
    public const int Chunk = 8192;

    public CpuPath Path;
    public float* A;
    public float* B;
    public float* Y;

    /// <summary>Values per item; <see cref="Chunk"/>, or a whole row where <see cref="BStep"/> is 0.</summary>
    public int Step;

    /// <summary>Floats that b moves on per item: <see cref="Step"/>, or 0 for a bias.</summary>
    public int BStep;

    /// <summary>Values in all.</summary>
    public nint Count;

    public readonly int Items => (int)((Count + Step - 1) / Step);

    public readonly void Execute(int item, int worker)
    {
        nint first = (nint)item * Step;
        int count = (int)Math.Min(Step, Count - first);
        float* a = A + first;
        float* b = B + ((nint)item * BStep);
        float* y = Y + first;
        switch (Path)
        {
            case CpuPath.Avx512:
                Run<Simd512, Vector512<float>>(a, b, y, count);
                break;
            case CpuPath.Avx2:
                Run<Simd256, Vector256<float>>(a, b, y, count);
                break;
            case CpuPath.Vector128:
                Run<Simd128, Vector128<float>>(a, b, y, count);
                break;
            default:
                Run<Simd1, float>(a, b, y, count);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Run<S, V>(float* a, float* b, float* y, int count)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int i = 0;
        for (; i + S.Width <= count; i += S.Width)
        {
            S.Store(TOperation.Apply<S, V>(S.Load(a + i), S.Load(b + i)), y + i);
        }

        for (; i < count; i++)
        {
            y[i] = TOperation.Apply<Simd1, float>(a[i], b[i]);
        }
    }
}
