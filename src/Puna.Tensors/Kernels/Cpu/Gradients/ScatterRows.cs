using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>Adds row t of a gradient to row <c>Rows[t]</c> of a table: the gradient of an embedding, where an id that occurs twice adds up. An item is a stripe of columns through all rows in order.</summary>
internal unsafe struct ScatterRows : IVectorJob
{
    public const int Stripe = 64;

    /// <summary>Gradient <c>[count, columns]</c>.</summary>
    public float* Dy;

    /// <summary>Table <c>[rows, columns]</c>; added to.</summary>
    public float* Table;

    /// <summary>Row of the table per row of the gradient.</summary>
    public int* Rows;

    public int Count;
    public int Columns;

    public readonly int Items => (Columns + Stripe - 1) / Stripe;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int first = item * Stripe;
        int end = Math.Min(Columns, first + Stripe);
        for (int t = 0; t < Count; t++)
        {
            float* from = Dy + ((nint)t * Columns);
            float* to = Table + ((nint)Rows[t] * Columns);
            int c = first;
            for (; c + S.Width <= end; c += S.Width)
            {
                S.Store(S.Add(S.Load(to + c), S.Load(from + c)), to + c);
            }

            for (; c < end; c++)
            {
                to[c] += from[c];
            }
        }
    }
}
