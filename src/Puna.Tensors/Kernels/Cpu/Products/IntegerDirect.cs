using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// One input row times two vectors of weight rows, read from the packed form once from beginning to end: what decoding is made of. Per super-block
/// f = sum over 32 inputs of float(integer sum) * x scale, then y = fma(f, d, y); the same numbers in the same order as <see cref="IntegerPanel"/>.
/// </summary>
internal static unsafe class IntegerDirect<TForm, TSimd, I, F>
    where TForm : struct, IIntegerForm
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>How far ahead memory is asked for, in bytes: the processor's own prefetcher, one stream per thread, reaches two thirds of what memory can give.</summary>
    private const int Ahead = 6144;

    /// <summary>Multiplies.</summary>
    /// <param name="tiles">First packed tile.</param>
    /// <param name="stride">Bytes from a tile to the next.</param>
    /// <param name="rows">Rows of the tiles, a multiple of 16.</param>
    /// <param name="supers">Super-blocks per row.</param>
    /// <param name="x">The input row.</param>
    /// <param name="y">Receives the products of all rows.</param>
    public static void Multiply(byte* tiles, nint stride, int rows, int supers, in QuantizedRows x, float* y)
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
    private static void Supers(byte* first, int firstRow, byte* second, int secondRow, int count, in QuantizedRows x, float* y0, float* y1)
    {
        int* pairs = (int*)x.Q;
        float* scales = x.Scales;
        int* sums = x.Sums;
        float* means = IntegerLayout<TForm>.BlockGroups == 2 ? x.Means16 : x.Means32;
        F sum0 = TSimd.SplatFloat(0), sum1 = sum0;
        for (; count > 0; count--)
        {
            byte* codes0 = first + IntegerLayout<TForm>.Codes + (4 * firstRow);
            byte* codes1 = second + IntegerLayout<TForm>.Codes + (4 * secondRow);
            byte* scale0 = first + IntegerLayout<TForm>.Scales + firstRow;
            byte* scale1 = second + IntegerLayout<TForm>.Scales + secondRow;
            F f0 = TSimd.SplatFloat(0), f1 = f0;
            for (int b = 0; b < IntegerLayout<TForm>.Blocks; b++)
            {
                for (int line = 0; line < IntegerLayout<TForm>.BlockBytes; line += 64)
                {
                    TSimd.Prefetch(codes0 + Ahead + line);
                    if (TSimd.Width == PackedMatrix.TileRows)
                    {
                        TSimd.Prefetch(codes1 + Ahead + line);
                    }
                }

                // The second sums are those of inputs 16 to 31, where these have a scale of their own.
                I a0 = TSimd.Splat(0), a1 = a0, c0 = a0, c1 = a0;
                for (int half = 0; half < 2; half++)
                {
                    Eight(codes0, codes1, pairs, half, 0, ref a0, ref a1, ref c0, ref c1);
                    Eight(codes0, codes1, pairs + 4, half, 1, ref a0, ref a1, ref c0, ref c1);
                    pairs += 8;
                }

                Group(IntegerLayout<TForm>.BlockGroups == 2 ? sums[0] : sums[0] + sums[1], scale0, scale1, ref a0, ref a1);
                if (IntegerLayout<TForm>.BlockGroups == 2)
                {
                    Group(sums[1], scale0 + 16, scale1 + 16, ref c0, ref c1);
                    a0 = TSimd.Add(a0, c0);
                    a1 = TSimd.Add(a1, c1);
                }

                scale0 += 16 * IntegerLayout<TForm>.BlockGroups;
                scale1 += 16 * IntegerLayout<TForm>.BlockGroups;
                F scale = TSimd.SplatFloat(*scales++);
                f0 = IntegerLayout<TForm>.Blocks == 1 ? TSimd.MulFloats(TSimd.ToFloat(a0), scale) : TSimd.Fma(TSimd.ToFloat(a0), scale, f0);
                f1 = IntegerLayout<TForm>.Blocks == 1 ? TSimd.MulFloats(TSimd.ToFloat(a1), scale) : TSimd.Fma(TSimd.ToFloat(a1), scale, f1);
                sums += 2;
                codes0 += IntegerLayout<TForm>.BlockBytes;
                codes1 += IntegerLayout<TForm>.BlockBytes;
            }

            sum0 = TSimd.Fma(f0, TSimd.LoadScales((ushort*)first + firstRow), sum0);
            sum1 = TSimd.Fma(f1, TSimd.LoadScales((ushort*)second + secondRow), sum1);
            if (IntegerLayout<TForm>.HasLeast)
            {
                sum0 = Least(first, firstRow, means, sum0);
                sum1 = Least(second, secondRow, means, sum1);
                means += IntegerLayout<TForm>.Groups;
            }

            first += IntegerLayout<TForm>.Bytes;
            second += IntegerLayout<TForm>.Bytes;
        }

        TSimd.StoreFloats(sum0, y0);
        TSimd.StoreFloats(sum1, y1);
    }

    /// <summary>Takes the zero of the codes out of a group's sums and applies its integer scales.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Group(int sum, byte* scale0, byte* scale1, ref I a0, ref I a1)
    {
        if (IntegerLayout<TForm>.ZeroShift >= 0)
        {
            I zero = TSimd.Splat(sum << IntegerLayout<TForm>.ZeroShift);
            a0 = TSimd.Sub(a0, zero);
            a1 = TSimd.Sub(a1, zero);
        }

        if (IntegerLayout<TForm>.HasScales)
        {
            a0 = TSimd.Mul(a0, IntegerCodes<TForm, TSimd, I, F>.Scales(scale0));
            a1 = TSimd.Mul(a1, IntegerCodes<TForm, TSimd, I, F>.Scales(scale1));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight(byte* codes0, byte* codes1, int* pairs, int half, int odd, ref I a0, ref I a1, ref I c0, ref I c1)
    {
        I x0 = TSimd.Splat(pairs[0]), x1 = TSimd.Splat(pairs[1]), x2 = TSimd.Splat(pairs[2]), x3 = TSimd.Splat(pairs[3]);
        IntegerCodes<TForm, TSimd, I, F>.Pairs(codes0, half, odd, out I p0, out I p1, out I p2, out I p3);
        if (IntegerLayout<TForm>.BlockGroups == 2)
        {
            a0 = TSimd.AddProducts(TSimd.AddProducts(a0, p0, x0), p2, x2);
            c0 = TSimd.AddProducts(TSimd.AddProducts(c0, p1, x1), p3, x3);
        }
        else
        {
            a0 = TSimd.AddProducts(a0, p0, x0, p1, x1, p2, x2, p3, x3);
        }

        IntegerCodes<TForm, TSimd, I, F>.Pairs(codes1, half, odd, out p0, out p1, out p2, out p3);
        if (IntegerLayout<TForm>.BlockGroups == 2)
        {
            a1 = TSimd.AddProducts(TSimd.AddProducts(a1, p0, x0), p2, x2);
            c1 = TSimd.AddProducts(TSimd.AddProducts(c1, p1, x1), p3, x3);
        }
        else
        {
            a1 = TSimd.AddProducts(a1, p0, x0, p1, x1, p2, x2, p3, x3);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static F Least(byte* super, int row, float* means, F sum)
    {
        F least = TSimd.LoadScales((ushort*)(super + IntegerLayout<TForm>.Least) + row);
        if (!IntegerLayout<TForm>.HasMinima)
        {
            return TSimd.Fma(TSimd.SplatFloat(means[0]), least, sum);
        }

        F g = TSimd.SplatFloat(0);
        byte* minima = super + IntegerLayout<TForm>.Minima + row;
        for (int i = 0; i < IntegerLayout<TForm>.Groups; i++)
        {
            g = TSimd.Fma(TSimd.ToFloat(TSimd.LoadBytes(minima + (16 * i))), TSimd.SplatFloat(means[i]), g);
        }

        return TSimd.Fma(g, least, sum);
    }
}
