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
    /// <summary>Multiplies.</summary>
    /// <param name="first">The tile of the first vector of rows.</param>
    /// <param name="firstRow">Its first row in the tile.</param>
    /// <param name="second">The tile of the second vector of rows.</param>
    /// <param name="secondRow">Its first row in the tile.</param>
    /// <param name="supers">Super-blocks per row.</param>
    /// <param name="x">The input row.</param>
    /// <param name="y0">Receives the first vector.</param>
    /// <param name="y1">Receives the second vector.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply(byte* first, int firstRow, byte* second, int secondRow, int supers, in QuantizedRows x, float* y0, float* y1)
    {
        int* pairs = (int*)x.Q;
        float* scales = x.Scales;
        int* sums = x.Sums;
        float* means = TForm.Groups == 2 ? x.Means16 : x.Means32;
        F sum0 = TSimd.SplatFloat(0), sum1 = TSimd.SplatFloat(0);
        for (int s = 0; s < supers; s++)
        {
            byte* codes0 = first + IntegerLayout<TForm>.Codes + (4 * firstRow);
            byte* codes1 = second + IntegerLayout<TForm>.Codes + (4 * secondRow);
            byte* scale0 = first + IntegerLayout<TForm>.Scales + firstRow;
            byte* scale1 = second + IntegerLayout<TForm>.Scales + secondRow;
            F f0 = TSimd.SplatFloat(0), f1 = TSimd.SplatFloat(0);
            for (int b = 0; b < TForm.Blocks; b++)
            {
                I a0 = TSimd.Splat(0), a1 = TSimd.Splat(0);
                Group(codes0, codes1, pairs, 0, ref a0, ref a1);
                Group(codes0, codes1, pairs, 1, ref a0, ref a1);
                if (TForm.Groups == 2)
                {
                    I z = Zero(sums[0]);
                    a0 = TSimd.Mul(TSimd.Sub(a0, z), IntegerCodes<TForm, TSimd, I, F>.Scales(scale0));
                    a1 = TSimd.Mul(TSimd.Sub(a1, z), IntegerCodes<TForm, TSimd, I, F>.Scales(scale1));
                    I b0 = TSimd.Splat(0), b1 = TSimd.Splat(0);
                    Group(codes0, codes1, pairs, 2, ref b0, ref b1);
                    Group(codes0, codes1, pairs, 3, ref b0, ref b1);
                    z = Zero(sums[1]);
                    a0 = TSimd.Add(a0, TSimd.Mul(TSimd.Sub(b0, z), IntegerCodes<TForm, TSimd, I, F>.Scales(scale0 + 16)));
                    a1 = TSimd.Add(a1, TSimd.Mul(TSimd.Sub(b1, z), IntegerCodes<TForm, TSimd, I, F>.Scales(scale1 + 16)));
                    scale0 += 32;
                    scale1 += 32;
                }
                else
                {
                    Group(codes0, codes1, pairs, 2, ref a0, ref a1);
                    Group(codes0, codes1, pairs, 3, ref a0, ref a1);
                    I z = Zero(sums[0] + sums[1]);
                    a0 = TSimd.Sub(a0, z);
                    a1 = TSimd.Sub(a1, z);
                    if (TForm.HasScales)
                    {
                        a0 = TSimd.Mul(a0, IntegerCodes<TForm, TSimd, I, F>.Scales(scale0));
                        a1 = TSimd.Mul(a1, IntegerCodes<TForm, TSimd, I, F>.Scales(scale1));
                        scale0 += 16;
                        scale1 += 16;
                    }
                }

                F scale = TSimd.SplatFloat(*scales++);
                f0 = TForm.Blocks == 1 ? TSimd.MulFloats(TSimd.ToFloat(a0), scale) : TSimd.Fma(TSimd.ToFloat(a0), scale, f0);
                f1 = TForm.Blocks == 1 ? TSimd.MulFloats(TSimd.ToFloat(a1), scale) : TSimd.Fma(TSimd.ToFloat(a1), scale, f1);
                sums += 2;
                pairs += 16;
                codes0 += IntegerLayout<TForm>.BlockBytes;
                codes1 += IntegerLayout<TForm>.BlockBytes;
            }

            sum0 = TSimd.Fma(f0, TSimd.LoadHalves((ushort*)first + firstRow), sum0);
            sum1 = TSimd.Fma(f1, TSimd.LoadHalves((ushort*)second + secondRow), sum1);
            if (TForm.HasLeast)
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Group(byte* codes0, byte* codes1, int* pairs, int group, ref I a0, ref I a1)
    {
        I x0 = TSimd.Splat(pairs[4 * group]), x1 = TSimd.Splat(pairs[(4 * group) + 1]), x2 = TSimd.Splat(pairs[(4 * group) + 2]), x3 = TSimd.Splat(pairs[(4 * group) + 3]);
        IntegerCodes<TForm, TSimd, I, F>.Pairs(codes0, group, out I p0, out I p1, out I p2, out I p3);
        a0 = TSimd.Add(TSimd.MultiplyAddPairs(p0, x0), a0);
        a0 = TSimd.Add(TSimd.MultiplyAddPairs(p1, x1), a0);
        a0 = TSimd.Add(TSimd.MultiplyAddPairs(p2, x2), a0);
        a0 = TSimd.Add(TSimd.MultiplyAddPairs(p3, x3), a0);
        IntegerCodes<TForm, TSimd, I, F>.Pairs(codes1, group, out p0, out p1, out p2, out p3);
        a1 = TSimd.Add(TSimd.MultiplyAddPairs(p0, x0), a1);
        a1 = TSimd.Add(TSimd.MultiplyAddPairs(p1, x1), a1);
        a1 = TSimd.Add(TSimd.MultiplyAddPairs(p2, x2), a1);
        a1 = TSimd.Add(TSimd.MultiplyAddPairs(p3, x3), a1);
    }

    /// <summary>What the zero of the codes adds to a sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static I Zero(int sum) => TForm.ZeroShift < 0 ? TSimd.Splat(0) : TSimd.Splat(sum << TForm.ZeroShift);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static F Least(byte* super, int row, float* means, F sum)
    {
        F least = TSimd.LoadHalves((ushort*)(super + IntegerLayout<TForm>.Least) + row);
        if (!TForm.HasMinima)
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
