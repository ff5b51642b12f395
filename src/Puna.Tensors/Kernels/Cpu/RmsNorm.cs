using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>y = x / sqrt(mean(x^2) + eps) * w, row by row (spec llama1-3.md 2.1). The sum of squares has the shape of <see cref="Lanes"/>.</summary>
internal unsafe struct RmsNorm : IKernelJob
{
    public CpuPath Path;
    public float* X;
    public float* W;
    public float* Y;
    public int Columns;
    public float Epsilon;

    public readonly void Execute(int item, int worker)
    {
        float* x = X + ((nint)item * Columns);
        float* y = Y + ((nint)item * Columns);
        switch (Path)
        {
            case CpuPath.Avx512:
                Row<Simd512, System.Runtime.Intrinsics.Vector512<float>>(x, W, y, Columns, Epsilon);
                break;
            case CpuPath.Avx2:
                Row<Simd256, System.Runtime.Intrinsics.Vector256<float>>(x, W, y, Columns, Epsilon);
                break;
            case CpuPath.Vector128:
                Row<Simd128, System.Runtime.Intrinsics.Vector128<float>>(x, W, y, Columns, Epsilon);
                break;
            default:
                Row<Simd1, float>(x, W, y, Columns, Epsilon);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Row<S, V>(float* x, float* w, float* y, int columns, float epsilon)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float* lanes = stackalloc float[Lanes.Count];
        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            V sum = S.Splat(0);
            int i = j;
            for (; i + S.Width <= columns; i += Lanes.Count)
            {
                V v = S.Load(x + i);
                sum = S.Fma(v, v, sum);
            }

            S.Store(sum, lanes + j);
        }

        // What is left of a row that is no multiple of the vector width: lane by lane.
        for (int i = columns - (columns % S.Width); i < columns; i++)
        {
            lanes[i % Lanes.Count] = MathF.FusedMultiplyAdd(x[i], x[i], lanes[i % Lanes.Count]);
        }

        float scale = 1f / MathF.Sqrt((Lanes.Sum(lanes) / columns) + epsilon);
        V s = S.Splat(scale);
        int n = 0;
        for (; n + S.Width <= columns; n += S.Width)
        {
            S.Store(S.Mul(S.Mul(S.Load(x + n), s), S.Load(w + n)), y + n);
        }

        for (; n < columns; n++)
        {
            y[n] = x[n] * scale * w[n];
        }
    }
}
