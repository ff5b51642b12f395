using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>y[r, c] = y[r, c] s[c] in place, for some rows r: what DoRA does to the rows that have such an adapter. An item is one of these rows.</summary>
internal unsafe struct ScaleColumns : IVectorJob
{
    /// <summary>All rows <c>[.., columns]</c>.</summary>
    public float* Y;

    /// <summary>A factor per column.</summary>
    public float* Scales;

    /// <summary>The rows.</summary>
    public int* Rows;

    public int Columns;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        float* y = Y + ((nint)Rows[item] * Columns);
        int i = 0;
        for (; i + S.Width <= Columns; i += S.Width)
        {
            S.Store(S.Mul(S.Load(y + i), S.Load(Scales + i)), y + i);
        }

        for (; i < Columns; i++)
        {
            y[i] *= Scales[i];
        }
    }
}
