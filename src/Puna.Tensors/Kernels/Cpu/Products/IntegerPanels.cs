using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>Fills an <see cref="IntegerPanel"/> and multiplies input rows with it, four at a time: what prefill is made of.</summary>
internal static unsafe class IntegerPanels<TForm, TSimd, I, F>
    where TForm : struct, IIntegerForm
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>Fills a panel from packed super-blocks.</summary>
    /// <param name="tile">First packed super-block.</param>
    /// <param name="supers">Super-blocks, at most <see cref="IntegerPanel.Chunk"/> inputs.</param>
    /// <param name="panel">The panel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(byte* tile, int supers, in IntegerPanel panel)
    {
        for (int s = 0; s < supers; s++)
        {
            for (int row = 0; row < PackedMatrix.TileRows; row += TSimd.Width)
            {
                TSimd.StoreFloats(TSimd.LoadScales((ushort*)tile + row), panel.D + (16 * s) + row);
                if (IntegerLayout<TForm>.HasLeast)
                {
                    TSimd.StoreFloats(TSimd.LoadScales((ushort*)(tile + IntegerLayout<TForm>.Least) + row), panel.Least + (16 * s) + row);
                }

                for (int g = 0; IntegerLayout<TForm>.HasMinima && g < IntegerLayout<TForm>.Groups; g++)
                {
                    F minimum = TSimd.ToFloat(TSimd.LoadBytes(tile + IntegerLayout<TForm>.Minima + (16 * g) + row));
                    TSimd.StoreFloats(minimum, panel.Minima + (16 * ((s * IntegerLayout<TForm>.Groups) + g)) + row);
                }

                byte* codes = tile + IntegerLayout<TForm>.Codes + (4 * row);
                int* to = panel.Pairs + (s * IntegerLayout<TForm>.Blocks * 256) + row;
                byte* scales = tile + IntegerLayout<TForm>.Scales + row;
                for (int b = 0; b < IntegerLayout<TForm>.Blocks; b++)
                {
                    I scale = IntegerLayout<TForm>.HasScales ? Doubled(scales) : default;
                    I other = IntegerLayout<TForm>.BlockGroups == 2 ? Doubled(scales + 16) : scale;
                    for (int half = 0; half < 2; half++)
                    {
                        Eight(codes, half, 0, scale, other, to);
                        Eight(codes, half, 1, scale, other, to + 64);
                        to += 128;
                    }

                    scales += 16 * IntegerLayout<TForm>.BlockGroups;
                    codes += IntegerLayout<TForm>.BlockBytes;
                }
            }

            tile += IntegerLayout<TForm>.Bytes;
        }
    }

    /// <summary>Adds the products of four input rows with two vectors of weight rows to their sums.</summary>
    /// <param name="panel0">Panel of the first vector's rows.</param>
    /// <param name="row0">Its first row in that panel.</param>
    /// <param name="panel1">Panel of the second vector's rows.</param>
    /// <param name="row1">Its first row in that panel.</param>
    /// <param name="supers">Super-blocks in the panels.</param>
    /// <param name="x">The first input row, at the panel's first input; strides are those of all its inputs.</param>
    /// <param name="y0">Sums of the first vector.</param>
    /// <param name="y1">Sums of the second vector.</param>
    /// <param name="stride">Floats from the sums of an input row to those of the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4(in IntegerPanel panel0, int row0, in IntegerPanel panel1, int row1, int supers, in QuantizedRows x, float* y0, float* y1, nint stride)
    {
        int* w0 = panel0.Pairs + row0;
        int* w1 = panel1.Pairs + row1;
        int* q = (int*)x.Q;
        nint next = x.Stride / 2;
        float* scales = x.Scales;
        nint nextScale = x.K / 32;
        F* sums = stackalloc F[8];
        for (int s = 0; s < supers; s++)
        {
            for (int b = 0; b < IntegerLayout<TForm>.Blocks; b++)
            {
                I a0 = TSimd.Splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
                for (int p = 0; p < 16; p += 4)
                {
                    Pair(w0, w1, q, next, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
                    Pair(w0 + 16, w1 + 16, q + 1, next, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
                    Pair(w0 + 32, w1 + 32, q + 2, next, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
                    Pair(w0 + 48, w1 + 48, q + 3, next, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
                    w0 += 64;
                    w1 += 64;
                    q += 4;
                }

                if (IntegerLayout<TForm>.Blocks == 1)
                {
                    F d0 = TSimd.LoadFloats(panel0.D + (16 * s) + row0), d1 = TSimd.LoadFloats(panel1.D + (16 * s) + row1);
                    AddScaled(a0, b0, scales[0], d0, d1, y0, y1);
                    AddScaled(a1, b1, scales[nextScale], d0, d1, y0 + stride, y1 + stride);
                    AddScaled(a2, b2, scales[2 * nextScale], d0, d1, y0 + (2 * stride), y1 + (2 * stride));
                    AddScaled(a3, b3, scales[3 * nextScale], d0, d1, y0 + (3 * stride), y1 + (3 * stride));
                    scales++;
                    continue;
                }

                bool begin = b == 0;
                Scale(a0, b0, scales[0], begin, sums);
                Scale(a1, b1, scales[nextScale], begin, sums + 2);
                Scale(a2, b2, scales[2 * nextScale], begin, sums + 4);
                Scale(a3, b3, scales[3 * nextScale], begin, sums + 6);
                scales++;
            }

            if (IntegerLayout<TForm>.Blocks > 1 || IntegerLayout<TForm>.HasLeast)
            {
                Finish(panel0, row0, panel1, row1, s, 4, x, sums, y0, y1, stride);
            }
        }
    }

    /// <summary>As <see cref="Multiply4"/> for one input row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1(in IntegerPanel panel0, int row0, in IntegerPanel panel1, int row1, int supers, in QuantizedRows x, float* y0, float* y1)
    {
        int* w0 = panel0.Pairs + row0;
        int* w1 = panel1.Pairs + row1;
        int* q = (int*)x.Q;
        float* scales = x.Scales;
        F* sums = stackalloc F[2];
        for (int s = 0; s < supers; s++)
        {
            for (int b = 0; b < IntegerLayout<TForm>.Blocks; b++)
            {
                I a = TSimd.Splat(0), c = a;
                for (int p = 0; p < 16; p++)
                {
                    I t = TSimd.Splat(*q++);
                    a = TSimd.AddProducts(a, TSimd.Load(w0), t);
                    c = TSimd.AddProducts(c, TSimd.Load(w1), t);
                    w0 += 16;
                    w1 += 16;
                }

                if (IntegerLayout<TForm>.Blocks == 1)
                {
                    AddScaled(a, c, *scales++, TSimd.LoadFloats(panel0.D + (16 * s) + row0), TSimd.LoadFloats(panel1.D + (16 * s) + row1), y0, y1);
                }
                else
                {
                    Scale(a, c, *scales++, b == 0, sums);
                }
            }

            if (IntegerLayout<TForm>.Blocks > 1 || IntegerLayout<TForm>.HasLeast)
            {
                Finish(panel0, row0, panel1, row1, s, 1, x, sums, y0, y1, 0);
            }
        }
    }

    /// <summary>One pair of inputs of four input rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair(int* w0, int* w1, int* q, nint next, ref I a0, ref I a1, ref I a2, ref I a3, ref I b0, ref I b1, ref I b2, ref I b3)
    {
        I u = TSimd.Load(w0);
        I v = TSimd.Load(w1);
        I t = TSimd.Splat(q[0]);
        a0 = TSimd.AddProducts(a0, u, t);
        b0 = TSimd.AddProducts(b0, v, t);
        t = TSimd.Splat(q[next]);
        a1 = TSimd.AddProducts(a1, u, t);
        b1 = TSimd.AddProducts(b1, v, t);
        t = TSimd.Splat(q[2 * next]);
        a2 = TSimd.AddProducts(a2, u, t);
        b2 = TSimd.AddProducts(b2, v, t);
        t = TSimd.Splat(q[3 * next]);
        a3 = TSimd.AddProducts(a3, u, t);
        b3 = TSimd.AddProducts(b3, v, t);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Scale(I a, I b, float scale, bool begin, F* sums)
    {
        F factor = TSimd.SplatFloat(scale);
        sums[0] = TSimd.Fma(TSimd.ToFloat(a), factor, begin ? TSimd.SplatFloat(0) : sums[0]);
        sums[1] = TSimd.Fma(TSimd.ToFloat(b), factor, begin ? TSimd.SplatFloat(0) : sums[1]);
    }

    /// <summary>The end of a super-block that is one block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void AddScaled(I a, I b, float scale, F d0, F d1, float* y0, float* y1)
    {
        F factor = TSimd.SplatFloat(scale);
        TSimd.StoreFloats(TSimd.Fma(TSimd.MulFloats(TSimd.ToFloat(a), factor), d0, TSimd.LoadFloats(y0)), y0);
        TSimd.StoreFloats(TSimd.Fma(TSimd.MulFloats(TSimd.ToFloat(b), factor), d1, TSimd.LoadFloats(y1)), y1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(in IntegerPanel panel0, int row0, in IntegerPanel panel1, int row1, int super, int rows, in QuantizedRows x, F* sums, float* y0, float* y1, nint stride)
    {
        F d0 = TSimd.LoadFloats(panel0.D + (16 * super) + row0);
        F d1 = TSimd.LoadFloats(panel1.D + (16 * super) + row1);
        for (int t = 0; t < rows; t++)
        {
            F sum0 = TSimd.LoadFloats(y0 + (t * stride));
            F sum1 = TSimd.LoadFloats(y1 + (t * stride));
            if (IntegerLayout<TForm>.Blocks > 1)
            {
                sum0 = TSimd.Fma(sums[2 * t], d0, sum0);
                sum1 = TSimd.Fma(sums[(2 * t) + 1], d1, sum1);
            }

            if (IntegerLayout<TForm>.HasLeast)
            {
                sum0 = Minima(panel0, row0, super, x, t, sum0);
                sum1 = Minima(panel1, row1, super, x, t, sum1);
            }

            TSimd.StoreFloats(sum0, y0 + (t * stride));
            TSimd.StoreFloats(sum1, y1 + (t * stride));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static F Minima(in IntegerPanel panel, int row, int super, in QuantizedRows x, int token, F sum)
    {
        F least = TSimd.LoadFloats(panel.Least + (16 * super) + row);
        float* means = IntegerLayout<TForm>.BlockGroups == 2 ? x.Means16 + (token * (nint)(x.K / 16)) : x.Means32 + (token * (nint)(x.K / 32));
        means += super * IntegerLayout<TForm>.Groups;
        if (!IntegerLayout<TForm>.HasMinima)
        {
            return TSimd.Fma(TSimd.SplatFloat(means[0]), least, sum);
        }

        F g = TSimd.SplatFloat(0);
        float* minima = panel.Minima + (16 * super * IntegerLayout<TForm>.Groups) + row;
        for (int i = 0; i < IntegerLayout<TForm>.Groups; i++)
        {
            g = TSimd.Fma(TSimd.LoadFloats(minima + (16 * i)), TSimd.SplatFloat(means[i]), g);
        }

        return TSimd.Fma(g, least, sum);
    }

    /// <summary>Scales as both halves of their lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static I Doubled(byte* scales)
    {
        I scale = IntegerCodes<TForm, TSimd, I, F>.Scales(scales);
        return TSimd.Or(TSimd.And(scale, TSimd.Splat(0xFFFF)), TSimd.ShiftLeft(scale, 16));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Eight(byte* codes, int half, int odd, I scale, I other, int* to)
    {
        IntegerCodes<TForm, TSimd, I, F>.Pairs(codes, half, odd, out I p0, out I p1, out I p2, out I p3);
        TSimd.Store(Finished(p0, scale), to);
        TSimd.Store(Finished(p1, other), to + 16);
        TSimd.Store(Finished(p2, scale), to + 32);
        TSimd.Store(Finished(p3, other), to + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static I Finished(I pair, I scale)
    {
        if (IntegerLayout<TForm>.ZeroShift >= 0)
        {
            pair = TSimd.Sub16(pair, TSimd.Splat(0x0001_0001 * IntegerLayout<TForm>.Zero));
        }

        return IntegerLayout<TForm>.HasScales ? TSimd.Mul16(pair, scale) : pair;
    }
}
