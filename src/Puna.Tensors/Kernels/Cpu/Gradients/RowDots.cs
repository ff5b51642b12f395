using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>The product of two rows, per row: the gradient by the factor of <see cref="ScaleRows"/>. The sum has the shape of <see cref="Lanes"/>. An item is a row.</summary>
internal unsafe struct RowDots : IVectorJob
{
    /// <summary>The two inputs <c>[rows, columns]</c>.</summary>
    public float* A;
    public float* B;

    /// <summary>Receives a sum per row.</summary>
    public float* Y;

    public int Columns;

    /// <summary>Whether to add to what stands in <see cref="Y"/>.</summary>
    public bool Add;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float* a = A + ((nint)item * Columns);
        float* b = B + ((nint)item * Columns);
        float* lanes = stackalloc float[Lanes.Count];
        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            V sum = S.Splat(0);
            for (int i = j; i + S.Width <= Columns; i += Lanes.Count)
            {
                sum = S.Fma(S.Load(a + i), S.Load(b + i), sum);
            }

            S.Store(sum, lanes + j);
        }

        for (int i = Columns - (Columns % S.Width); i < Columns; i++)
        {
            lanes[i % Lanes.Count] = MathF.FusedMultiplyAdd(a[i], b[i], lanes[i % Lanes.Count]);
        }

        Y[item] = (Add ? Y[item] : 0) + Lanes.Sum(lanes);
    }
}
