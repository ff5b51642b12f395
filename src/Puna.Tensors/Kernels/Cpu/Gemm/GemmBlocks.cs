namespace Puna.Tensors.Kernels.Cpu.Gemm;

/// <summary>C (+)= A B in float32 with B packed by <see cref="PackColumns"/>; A may be read by rows or by columns. An item is a block of C that its inputs fit the second-level cache with.</summary>
internal unsafe struct GemmBlocks : IVectorJob
{
    /// <summary>Most rows of a block.</summary>
    public const int MostRows = 96;

    // Fewer rows would read B from beyond the second-level cache too often.
    private const int FewestRows = 48;

    // With a chunk of the inner index: half of a second-level cache.
    private const int BlockColumns = 256;

    // So many blocks per thread, so that one that is held up keeps nobody waiting for long.
    private const int BlocksPerThread = 4;

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

    /// <summary>Per worker <see cref="ScratchFloats"/> floats; null where A is read by rows.</summary>
    public float* Scratch;

    public int Rows;

    /// <summary>Rows of a block; changes no bit.</summary>
    public int BlockRows;

    public int Columns;
    public int Inner;

    /// <summary>Whether the product is added to C.</summary>
    public bool Add;

    public readonly int Items => RowBlocks * ((Columns + BlockColumns - 1) / BlockColumns);

    /// <summary>Floats of scratch that one worker needs.</summary>
    public static int ScratchFloats => MostRows * PackColumns.Chunk;

    private readonly int RowBlocks => (Rows + BlockRows - 1) / BlockRows;

    /// <summary>Cuts C into blocks for so many threads.</summary>
    public void Cut(int threads)
    {
        int columnBlocks = (Columns + BlockColumns - 1) / BlockColumns;
        int blocks = (Rows + MostRows - 1) / MostRows;
        int most = Math.Max(1, Rows / FewestRows);
        if (blocks * columnBlocks < BlocksPerThread * threads)
        {
            // As many for each thread, where that can be.
            blocks = Math.Min(most, Math.Max(blocks, ((BlocksPerThread * threads) + columnBlocks - 1) / columnBlocks));
            blocks = blocks > threads ? blocks / threads * threads : blocks;
            blocks = Math.Max(blocks, (Rows + MostRows - 1) / MostRows);
        }

        int rows = (Rows + blocks - 1) / Math.Max(1, blocks);
        BlockRows = Math.Clamp((rows + 5) / 6 * 6, 6, MostRows);
    }

    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int row = item % RowBlocks * BlockRows;
        int column = item / RowBlocks * BlockColumns;
        nint tile = (nint)Inner * PackColumns.Width;
        GemmTile<S, V>.Block(
            A + (row * ARow), ARow, AStep, Math.Min(BlockRows, Rows - row), B + (column / PackColumns.Width * tile), tile, Inner, C + ((nint)row * Columns) + column, Columns,
            Math.Min(BlockColumns, Columns - column), Add, Scratch is null ? null : Scratch + ((nint)worker * ScratchFloats));
    }
}
