using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu.Gemm;

/// <summary>
/// The innermost loops of a float32 matrix product: a few rows of A times two vectors of columns of B over at most <see cref="PackColumns.Chunk"/> inner indices. An element's sum is one chain
/// of fused multiply-adds in order, as in the products of inference, so that both give the same bits.
/// </summary>
internal static unsafe class GemmTile<S, V>
    where S : struct, ISimd<V>
    where V : unmanaged
{
    /// <summary>Rows that are multiplied together.</summary>
    public const int Rows = 6;

    /// <summary>Six rows times two vectors.</summary>
    /// <param name="a">First element of A.</param>
    /// <param name="row">Floats from a row of A to the next.</param>
    /// <param name="step">Floats from an inner index of A to the next.</param>
    /// <param name="b0">Packed B at the first vector's columns, 16 floats per inner index.</param>
    /// <param name="b1">Packed B at the second vector's columns.</param>
    /// <param name="inner">Inner indices.</param>
    /// <param name="c">Results of the first vector; the second one's stand behind them.</param>
    /// <param name="next">Floats from a row of C to the next.</param>
    /// <param name="add">Whether the sums are added to what stands in C.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply6(float* a, nint row, nint step, float* b0, float* b1, int inner, float* c, nint next, bool add)
    {
        V x0 = S.Splat(0), x1 = x0, x2 = x0, x3 = x0, x4 = x0, x5 = x0, y0 = x0, y1 = x0, y2 = x0, y3 = x0, y4 = x0, y5 = x0;
        float* a3 = a + (3 * row);
        for (int i = 0; i < inner; i++)
        {
            V u = S.Load(b0);
            V v = S.Load(b1);
            V t = S.Splat(a[0]);
            x0 = S.Fma(u, t, x0);
            y0 = S.Fma(v, t, y0);
            t = S.Splat(a[row]);
            x1 = S.Fma(u, t, x1);
            y1 = S.Fma(v, t, y1);
            t = S.Splat(a[2 * row]);
            x2 = S.Fma(u, t, x2);
            y2 = S.Fma(v, t, y2);
            t = S.Splat(a3[0]);
            x3 = S.Fma(u, t, x3);
            y3 = S.Fma(v, t, y3);
            t = S.Splat(a3[row]);
            x4 = S.Fma(u, t, x4);
            y4 = S.Fma(v, t, y4);
            t = S.Splat(a3[2 * row]);
            x5 = S.Fma(u, t, x5);
            y5 = S.Fma(v, t, y5);
            b0 += PackColumns.Width;
            b1 += PackColumns.Width;
            a += step;
            a3 += step;
        }

        Deliver(x0, y0, c, add);
        Deliver(x1, y1, c + next, add);
        Deliver(x2, y2, c + (2 * next), add);
        Deliver(x3, y3, c + (3 * next), add);
        Deliver(x4, y4, c + (4 * next), add);
        Deliver(x5, y5, c + (5 * next), add);
    }

    /// <summary>As <see cref="Multiply6"/> for one row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply1(float* a, nint step, float* b0, float* b1, int inner, float* c, bool add)
    {
        V x = S.Splat(0), y = x;
        for (int i = 0; i < inner; i++)
        {
            V t = S.Splat(*a);
            x = S.Fma(S.Load(b0), t, x);
            y = S.Fma(S.Load(b1), t, y);
            b0 += PackColumns.Width;
            b1 += PackColumns.Width;
            a += step;
        }

        Deliver(x, y, c, add);
    }

    /// <summary>A block of rows times a block of packed columns: C (+)= A B, the chunks of the inner index in order.</summary>
    /// <param name="a">First element of A.</param>
    /// <param name="row">Floats from a row of A to the next.</param>
    /// <param name="step">Floats from an inner index of A to the next.</param>
    /// <param name="rows">Rows of A and C.</param>
    /// <param name="b">First packed tile.</param>
    /// <param name="tile">Floats from a packed tile to the next.</param>
    /// <param name="inner">Inner indices.</param>
    /// <param name="c">First element of C.</param>
    /// <param name="next">Floats from a row of C to the next.</param>
    /// <param name="columns">Columns of C.</param>
    /// <param name="add">Whether the product is added to what stands in C.</param>
    /// <param name="panels">Room for <paramref name="rows"/> times <see cref="PackColumns.Chunk"/> floats, where columns of A are rows in memory (<paramref name="row"/> is 1) and far apart:
    /// they are copied together then, since rows that are a power of two apart meet in the same places of the cache. Null reads A where it is.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Block(float* a, nint row, nint step, int rows, float* b, nint tile, int inner, float* c, nint next, int columns, bool add, float* panels = null)
    {
        int pair = 2 * S.Width;
        float* some = stackalloc float[2 * PackColumns.Width * Rows];
        for (int k = 0; k < inner; k += PackColumns.Chunk)
        {
            int count = Math.Min(PackColumns.Chunk, inner - k);
            if (panels is not null)
            {
                PackRows(a + (k * step), step, rows / Rows, count, panels);
            }

            for (int j = 0; j < columns; j += pair)
            {
                float* b0 = b + (j / PackColumns.Width * tile) + (j % PackColumns.Width) + ((nint)k * PackColumns.Width);
                int after = j + S.Width;
                float* b1 = after >= (columns + PackColumns.Width - 1) / PackColumns.Width * PackColumns.Width ? b0
                    : b + (after / PackColumns.Width * tile) + (after % PackColumns.Width) + ((nint)k * PackColumns.Width);
                int valid = Math.Min(pair, columns - j);
                for (int i = 0; i < rows; i += Rows)
                {
                    int number = Math.Min(Rows, rows - i);
                    float* from = a + (i * row) + (k * step);
                    float* to = c + (i * next) + j;
                    bool isWhole = valid == pair;
                    float* into = isWhole ? to : some;
                    nint stride = isWhole ? next : pair;
                    if (!isWhole && (add || k > 0))
                    {
                        CopyRows(to, next, some, pair, number, valid);
                    }

                    if (number == Rows && panels is not null)
                    {
                        Multiply6(panels + ((nint)i * count), 1, Rows, b0, b1, count, into, stride, add || k > 0);
                    }
                    else if (number == Rows)
                    {
                        Multiply6(from, row, step, b0, b1, count, into, stride, add || k > 0);
                    }
                    else
                    {
                        for (int r = 0; r < number; r++)
                        {
                            Multiply1(from + (r * row), step, b0, b1, count, into + (r * stride), add || k > 0);
                        }
                    }

                    if (!isWhole)
                    {
                        CopyRows(some, pair, to, next, number, valid);
                    }
                }
            }
        }
    }

    /// <summary>Copies six neighbours at a time: panels <c>[inner, 6]</c>.</summary>
    private static void PackRows(float* a, nint step, int panels, int inner, float* to)
    {
        for (int k = 0; k < inner; k++)
        {
            float* from = a + (k * step);
            for (int p = 0; p < panels; p++)
            {
                float* at = to + ((((nint)p * inner) + k) * Rows);
                Vector128.Store(Vector128.Load(from), at);
                Unsafe.WriteUnaligned(at + 4, Unsafe.ReadUnaligned<ulong>(from + 4));
                from += Rows;
            }
        }
    }

    private static void CopyRows(float* from, nint stride, float* to, nint toStride, int rows, int values)
    {
        for (int r = 0; r < rows; r++)
        {
            for (int i = 0; i < values; i++)
            {
                to[(r * toStride) + i] = from[(r * stride) + i];
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Deliver(V x, V y, float* c, bool add)
    {
        // Added to zero where there is nothing yet, as everywhere else: a sum of -0 is +0 then.
        S.Store(S.Add(add ? S.Load(c) : S.Splat(0), x), c);
        S.Store(S.Add(add ? S.Load(c + S.Width) : S.Splat(0), y), c + S.Width);
    }
}
