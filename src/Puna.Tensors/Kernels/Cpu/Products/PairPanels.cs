using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Fills an <see cref="IntegerPanel"/> with signed bytes as pairs of 16-bit integers and multiplies input rows of <see cref="PairRows"/> with it: what prefill with Q8_0 is made of.
/// Per 32 inputs y = fma(float(integer sum) * x scale, d, y).
/// </summary>
internal static unsafe class PairPanels<TSimd, I, F>
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>Fills a panel from packed blocks.</summary>
    /// <param name="tile">First packed block.</param>
    /// <param name="blocks">Blocks, at most <see cref="IntegerPanel.Chunk"/> inputs.</param>
    /// <param name="panel">The panel.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(byte* tile, int blocks, in IntegerPanel panel)
    {
        for (int b = 0; b < blocks; b++)
        {
            for (int row = 0; row < PackedMatrix.TileRows; row += TSimd.Width)
            {
                TSimd.StoreFloats(TSimd.LoadScales((ushort*)tile + row), panel.D + (16 * b) + row);
                byte* codes = tile + IntegerLayout<Q8_0Form>.Codes + (4 * row);
                int* to = panel.Codes + (256 * b) + row;
                for (int g = 0; g < 4; g++)
                {
                    PairCodes<TSimd, I, F>.Take(codes, g, out I p0, out I p1, out I p2, out I p3);
                    TSimd.Store(p0, to);
                    TSimd.Store(p1, to + 16);
                    TSimd.Store(p2, to + 32);
                    TSimd.Store(p3, to + 48);
                    to += 64;
                }
            }

            tile += IntegerLayout<Q8_0Form>.Bytes;
        }
    }

    /// <summary>Adds the products of six input rows with two vectors of weight rows to their sums.</summary>
    /// <param name="panel0">Panel of the first vector's rows.</param>
    /// <param name="row0">Its first row in that panel.</param>
    /// <param name="panel1">Panel of the second vector's rows.</param>
    /// <param name="row1">Its first row in that panel.</param>
    /// <param name="blocks">32 inputs each.</param>
    /// <param name="x">The first input row, at the panel's first input; strides are those of all its inputs.</param>
    /// <param name="ahead">Memory to ask for meanwhile.</param>
    /// <param name="y0">Sums of the first vector.</param>
    /// <param name="y1">Sums of the second vector.</param>
    /// <param name="stride">Floats from the sums of an input row to those of the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply6(in IntegerPanel panel0, int row0, in IntegerPanel panel1, int row1, int blocks, in PairRows x, AskAhead ahead, float* y0, float* y1, nint stride)
    {
        int* w0 = panel0.Codes + row0;
        int* w1 = panel1.Codes + row1;
        nint next = x.Stride / 2;
        int* q = (int*)x.Q;
        int* q3 = q + (3 * next);
        nint nextScale = x.K / 32;
        float* scales = x.Scales;
        for (int b = 0; b < blocks; b++)
        {
            ahead.Next<TSimd, I, F>();
            I a0 = TSimd.Splat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0;
            for (int p = 0; p < 16; p++)
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
                t = TSimd.Splat(q3[0]);
                a3 = TSimd.AddProducts(a3, u, t);
                b3 = TSimd.AddProducts(b3, v, t);
                t = TSimd.Splat(q3[next]);
                a4 = TSimd.AddProducts(a4, u, t);
                b4 = TSimd.AddProducts(b4, v, t);
                t = TSimd.Splat(q3[2 * next]);
                a5 = TSimd.AddProducts(a5, u, t);
                b5 = TSimd.AddProducts(b5, v, t);
                w0 += 16;
                w1 += 16;
                q++;
                q3++;
            }

            F d0 = TSimd.LoadFloats(panel0.D + (16 * b) + row0), d1 = TSimd.LoadFloats(panel1.D + (16 * b) + row1);
            Finish(a0, b0, scales[0], d0, d1, y0, y1);
            Finish(a1, b1, scales[nextScale], d0, d1, y0 + stride, y1 + stride);
            Finish(a2, b2, scales[2 * nextScale], d0, d1, y0 + (2 * stride), y1 + (2 * stride));
            Finish(a3, b3, scales[3 * nextScale], d0, d1, y0 + (3 * stride), y1 + (3 * stride));
            Finish(a4, b4, scales[4 * nextScale], d0, d1, y0 + (4 * stride), y1 + (4 * stride));
            Finish(a5, b5, scales[5 * nextScale], d0, d1, y0 + (5 * stride), y1 + (5 * stride));
            scales++;
        }
    }

    /// <summary>As <see cref="Multiply6"/> for four input rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4(in IntegerPanel panel0, int row0, in IntegerPanel panel1, int row1, int blocks, in PairRows x, AskAhead ahead, float* y0, float* y1, nint stride)
    {
        int* w0 = panel0.Codes + row0;
        int* w1 = panel1.Codes + row1;
        nint next = x.Stride / 2;
        int* q = (int*)x.Q;
        nint nextScale = x.K / 32;
        float* scales = x.Scales;
        for (int b = 0; b < blocks; b++)
        {
            ahead.Next<TSimd, I, F>();
            I a0 = TSimd.Splat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
            for (int p = 0; p < 16; p++)
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
                w0 += 16;
                w1 += 16;
                q++;
            }

            F d0 = TSimd.LoadFloats(panel0.D + (16 * b) + row0), d1 = TSimd.LoadFloats(panel1.D + (16 * b) + row1);
            Finish(a0, b0, scales[0], d0, d1, y0, y1);
            Finish(a1, b1, scales[nextScale], d0, d1, y0 + stride, y1 + stride);
            Finish(a2, b2, scales[2 * nextScale], d0, d1, y0 + (2 * stride), y1 + (2 * stride));
            Finish(a3, b3, scales[3 * nextScale], d0, d1, y0 + (3 * stride), y1 + (3 * stride));
            scales++;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Finish(I a, I b, float scale, F d0, F d1, float* y0, float* y1)
    {
        F factor = TSimd.SplatFloat(scale);
        TSimd.StoreFloats(TSimd.Fma(TSimd.MulFloats(TSimd.ToFloat(a), factor), d0, TSimd.LoadFloats(y0)), y0);
        TSimd.StoreFloats(TSimd.Fma(TSimd.MulFloats(TSimd.ToFloat(b), factor), d1, TSimd.LoadFloats(y1)), y1);
    }
}
