using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu.Products;

/// <summary>
/// Products with float weights. A sum goes over the inputs in order, one fused multiply-add each, in chunks of <see cref="Chunk"/> whose sums are then added in order: so every
/// width, tiling and number of input rows gives the same bits, and long rows lose less than in one chain.
/// </summary>
internal static unsafe class FloatPanels<TSimd, I, F>
    where TSimd : struct, IPairSimd<I, F>
    where I : unmanaged
    where F : unmanaged
{
    /// <summary>Inputs of a panel; with 16 rows of float32 half a first-level cache.</summary>
    public const int Chunk = 256;

    /// <summary>How far ahead memory is asked for, in words; see <see cref="ProductTiles.Ahead"/>.</summary>
    private const int Ahead = ProductTiles.Ahead / sizeof(uint);

    /// <summary>Six input rows times two vectors of weight rows.</summary>
    /// <param name="w0">Panel <c>[inputs, 16]</c> at the first vector's row.</param>
    /// <param name="w1">Panel at the second vector's row.</param>
    /// <param name="inputs">Inputs, at most <see cref="Chunk"/>.</param>
    /// <param name="x">First input row.</param>
    /// <param name="next">Floats from an input row to the next.</param>
    /// <param name="y0">Sums of the first vector; the products are added.</param>
    /// <param name="y1">Sums of the second vector.</param>
    /// <param name="stride">Floats from the sums of an input row to those of the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply6(float* w0, float* w1, int inputs, float* x, nint next, float* y0, float* y1, nint stride)
    {
        F a0 = TSimd.SplatFloat(0), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0;
        float* x3 = x + (3 * next);
        for (int i = 0; i < inputs; i++)
        {
            F u = TSimd.LoadFloats(w0);
            F v = TSimd.LoadFloats(w1);
            F t = TSimd.SplatFloat(x[0]);
            a0 = TSimd.Fma(u, t, a0);
            b0 = TSimd.Fma(v, t, b0);
            t = TSimd.SplatFloat(x[next]);
            a1 = TSimd.Fma(u, t, a1);
            b1 = TSimd.Fma(v, t, b1);
            t = TSimd.SplatFloat(x[2 * next]);
            a2 = TSimd.Fma(u, t, a2);
            b2 = TSimd.Fma(v, t, b2);
            t = TSimd.SplatFloat(x3[0]);
            a3 = TSimd.Fma(u, t, a3);
            b3 = TSimd.Fma(v, t, b3);
            t = TSimd.SplatFloat(x3[next]);
            a4 = TSimd.Fma(u, t, a4);
            b4 = TSimd.Fma(v, t, b4);
            t = TSimd.SplatFloat(x3[2 * next]);
            a5 = TSimd.Fma(u, t, a5);
            b5 = TSimd.Fma(v, t, b5);
            w0 += PackedMatrix.TileRows;
            w1 += PackedMatrix.TileRows;
            x++;
            x3++;
        }

        Add(a0, b0, y0, y1);
        Add(a1, b1, y0 + stride, y1 + stride);
        Add(a2, b2, y0 + (2 * stride), y1 + (2 * stride));
        Add(a3, b3, y0 + (3 * stride), y1 + (3 * stride));
        Add(a4, b4, y0 + (4 * stride), y1 + (4 * stride));
        Add(a5, b5, y0 + (5 * stride), y1 + (5 * stride));
    }

    /// <summary>As <see cref="Multiply6"/> for four input rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply4(float* w0, float* w1, int inputs, float* x, nint next, float* y0, float* y1, nint stride)
    {
        F a0 = TSimd.SplatFloat(0), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
        for (int i = 0; i < inputs; i++)
        {
            F u = TSimd.LoadFloats(w0);
            F v = TSimd.LoadFloats(w1);
            F t = TSimd.SplatFloat(x[0]);
            a0 = TSimd.Fma(u, t, a0);
            b0 = TSimd.Fma(v, t, b0);
            t = TSimd.SplatFloat(x[next]);
            a1 = TSimd.Fma(u, t, a1);
            b1 = TSimd.Fma(v, t, b1);
            t = TSimd.SplatFloat(x[2 * next]);
            a2 = TSimd.Fma(u, t, a2);
            b2 = TSimd.Fma(v, t, b2);
            t = TSimd.SplatFloat(x[3 * next]);
            a3 = TSimd.Fma(u, t, a3);
            b3 = TSimd.Fma(v, t, b3);
            w0 += PackedMatrix.TileRows;
            w1 += PackedMatrix.TileRows;
            x++;
        }

        Add(a0, b0, y0, y1);
        Add(a1, b1, y0 + stride, y1 + stride);
        Add(a2, b2, y0 + (2 * stride), y1 + (2 * stride));
        Add(a3, b3, y0 + (3 * stride), y1 + (3 * stride));
    }

    /// <summary>As <see cref="Multiply6"/> for one input row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1(float* w0, float* w1, int inputs, float* x, float* y0, float* y1)
    {
        F a = TSimd.SplatFloat(0), b = a;
        for (int i = 0; i < inputs; i++)
        {
            F t = TSimd.SplatFloat(x[i]);
            a = TSimd.Fma(TSimd.LoadFloats(w0), t, a);
            b = TSimd.Fma(TSimd.LoadFloats(w1), t, b);
            w0 += PackedMatrix.TileRows;
            w1 += PackedMatrix.TileRows;
        }

        Add(a, b, y0, y1);
    }

    /// <summary>As <see cref="Multiply1"/>, straight from packed pairs of 16-bit floats.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void MultiplyHalves(uint* w0, uint* w1, bool bfloat, int inputs, float* x, float* y0, float* y1)
    {
        F a = TSimd.SplatFloat(0), b = a;
        for (int i = 0; i + 2 <= inputs; i += 2)
        {
            F t = TSimd.SplatFloat(x[i]);
            F u = TSimd.SplatFloat(x[i + 1]);
            TSimd.Prefetch(w0 + Ahead);
            if (TSimd.Width == PackedMatrix.TileRows)
            {
                TSimd.Prefetch(w1 + Ahead);
            }

            I v = TSimd.Load(w0);
            I w = TSimd.Load(w1);
            a = TSimd.Fma(bfloat ? TSimd.BFloat16(v, false) : TSimd.Half(v, false), t, a);
            b = TSimd.Fma(bfloat ? TSimd.BFloat16(w, false) : TSimd.Half(w, false), t, b);
            a = TSimd.Fma(bfloat ? TSimd.BFloat16(v, true) : TSimd.Half(v, true), u, a);
            b = TSimd.Fma(bfloat ? TSimd.BFloat16(w, true) : TSimd.Half(w, true), u, b);
            w0 += PackedMatrix.TileRows;
            w1 += PackedMatrix.TileRows;
        }

        if (inputs % 2 == 1)
        {
            F t = TSimd.SplatFloat(x[inputs - 1]);
            a = TSimd.Fma(bfloat ? TSimd.BFloat16(TSimd.Load(w0), false) : TSimd.Half(TSimd.Load(w0), false), t, a);
            b = TSimd.Fma(bfloat ? TSimd.BFloat16(TSimd.Load(w1), false) : TSimd.Half(TSimd.Load(w1), false), t, b);
        }

        Add(a, b, y0, y1);
    }

    /// <summary>Packed pairs of 16-bit floats to a panel.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FillHalves(uint* packed, bool bfloat, int inputs, float* panel)
    {
        for (int i = 0; i < inputs; i += 2)
        {
            for (int row = 0; row < PackedMatrix.TileRows; row += TSimd.Width)
            {
                I v = TSimd.Load(packed + row);
                TSimd.StoreFloats(bfloat ? TSimd.BFloat16(v, false) : TSimd.Half(v, false), panel + row);
                TSimd.StoreFloats(bfloat ? TSimd.BFloat16(v, true) : TSimd.Half(v, true), panel + PackedMatrix.TileRows + row);
            }

            packed += PackedMatrix.TileRows;
            panel += 2 * PackedMatrix.TileRows;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add(F a, F b, float* y0, float* y1)
    {
        TSimd.StoreFloats(TSimd.AddFloats(TSimd.LoadFloats(y0), a), y0);
        TSimd.StoreFloats(TSimd.AddFloats(TSimd.LoadFloats(y1), b), y1);
    }
}
