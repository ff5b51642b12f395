using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Fills an <see cref="IntegerPanel"/> with codes of at most six bits as bytes and multiplies input rows of <see cref="QuadRows"/> with it, four at a time: what prefill is made of.
/// Per group of inputs with a scale of its own (16 or 32) y = fma(float(integer sum), scale, y), then, where there are minima, y = fma(minimum, sum of inputs, y).
/// </summary>
internal static unsafe class QuadPanels<TForm, TSimd, I, F>
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
        int* to = panel.Codes;
        float* d = panel.D;
        float* least = panel.D + IntegerPanel.LeastAt;
        for (int s = 0; s < supers; s++)
        {
            for (int row = 0; row < PackedMatrix.TileRows; row += TSimd.Width)
            {
                F scale = TSimd.LoadScales((ushort*)tile + row);
                F minimum = IntegerLayout<TForm>.HasLeast ? TSimd.LoadScales((ushort*)(tile + IntegerLayout<TForm>.Least) + row) : scale;
                for (int g = 0; g < IntegerLayout<TForm>.Groups; g++)
                {
                    TSimd.StoreFloats(QuadCodes<TForm, TSimd, I, F>.Scale(scale, tile + IntegerLayout<TForm>.Scales + (16 * g) + row), d + (16 * g) + row);
                    if (IntegerLayout<TForm>.HasLeast)
                    {
                        TSimd.StoreFloats(QuadCodes<TForm, TSimd, I, F>.Minimum(minimum, tile + IntegerLayout<TForm>.Minima + (16 * g) + row), least + (16 * g) + row);
                    }
                }

                byte* codes = tile + IntegerLayout<TForm>.Codes + (4 * row);
                for (int b = 0; b < IntegerLayout<TForm>.Blocks; b++)
                {
                    int* block = to + (128 * b) + row;
                    Put(codes, 0, block);
                    Put(codes, 1, block);
                    Put(codes, 2, block);
                    Put(codes, 3, block);
                    codes += IntegerLayout<TForm>.BlockBytes;
                }
            }

            tile += IntegerLayout<TForm>.Bytes;
            to += 128 * IntegerLayout<TForm>.Blocks;
            d += 16 * IntegerLayout<TForm>.Groups;
            least += 16 * IntegerLayout<TForm>.Groups;
        }
    }

    /// <summary>Adds the products of four input rows with two vectors of weight rows to their sums.</summary>
    /// <param name="panel0">Panel of the first vector's rows.</param>
    /// <param name="row0">Its first row in that panel.</param>
    /// <param name="panel1">Panel of the second vector's rows.</param>
    /// <param name="row1">Its first row in that panel.</param>
    /// <param name="blocks">32 inputs each.</param>
    /// <param name="x">The input rows, four side by side, at the panel's first input.</param>
    /// <param name="ahead">Memory to ask for meanwhile.</param>
    /// <param name="y0">Sums of the first vector, <see cref="ProductTiles.SumStride"/> floats from an input row to the next.</param>
    /// <param name="y1">Sums of the second vector.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4(in IntegerPanel panel0, int row0, in IntegerPanel panel1, int row1, int blocks, in QuadRows x, AskAhead ahead, float* y0, float* y1)
    {
        int* w0 = panel0.Codes + row0;
        int* w1 = panel1.Codes + row1;
        int* q = x.Q;
        int* m = x.M;
        int* sums = IntegerLayout<TForm>.BlockGroups == 2 ? x.Sums16 : x.Sums32;
        float* means = IntegerLayout<TForm>.BlockGroups == 2 ? x.Means16 : x.Means32;
        float* d0 = panel0.D + row0;
        float* d1 = panel1.D + row1;
        I* totals = stackalloc I[8];
        for (int b = 0; b < blocks; b++)
        {
            ahead.Next<TSimd, I, F>();
            for (int half = 0; half < 2; half++)
            {
                First(w0, w1, q, out I a0, out I a1, out I a2, out I a3, out I b0, out I b1, out I b2, out I b3);
                Next(w0 + 16, w1 + 16, q + 4, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
                if (IntegerLayout<TForm>.Six)
                {
                    Begin(m, totals, a0, a1, a2, a3, b0, b1, b2, b3);
                    First(w0 + 32, w1 + 32, q + 8, out a0, out a1, out a2, out a3, out b0, out b1, out b2, out b3);
                }
                else
                {
                    Next(w0 + 32, w1 + 32, q + 8, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
                }

                Next(w0 + 48, w1 + 48, q + 12, ref a0, ref a1, ref a2, ref a3, ref b0, ref b1, ref b2, ref b3);
                w0 += 64;
                w1 += 64;
                q += 16;
                if (IntegerLayout<TForm>.BlockGroups == 1 && half == 0)
                {
                    Begin(m, totals, a0, a1, a2, a3, b0, b1, b2, b3);
                    m += QuadRows.Together;
                    continue;
                }

                Finish(a0, b0, m, totals, sums, means, d0, d1, y0, y1);
                Finish(a1, b1, m + 1, totals + 2, sums + 1, means + 1, d0, d1, y0 + ProductTiles.SumStride, y1 + ProductTiles.SumStride);
                Finish(a2, b2, m + 2, totals + 4, sums + 2, means + 2, d0, d1, y0 + (2 * ProductTiles.SumStride), y1 + (2 * ProductTiles.SumStride));
                Finish(a3, b3, m + 3, totals + 6, sums + 3, means + 3, d0, d1, y0 + (3 * ProductTiles.SumStride), y1 + (3 * ProductTiles.SumStride));
                m += QuadRows.Together;
                sums += QuadRows.Together;
                means += QuadRows.Together;
                d0 += 16;
                d1 += 16;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put(byte* codes, int g, int* to)
    {
        QuadCodes<TForm, TSimd, I, F>.Take(codes, g, out I low, out I high);
        TSimd.Store(low, to + (16 * g));
        TSimd.Store(high, to + 64 + (16 * g));
    }

    /// <summary>Four inputs of four input rows, the first of a sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void First(int* w0, int* w1, int* q, out I a0, out I a1, out I a2, out I a3, out I b0, out I b1, out I b2, out I b3)
    {
        I u = TSimd.Load(w0);
        I v = TSimd.Load(w1);
        I t = TSimd.Splat(q[0]);
        a0 = TSimd.Dot(u, t);
        b0 = TSimd.Dot(v, t);
        t = TSimd.Splat(q[1]);
        a1 = TSimd.Dot(u, t);
        b1 = TSimd.Dot(v, t);
        t = TSimd.Splat(q[2]);
        a2 = TSimd.Dot(u, t);
        b2 = TSimd.Dot(v, t);
        t = TSimd.Splat(q[3]);
        a3 = TSimd.Dot(u, t);
        b3 = TSimd.Dot(v, t);
    }

    /// <summary>Four more inputs.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Next(int* w0, int* w1, int* q, ref I a0, ref I a1, ref I a2, ref I a3, ref I b0, ref I b1, ref I b2, ref I b3)
    {
        I u = TSimd.Load(w0);
        I v = TSimd.Load(w1);
        I t = TSimd.Splat(q[0]);
        a0 = TSimd.AddDot(a0, u, t);
        b0 = TSimd.AddDot(b0, v, t);
        t = TSimd.Splat(q[1]);
        a1 = TSimd.AddDot(a1, u, t);
        b1 = TSimd.AddDot(b1, v, t);
        t = TSimd.Splat(q[2]);
        a2 = TSimd.AddDot(a2, u, t);
        b2 = TSimd.AddDot(b2, v, t);
        t = TSimd.Splat(q[3]);
        a3 = TSimd.AddDot(a3, u, t);
        b3 = TSimd.AddDot(b3, v, t);
    }

    /// <summary>The first half of what <see cref="Finish"/> takes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Begin(int* m, I* totals, I a0, I a1, I a2, I a3, I b0, I b1, I b2, I b3)
    {
        I t = TSimd.Splat(m[0]);
        totals[0] = TSimd.Weigh(a0, t);
        totals[1] = TSimd.Weigh(b0, t);
        t = TSimd.Splat(m[1]);
        totals[2] = TSimd.Weigh(a1, t);
        totals[3] = TSimd.Weigh(b1, t);
        t = TSimd.Splat(m[2]);
        totals[4] = TSimd.Weigh(a2, t);
        totals[5] = TSimd.Weigh(b2, t);
        t = TSimd.Splat(m[3]);
        totals[6] = TSimd.Weigh(a3, t);
        totals[7] = TSimd.Weigh(b3, t);
    }

    /// <summary>The end of a group, for one input row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(I a, I b, int* m, I* totals, int* sums, float* means, float* d0, float* d1, float* y0, float* y1)
    {
        I t = TSimd.Splat(*m);
        a = TSimd.Weigh(a, t);
        b = TSimd.Weigh(b, t);
        if (IntegerLayout<TForm>.BlockGroups == 1 || IntegerLayout<TForm>.Six)
        {
            a = TSimd.Add(a, totals[0]);
            b = TSimd.Add(b, totals[1]);
        }

        if (IntegerLayout<TForm>.ZeroShift >= 0)
        {
            I zero = TSimd.ShiftLeft(TSimd.Splat(*sums), IntegerLayout<TForm>.ZeroShift);
            a = TSimd.Sub(a, zero);
            b = TSimd.Sub(b, zero);
        }

        F sum0 = TSimd.Fma(TSimd.ToFloat(a), TSimd.LoadFloats(d0), TSimd.LoadFloats(y0));
        F sum1 = TSimd.Fma(TSimd.ToFloat(b), TSimd.LoadFloats(d1), TSimd.LoadFloats(y1));
        if (IntegerLayout<TForm>.HasLeast)
        {
            F mean = TSimd.SplatFloat(*means);
            sum0 = TSimd.Fma(TSimd.LoadFloats(d0 + IntegerPanel.LeastAt), mean, sum0);
            sum1 = TSimd.Fma(TSimd.LoadFloats(d1 + IntegerPanel.LeastAt), mean, sum1);
        }

        TSimd.StoreFloats(sum0, y0);
        TSimd.StoreFloats(sum1, y1);
    }
}
