namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>What the integer and the float product have in common: which tiles and input rows an item has, and where its weights and results are.</summary>
internal unsafe struct ProductTiles
{
    /// <summary>Tiles of an item where inputs go through panels: 32 rows, which one call of a 512-bit kernel covers.</summary>
    public const int PanelTiles = 2;

    /// <summary>Floats from the sums of an input row to those of the next, in an item's scratch memory.</summary>
    public const int SumStride = PanelTiles * PackedMatrix.TileRows;

    /// <summary>Tiles of an item where the packed form is read directly: enough for a stream, few enough to share small matrices.</summary>
    public const int DirectTiles = 8;

    /// <summary>Most input rows of an item.</summary>
    public const int ItemTokens = 256;

    /// <summary>How far ahead memory is asked for, in bytes: the processor's own prefetcher, one stream per thread, reaches two thirds of what memory can give.</summary>
    public const int Ahead = 12288;

    /// <summary>Kernel to use.</summary>
    public CpuPath Path;

    /// <summary>Type of the weight.</summary>
    public DType Type;

    /// <summary>First byte of the weight: packed tiles, or rows as they are in a file.</summary>
    public byte* W;

    /// <summary>Whether <see cref="W"/> is packed.</summary>
    public bool Packed;

    /// <summary>Bytes from a tile to the next where packed, else from a row to the next.</summary>
    public nint Stride;

    /// <summary>Rows of the weight.</summary>
    public int Out;

    /// <summary>Tiles of an item: <see cref="PanelTiles"/> or <see cref="DirectTiles"/>.</summary>
    public int ItemTiles;

    /// <summary>Input rows.</summary>
    public int Tokens;

    /// <summary>Outputs <c>[tokens, out]</c>.</summary>
    public float* Y;

    /// <summary>Per worker, room for what an item needs.</summary>
    public float* Scratch;

    /// <summary>Floats of scratch per worker.</summary>
    public nint ScratchFloats;

    /// <summary>Number of items.</summary>
    public readonly int Items => (Tiles + ItemTiles - 1) / ItemTiles * TokenBlocks;

    private readonly int Tiles => (Out + PackedMatrix.TileRows - 1) / PackedMatrix.TileRows;

    private readonly int TokenBlocks => (Tokens + ItemTokens - 1) / ItemTokens;

    /// <summary>Input rows of an item.</summary>
    public readonly (int First, int Count) TokensOf(int item)
    {
        int first = item % TokenBlocks * ItemTokens;
        return (first, Math.Min(ItemTokens, Tokens - first));
    }

    /// <summary>Tiles of an item.</summary>
    public readonly (int First, int Count) TilesOf(int item)
    {
        int first = item / TokenBlocks * ItemTiles;
        return (first, Math.Min(ItemTiles, Tiles - first));
    }

    /// <summary>Weight rows that a tile has, at most 16.</summary>
    public readonly int RowsOf(int tile) => Math.Min(PackedMatrix.TileRows, Out - (tile * PackedMatrix.TileRows));

    /// <summary>First packed byte of a tile.</summary>
    public readonly byte* PackedTile(int tile) => W + (tile * Stride);

    /// <summary>First source byte of a tile's first row.</summary>
    public readonly byte* SourceTile(int tile) => W + ((nint)tile * PackedMatrix.TileRows * Stride);

    /// <summary>Copies the results of a tile to where they belong.</summary>
    /// <param name="from">Results <c>[count, 16]</c>.</param>
    /// <param name="stride">Floats from the results of an input row to those of the next.</param>
    /// <param name="tile">The tile.</param>
    /// <param name="first">First input row.</param>
    /// <param name="count">Input rows.</param>
    public readonly void Deliver(float* from, nint stride, int tile, int first, int count)
    {
        int rows = RowsOf(tile);
        for (int t = 0; t < count; t++)
        {
            float* to = Y + ((nint)(first + t) * Out) + ((nint)tile * PackedMatrix.TileRows);
            new ReadOnlySpan<float>(from + (t * stride), rows).CopyTo(new Span<float>(to, rows));
        }
    }
}
