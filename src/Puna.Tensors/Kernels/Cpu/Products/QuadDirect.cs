using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// One input row of <see cref="QuadRows"/> times two vectors of weight rows with codes of at most six bits, read from the packed form once from beginning to end: what decoding is
/// made of. The same numbers in the same order as <see cref="QuadPanels{TForm, TSimd, I, F}"/>.
/// </summary>
internal static unsafe class QuadDirect<TForm, TSimd, I, F>
    where TForm : struct, IIntegerForm
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>Multiplies.</summary>
    /// <param name="tiles">First packed tile.</param>
    /// <param name="stride">Bytes from a tile to the next.</param>
    /// <param name="rows">Rows of the tiles, a multiple of 16.</param>
    /// <param name="supers">Super-blocks per row.</param>
    /// <param name="x">The input row, not beside others.</param>
    /// <param name="y">Receives the products of all rows.</param>
    public static void Multiply(byte* tiles, nint stride, int rows, int supers, in QuadRows x, float* y)
    {
        for (int row = 0; row < rows; row += 2 * TSimd.Width)
        {
            // A lone tile is given twice to a vector as wide as it.
            int other = Math.Min(row + TSimd.Width, rows - TSimd.Width);
            byte* first = tiles + (row / PackedMatrix.TileRows * stride);
            byte* second = tiles + (other / PackedMatrix.TileRows * stride);
            Supers(first, row % PackedMatrix.TileRows, second, other % PackedMatrix.TileRows, supers, x, y + row, y + other);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static void Supers(byte* first, int firstRow, byte* second, int secondRow, int count, in QuadRows x, float* y0, float* y1)
    {
        int* q = x.Q;
        int* m = x.M;
        int* sums = IntegerLayout<TForm>.BlockGroups == 2 ? x.Sums16 : x.Sums32;
        float* means = IntegerLayout<TForm>.BlockGroups == 2 ? x.Means16 : x.Means32;
        F sum0 = TSimd.SplatFloat(0), sum1 = sum0;
        for (; count > 0; count--)
        {
            F d0 = TSimd.LoadScales((ushort*)first + firstRow);
            F d1 = TSimd.LoadScales((ushort*)second + secondRow);
            F least0 = d0, least1 = d1;
            if (IntegerLayout<TForm>.HasLeast)
            {
                least0 = TSimd.LoadScales((ushort*)(first + IntegerLayout<TForm>.Least) + firstRow);
                least1 = TSimd.LoadScales((ushort*)(second + IntegerLayout<TForm>.Least) + secondRow);
            }

            byte* codes0 = first + IntegerLayout<TForm>.Codes + (4 * firstRow);
            byte* codes1 = second + IntegerLayout<TForm>.Codes + (4 * secondRow);
            byte* scale0 = first + IntegerLayout<TForm>.Scales + firstRow;
            byte* scale1 = second + IntegerLayout<TForm>.Scales + secondRow;
            byte* minima0 = first + IntegerLayout<TForm>.Minima + firstRow;
            byte* minima1 = second + IntegerLayout<TForm>.Minima + secondRow;
            for (int b = 0; b < IntegerLayout<TForm>.Blocks; b++)
            {
                for (int line = 0; line < IntegerLayout<TForm>.BlockBytes; line += 64)
                {
                    TSimd.Prefetch(codes0 + ProductTiles.Ahead + line);
                    if (TSimd.Width == PackedMatrix.TileRows)
                    {
                        TSimd.Prefetch(codes1 + ProductTiles.Ahead + line);
                    }
                }

                I m0 = TSimd.Splat(m[0]), m1 = TSimd.Splat(m[1]);
                Begin(codes0, q, out I low0, out I high0);
                Begin(codes1, q, out I low1, out I high1);
                I half0 = low0, half1 = low1, upper0 = high0, upper1 = high1;
                if (IntegerLayout<TForm>.Six)
                {
                    half0 = TSimd.Weigh(low0, m0);
                    half1 = TSimd.Weigh(low1, m0);
                    upper0 = TSimd.Weigh(high0, m1);
                    upper1 = TSimd.Weigh(high1, m1);
                }

                End(codes0, q, ref low0, ref high0);
                End(codes1, q, ref low1, ref high1);
                low0 = TSimd.Weigh(low0, m0);
                low1 = TSimd.Weigh(low1, m0);
                high0 = TSimd.Weigh(high0, m1);
                high1 = TSimd.Weigh(high1, m1);
                if (IntegerLayout<TForm>.Six)
                {
                    low0 = TSimd.Add(low0, half0);
                    low1 = TSimd.Add(low1, half1);
                    high0 = TSimd.Add(high0, upper0);
                    high1 = TSimd.Add(high1, upper1);
                }

                if (IntegerLayout<TForm>.BlockGroups == 1)
                {
                    Finish(TSimd.Add(low0, high0), TSimd.Add(low1, high1), sums, means, d0, d1, least0, least1, scale0, scale1, minima0, minima1, ref sum0, ref sum1);
                }
                else
                {
                    Finish(low0, low1, sums, means, d0, d1, least0, least1, scale0, scale1, minima0, minima1, ref sum0, ref sum1);
                    Finish(high0, high1, sums + 1, means + 1, d0, d1, least0, least1, scale0 + 16, scale1 + 16, minima0 + 16, minima1 + 16, ref sum0, ref sum1);
                }

                scale0 += 16 * IntegerLayout<TForm>.BlockGroups;
                scale1 += 16 * IntegerLayout<TForm>.BlockGroups;
                minima0 += 16 * IntegerLayout<TForm>.BlockGroups;
                minima1 += 16 * IntegerLayout<TForm>.BlockGroups;
                sums += IntegerLayout<TForm>.BlockGroups;
                means += IntegerLayout<TForm>.BlockGroups;
                codes0 += IntegerLayout<TForm>.BlockBytes;
                codes1 += IntegerLayout<TForm>.BlockBytes;
                m += 2;
                q += 8;
            }

            first += IntegerLayout<TForm>.Bytes;
            second += IntegerLayout<TForm>.Bytes;
        }

        F scale = TSimd.SplatFloat(x.Scale[0]);
        TSimd.StoreFloats(TSimd.MulFloats(sum0, scale), y0);
        TSimd.StoreFloats(TSimd.MulFloats(sum1, scale), y1);
    }

    /// <summary>The first eight inputs of each sixteen.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Begin(byte* codes, int* q, out I low, out I high)
    {
        QuadCodes<TForm, TSimd, I, F>.Take(codes, 0, out I a, out I b);
        low = TSimd.Dot(a, TSimd.Splat(q[0]));
        high = TSimd.Dot(b, TSimd.Splat(q[4]));
        QuadCodes<TForm, TSimd, I, F>.Take(codes, 1, out a, out b);
        low = TSimd.AddDot(low, a, TSimd.Splat(q[1]));
        high = TSimd.AddDot(high, b, TSimd.Splat(q[5]));
    }

    /// <summary>The other eight.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void End(byte* codes, int* q, ref I low, ref I high)
    {
        QuadCodes<TForm, TSimd, I, F>.Take(codes, 2, out I a, out I b);
        low = IntegerLayout<TForm>.Six ? TSimd.Dot(a, TSimd.Splat(q[2])) : TSimd.AddDot(low, a, TSimd.Splat(q[2]));
        high = IntegerLayout<TForm>.Six ? TSimd.Dot(b, TSimd.Splat(q[6])) : TSimd.AddDot(high, b, TSimd.Splat(q[6]));
        QuadCodes<TForm, TSimd, I, F>.Take(codes, 3, out a, out b);
        low = TSimd.AddDot(low, a, TSimd.Splat(q[3]));
        high = TSimd.AddDot(high, b, TSimd.Splat(q[7]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(I a, I b, int* sums, float* means, F d0, F d1, F least0, F least1, byte* scale0, byte* scale1, byte* minima0, byte* minima1, ref F sum0, ref F sum1)
    {
        if (IntegerLayout<TForm>.ZeroShift >= 0)
        {
            I zero = TSimd.ShiftLeft(TSimd.Splat(sums[0]), IntegerLayout<TForm>.ZeroShift);
            a = TSimd.Sub(a, zero);
            b = TSimd.Sub(b, zero);
        }

        sum0 = TSimd.Fma(TSimd.ToFloat(a), QuadCodes<TForm, TSimd, I, F>.Scale(d0, scale0), sum0);
        sum1 = TSimd.Fma(TSimd.ToFloat(b), QuadCodes<TForm, TSimd, I, F>.Scale(d1, scale1), sum1);
        if (IntegerLayout<TForm>.HasLeast)
        {
            F mean = TSimd.SplatFloat(means[0]);
            sum0 = TSimd.Fma(QuadCodes<TForm, TSimd, I, F>.Minimum(least0, minima0), mean, sum0);
            sum1 = TSimd.Fma(QuadCodes<TForm, TSimd, I, F>.Minimum(least1, minima1), mean, sum1);
        }
    }
}
