namespace Puna.Tensors.Kernels.Cpu.Gemm;

/// <summary>C (+)= A B in float32 with B packed by <see cref="PackColumns"/>; A may be read by rows or by columns. An item is a block of C that its inputs fit the second-level cache with.</summary>
internal unsafe struct GemmBlocks : IVectorJob
{
    private const int BlockRows = 96;
    private const int BlockColumns = 128;

    /// <summary>First element of A.</summary>
    public float* A;

    /// <summary>Floats from a row of A to the next.</summary>
    public nint ARow;

    /// <summary>Floats from an inner index of A to the next.</summary>
    public nint AStep;

    /// <summary>Packed tiles.</summary>
    public float* B;

    /// <summary>Results <c>[Rows, Columns]</c>.</summary>
    public float* C;

    public int Rows;
    public int Columns;
    public int Inner;

    /// <summary>Whether the product is added to C.</summary>
    public bool Add;

    public readonly int Items => RowBlocks * ((Columns + BlockColumns - 1) / BlockColumns);

    private readonly int RowBlocks => (Rows + BlockRows - 1) / BlockRows;

    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int row = item % RowBlocks * BlockRows;
        int column = item / RowBlocks * BlockColumns;
        nint tile = (nint)Inner * PackColumns.Width;
        GemmTile<S, V>.Block(
            A + (row * ARow), ARow, AStep, Math.Min(BlockRows, Rows - row), B + (column / PackColumns.Width * tile), tile, Inner, C + ((nint)row * Columns) + column, Columns,
            Math.Min(BlockColumns, Columns - column), Add);
    }
}
