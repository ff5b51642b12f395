using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>Moves or adds the columns of one matrix to or from every n-th column of another: stacking tensors on a new last axis and flattening it, and back. No arithmetic on the way there. An item is a row.</summary>
internal unsafe struct StridedColumns : IKernelJob
{
    /// <summary>The matrix with all its columns taken <c>[rows, columns]</c>.</summary>
    public float* Narrow;

    /// <summary>The first column of the other that is taken.</summary>
    public float* Wide;

    public int Columns;

    /// <summary>Columns of the wide matrix from one that is taken to the next.</summary>
    public int Step;

    /// <summary>Columns of the wide matrix.</summary>
    public nint WideRow;

    /// <summary>Whether the wide matrix is read instead of written.</summary>
    public bool IsBack;

    /// <summary>Whether to add to what stands there; only where the wide matrix is read.</summary>
    public bool Add;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute(int item, int worker)
    {
        float* narrow = Narrow + ((nint)item * Columns);
        float* wide = Wide + (item * WideRow);
        if (!IsBack)
        {
            for (int i = 0; i < Columns; i++)
            {
                wide[(nint)i * Step] = narrow[i];
            }

            return;
        }

        for (int i = 0; i < Columns; i++)
        {
            narrow[i] = (Add ? narrow[i] : 0) + wide[(nint)i * Step];
        }
    }
}
