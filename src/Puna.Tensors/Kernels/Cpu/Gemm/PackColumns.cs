namespace Puna.Tensors.Kernels.Cpu.Gemm;

/// <summary>
/// Lays a matrix B <c>[inner, columns]</c> out as a product reads it: tiles <c>[inner, 16]</c> of 16 columns, filled up with zeros. An item is a tile.
/// </summary>
internal unsafe struct PackColumns : IKernelJob
{
    /// <summary>Columns of a tile.</summary>
    public const int Width = 16;

    /// <summary>Inner indices that are summed in one chain; as in the products of inference, so that both give the same bits.</summary>
    public const int Chunk = 256;

    /// <summary>The matrix: where <see cref="IsTransposed"/>, rows are columns of B.</summary>
    public float* B;

    /// <summary>Floats from a row to the next.</summary>
    public nint Row;

    public bool IsTransposed;
    public int Inner;
    public int Columns;

    /// <summary>The tiles.</summary>
    public float* To;

    public readonly int Tiles => (Columns + Width - 1) / Width;

    /// <summary>Floats that all tiles take.</summary>
    public static long Floats(int inner, int columns) => (columns + Width - 1L) / Width * Width * inner;

    public readonly void Execute(int item, int worker)
    {
        float* to = To + ((nint)item * Inner * Width);
        int first = item * Width;
        int columns = Math.Min(Width, Columns - first);
        if (columns < Width)
        {
            new Span<float>(to, Inner * Width).Clear();
        }

        if (IsTransposed)
        {
            // Blocks of eight inner indices, so that a cache line of each of the 16 rows is used up while it is there.
            for (int k = 0; k < Inner; k += 8)
            {
                int end = Math.Min(k + 8, Inner);
                for (int j = 0; j < columns; j++)
                {
                    float* from = B + ((first + j) * Row);
                    for (int i = k; i < end; i++)
                    {
                        to[(i * Width) + j] = from[i];
                    }
                }
            }

            return;
        }

        for (int k = 0; k < Inner; k++)
        {
            new ReadOnlySpan<float>(B + (k * Row) + first, columns).CopyTo(new Span<float>(to + (k * Width), columns));
        }
    }
}
