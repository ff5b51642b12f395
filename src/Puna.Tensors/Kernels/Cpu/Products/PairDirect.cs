using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// One input row of <see cref="PairRows"/> times two vectors of Q8_0 rows, read from the packed form once from beginning to end: what decoding is made of. The same numbers in the
/// same order as <see cref="PairPanels{TSimd, I, F}"/>.
/// </summary>
internal static unsafe class PairDirect<TSimd, I, F>
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>Multiplies.</summary>
    /// <param name="tiles">First packed tile.</param>
    /// <param name="stride">Bytes from a tile to the next.</param>
    /// <param name="rows">Rows of the tiles, a multiple of 16.</param>
    /// <param name="blocks">Blocks per row.</param>
    /// <param name="x">The input row.</param>
    /// <param name="y">Receives the products of all rows.</param>
    public static void Multiply(byte* tiles, nint stride, int rows, int blocks, in PairRows x, float* y)
    {
        for (int row = 0; row < rows; row += 2 * TSimd.Width)
        {
            // A lone tile is given twice to a vector as wide as it.
            int other = Math.Min(row + TSimd.Width, rows - TSimd.Width);
            byte* first = tiles + (row / PackedMatrix.TileRows * stride);
            byte* second = tiles + (other / PackedMatrix.TileRows * stride);
            Blocks(first, row % PackedMatrix.TileRows, second, other % PackedMatrix.TileRows, blocks, x, y + row, y + other);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Blocks(byte* first, int firstRow, byte* second, int secondRow, int count, in PairRows x, float* y0, float* y1)
    {
        int* pairs = (int*)x.Q;
        float* scales = x.Scales;
        F sum0 = TSimd.SplatFloat(0), sum1 = sum0;
        for (; count > 0; count--)
        {
            byte* codes0 = first + IntegerLayout<Q8_0Form>.Codes + (4 * firstRow);
            byte* codes1 = second + IntegerLayout<Q8_0Form>.Codes + (4 * secondRow);
            for (int line = 0; line < 512; line += 64)
            {
                TSimd.Prefetch(codes0 + ProductTiles.Ahead + line);
                if (TSimd.Width == PackedMatrix.TileRows)
                {
                    TSimd.Prefetch(codes1 + ProductTiles.Ahead + line);
                }
            }

            I a0 = TSimd.Splat(0), a1 = a0;
            for (int g = 0; g < 4; g++)
            {
                I x0 = TSimd.Splat(pairs[0]), x1 = TSimd.Splat(pairs[1]), x2 = TSimd.Splat(pairs[2]), x3 = TSimd.Splat(pairs[3]);
                PairCodes<TSimd, I, F>.Take(codes0, g, out I p0, out I p1, out I p2, out I p3);
                a0 = TSimd.AddProducts(a0, p0, x0, p1, x1, p2, x2, p3, x3);
                PairCodes<TSimd, I, F>.Take(codes1, g, out p0, out p1, out p2, out p3);
                a1 = TSimd.AddProducts(a1, p0, x0, p1, x1, p2, x2, p3, x3);
                pairs += 4;
            }

            F scale = TSimd.SplatFloat(*scales++);
            sum0 = TSimd.Fma(TSimd.MulFloats(TSimd.ToFloat(a0), scale), TSimd.LoadScales((ushort*)first + firstRow), sum0);
            sum1 = TSimd.Fma(TSimd.MulFloats(TSimd.ToFloat(a1), scale), TSimd.LoadScales((ushort*)second + secondRow), sum1);
            first += IntegerLayout<Q8_0Form>.Bytes;
            second += IntegerLayout<Q8_0Form>.Bytes;
        }

        TSimd.StoreFloats(sum0, y0);
        TSimd.StoreFloats(sum1, y1);
    }
}
