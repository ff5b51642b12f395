using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Gemm;

/// <summary>
/// Lays a matrix B <c>[inner, columns]</c> out as a product reads it: tiles <c>[inner, 16]</c> of 16 columns, filled up with zeros. An item is a stretch of rows in memory, which are read from end to end.
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

    /// <summary>Inner indices of an item where rows in memory are inner indices.</summary>
    private const int Stretch = 64;

    public readonly int Items => IsTransposed ? Tiles : (Inner + Stretch - 1) / Stretch;

    private readonly int Tiles => (Columns + Width - 1) / Width;

    /// <summary>Floats that all tiles take.</summary>
    public static long Floats(int inner, int columns) => (columns + Width - 1L) / Width * Width * inner;

    public readonly void Execute(int item, int worker)
    {
        if (IsTransposed)
        {
            Transpose(item);
            return;
        }

        for (int k = item * Stretch; k < Math.Min(Inner, (item + 1) * Stretch); k++)
        {
            float* from = B + (k * Row);
            float* to = To + ((nint)k * Width);
            nint tile = (nint)Inner * Width;
            int j = 0;
            for (; j + Width <= Columns; j += Width)
            {
                Vector512.Store(Vector512.Load(from + j), to);
                to += tile;
            }

            if (j < Columns)
            {
                new Span<float>(to, Width).Clear();
                new ReadOnlySpan<float>(from + j, Columns - j).CopyTo(new Span<float>(to, Width));
            }
        }
    }

    private readonly void Transpose(int item)
    {
        float* to = To + ((nint)item * Inner * Width);
        int first = item * Width;
        int columns = Math.Min(Width, Columns - first);
        if (columns < Width)
        {
            new Span<float>(to, Inner * Width).Clear();
        }

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
    }
}
