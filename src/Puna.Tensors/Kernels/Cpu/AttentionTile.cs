using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// The arithmetic of attention over one tile of 32 keys. Scores are summed over the head's dimensions in order, side by side for the keys; values are added in the order
/// of the keys; the weights of a tile are summed over 16 lanes. So no sum depends on the vector width, nor on how many queries share the loads.
/// </summary>
internal static unsafe class AttentionTile
{
    private const int Keys = KvTile.Tokens;

    /// <summary>Scores <c>[4, 32]</c> of four queries, each key loaded once for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scores4<S, TV>(float** query, float* keys, int headDim, float scale, float* score)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        float* q0 = query[0];
        float* q1 = query[1];
        float* q2 = query[2];
        float* q3 = query[3];
        TV factor = S.Splat(scale);
        for (int j = 0; j < Keys; j += 2 * S.Width)
        {
            TV a0 = S.Splat(0), a1 = a0, b0 = a0, b1 = a0, c0 = a0, c1 = a0, e0 = a0, e1 = a0;
            float* k = keys + j;
            for (int d = 0; d < headDim; d++, k += Keys)
            {
                TV k0 = S.Load(k);
                TV k1 = S.Load(k + S.Width);
                TV q = S.Splat(q0[d]);
                a0 = S.Fma(q, k0, a0);
                a1 = S.Fma(q, k1, a1);
                q = S.Splat(q1[d]);
                b0 = S.Fma(q, k0, b0);
                b1 = S.Fma(q, k1, b1);
                q = S.Splat(q2[d]);
                c0 = S.Fma(q, k0, c0);
                c1 = S.Fma(q, k1, c1);
                q = S.Splat(q3[d]);
                e0 = S.Fma(q, k0, e0);
                e1 = S.Fma(q, k1, e1);
            }

            float* s = score + j;
            S.Store(S.Mul(a0, factor), s);
            S.Store(S.Mul(a1, factor), s + S.Width);
            S.Store(S.Mul(b0, factor), s + Keys);
            S.Store(S.Mul(b1, factor), s + Keys + S.Width);
            S.Store(S.Mul(c0, factor), s + (2 * Keys));
            S.Store(S.Mul(c1, factor), s + (2 * Keys) + S.Width);
            S.Store(S.Mul(e0, factor), s + (3 * Keys));
            S.Store(S.Mul(e1, factor), s + (3 * Keys) + S.Width);
        }
    }

    /// <summary>Scores <c>[32]</c> of one query.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scores1<S, TV>(float* query, float* keys, int headDim, float scale, float* score)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        TV factor = S.Splat(scale);
        int j = 0;
        for (; j + (4 * S.Width) <= Keys; j += 4 * S.Width)
        {
            TV a = S.Splat(0), b = a, c = a, e = a;
            float* k = keys + j;
            for (int d = 0; d < headDim; d++, k += Keys)
            {
                TV q = S.Splat(query[d]);
                a = S.Fma(q, S.Load(k), a);
                b = S.Fma(q, S.Load(k + S.Width), b);
                c = S.Fma(q, S.Load(k + (2 * S.Width)), c);
                e = S.Fma(q, S.Load(k + (3 * S.Width)), e);
            }

            S.Store(S.Mul(a, factor), score + j);
            S.Store(S.Mul(b, factor), score + j + S.Width);
            S.Store(S.Mul(c, factor), score + j + (2 * S.Width));
            S.Store(S.Mul(e, factor), score + j + (3 * S.Width));
        }

        for (; j < Keys; j += 2 * S.Width)
        {
            TV a = S.Splat(0), b = a;
            float* k = keys + j;
            for (int d = 0; d < headDim; d++, k += Keys)
            {
                TV q = S.Splat(query[d]);
                a = S.Fma(q, S.Load(k), a);
                b = S.Fma(q, S.Load(k + S.Width), b);
            }

            S.Store(S.Mul(a, factor), score + j);
            S.Store(S.Mul(b, factor), score + j + S.Width);
        }
    }

    /// <summary>Turns a query's scores of keys <c>[from, to)</c> into weights relative to its largest score so far, and what was summed before with it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Weigh<S, TV>(float* score, int from, int to, float* sum, int headDim, float* largest, float* total)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        // A key that is not seen weighs exactly 0; what stands there may be anything.
        for (int j = 0; j < from; j++)
        {
            score[j] = float.NegativeInfinity;
        }

        for (int j = to; j < Keys; j++)
        {
            score[j] = float.NegativeInfinity;
        }

        float* lanes = stackalloc float[Lanes.Count];
        TV most = S.Load(score);
        for (int j = S.Width; j < Keys; j += S.Width)
        {
            most = S.Max(S.Load(score + j), most);
        }

        S.Store(most, lanes);
        float top = *largest;
        for (int j = 0; j < S.Width; j++)
        {
            // Not MathF.Max: its NaN handling costs more than it is worth here; a NaN score reaches the sum below and spoils the row, as it should.
            top = lanes[j] > top ? lanes[j] : top;
        }

        if (top > *largest)
        {
            float shrink = float.IsNegativeInfinity(*largest) ? 0 : VectorMath.Exp<Simd1, float>(*largest - top);
            *total *= shrink;
            Scale<S, TV>(sum, headDim, shrink);
            *largest = top;
        }

        TV subtract = S.Splat(top);
        for (int j = 0; j < Keys; j += S.Width)
        {
            S.Store(VectorMath.Exp<S, TV>(S.Sub(S.Load(score + j), subtract)), score + j);
        }

        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            S.Store(S.Add(S.Load(score + j), S.Load(score + j + Lanes.Count)), lanes + j);
        }

        *total += Lanes.Sum(lanes);
    }

    /// <summary>Adds the weighted values of keys <c>[from, to)</c> to the sums <c>[4, headDim]</c> of four queries, each value loaded once for all.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add4<S, TV>(float* weight, int from, int to, float* values, int headDim, float* sum)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        float* s0 = sum;
        float* s1 = sum + headDim;
        float* s2 = s1 + headDim;
        float* s3 = s2 + headDim;
        int i = 0;
        for (; i + (2 * S.Width) <= headDim; i += 2 * S.Width)
        {
            TV a0 = S.Load(s0 + i), a1 = S.Load(s0 + i + S.Width);
            TV b0 = S.Load(s1 + i), b1 = S.Load(s1 + i + S.Width);
            TV c0 = S.Load(s2 + i), c1 = S.Load(s2 + i + S.Width);
            TV e0 = S.Load(s3 + i), e1 = S.Load(s3 + i + S.Width);
            float* v = values + ((nint)from * headDim) + i;
            for (int j = from; j < to; j++, v += headDim)
            {
                TV v0 = S.Load(v);
                TV v1 = S.Load(v + S.Width);
                TV p = S.Splat(weight[j]);
                a0 = S.Fma(p, v0, a0);
                a1 = S.Fma(p, v1, a1);
                p = S.Splat(weight[j + Keys]);
                b0 = S.Fma(p, v0, b0);
                b1 = S.Fma(p, v1, b1);
                p = S.Splat(weight[j + (2 * Keys)]);
                c0 = S.Fma(p, v0, c0);
                c1 = S.Fma(p, v1, c1);
                p = S.Splat(weight[j + (3 * Keys)]);
                e0 = S.Fma(p, v0, e0);
                e1 = S.Fma(p, v1, e1);
            }

            S.Store(a0, s0 + i);
            S.Store(a1, s0 + i + S.Width);
            S.Store(b0, s1 + i);
            S.Store(b1, s1 + i + S.Width);
            S.Store(c0, s2 + i);
            S.Store(c1, s2 + i + S.Width);
            S.Store(e0, s3 + i);
            S.Store(e1, s3 + i + S.Width);
        }

        for (int q = 0; q < 4 && i < headDim; q++)
        {
            Add1<S, TV>(weight + (q * Keys), from, to, values, headDim, i, sum + (q * headDim));
        }
    }

    /// <summary>Adds the weighted values of keys <c>[from, to)</c> to one query's sums, from dimension <paramref name="first"/> on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add1<S, TV>(float* weight, int from, int to, float* values, int headDim, int first, float* sum)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        int i = first;
        for (; i + (4 * S.Width) <= headDim; i += 4 * S.Width)
        {
            TV a = S.Load(sum + i), b = S.Load(sum + i + S.Width), c = S.Load(sum + i + (2 * S.Width)), e = S.Load(sum + i + (3 * S.Width));
            float* v = values + ((nint)from * headDim) + i;
            for (int j = from; j < to; j++, v += headDim)
            {
                TV p = S.Splat(weight[j]);
                a = S.Fma(p, S.Load(v), a);
                b = S.Fma(p, S.Load(v + S.Width), b);
                c = S.Fma(p, S.Load(v + (2 * S.Width)), c);
                e = S.Fma(p, S.Load(v + (3 * S.Width)), e);
            }

            S.Store(a, sum + i);
            S.Store(b, sum + i + S.Width);
            S.Store(c, sum + i + (2 * S.Width));
            S.Store(e, sum + i + (3 * S.Width));
        }

        for (; i + S.Width <= headDim; i += S.Width)
        {
            TV a = S.Load(sum + i);
            for (int j = from; j < to; j++)
            {
                a = S.Fma(S.Splat(weight[j]), S.Load(values + ((nint)j * headDim) + i), a);
            }

            S.Store(a, sum + i);
        }

        for (; i < headDim; i++)
        {
            for (int j = from; j < to; j++)
            {
                sum[i] = MathF.FusedMultiplyAdd(weight[j], values[((nint)j * headDim) + i], sum[i]);
            }
        }
    }

    private static void Scale<S, TV>(float* x, int count, float factor)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        int i = 0;
        for (; i + S.Width <= count; i += S.Width)
        {
            S.Store(S.Mul(S.Load(x + i), S.Splat(factor)), x + i);
        }

        for (; i < count; i++)
        {
            x[i] *= factor;
        }
    }
}
