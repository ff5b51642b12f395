using System.Numerics;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>
/// Every operation with a gradient as plain loops over any kind of number: the scalar twins of the kernels that go backwards. In double they can be checked by finite differences, and the
/// kernels, in float32, against them. Formulas: spec training.md 1.2 and 1.9.
/// </summary>
/// <typeparam name="T">float or double.</typeparam>
internal static class ScalarReference<T>
    where T : IBinaryFloatingPointIeee754<T>
{
    /// <summary>y = x W^T: x <c>[tokens, in]</c>, w <c>[out, in]</c>.</summary>
    public static T[] MatMul(T[] x, T[] w, int tokens, int inputs, int outputs)
    {
        var y = new T[tokens * outputs];
        for (int t = 0; t < tokens; t++)
        {
            for (int o = 0; o < outputs; o++)
            {
                for (int i = 0; i < inputs; i++)
                {
                    y[(t * outputs) + o] += x[(t * inputs) + i] * w[(o * inputs) + i];
                }
            }
        }

        return y;
    }

    /// <summary>dx = dy W, dw = dy^T x.</summary>
    public static (T[] Dx, T[] Dw) MatMulBack(T[] dy, T[] x, T[] w, int tokens, int inputs, int outputs)
    {
        var dx = new T[x.Length];
        var dw = new T[w.Length];
        for (int t = 0; t < tokens; t++)
        {
            for (int o = 0; o < outputs; o++)
            {
                T d = dy[(t * outputs) + o];
                for (int i = 0; i < inputs; i++)
                {
                    dx[(t * inputs) + i] += d * w[(o * inputs) + i];
                    dw[(o * inputs) + i] += d * x[(t * inputs) + i];
                }
            }
        }

        return (dx, dw);
    }

    /// <summary>x / sqrt(mean(x^2) + eps) * w, row by row.</summary>
    public static T[] RmsNorm(T[] x, T[] w, T epsilon)
    {
        int columns = w.Length;
        var y = new T[x.Length];
        for (int row = 0; row < x.Length; row += columns)
        {
            T r = Scale(x, row, columns, epsilon);
            for (int i = 0; i < columns; i++)
            {
                y[row + i] = x[row + i] * r * w[i];
            }
        }

        return y;
    }

    /// <summary>With n = x r and g = dy w: dx = r (g - n mean(g n)), dw = sum over rows of dy n.</summary>
    public static (T[] Dx, T[] Dw) RmsNormBack(T[] dy, T[] x, T[] w, T epsilon)
    {
        int columns = w.Length;
        var dx = new T[x.Length];
        var dw = new T[columns];
        for (int row = 0; row < x.Length; row += columns)
        {
            T r = Scale(x, row, columns, epsilon);
            T mean = T.Zero;
            for (int i = 0; i < columns; i++)
            {
                mean += dy[row + i] * w[i] * x[row + i] * r;
                dw[i] += dy[row + i] * x[row + i] * r;
            }

            mean /= T.CreateChecked(columns);
            for (int i = 0; i < columns; i++)
            {
                dx[row + i] = r * ((dy[row + i] * w[i]) - (x[row + i] * r * mean));
            }
        }

        return (dx, dw);
    }

    /// <summary>silu(a) b.</summary>
    public static T[] SwiGlu(T[] a, T[] b)
    {
        var y = new T[a.Length];
        for (int i = 0; i < a.Length; i++)
        {
            y[i] = a[i] * Sigmoid(a[i]) * b[i];
        }

        return y;
    }

    /// <summary>da = dy b s (1 + a (1 - s)), db = dy a s.</summary>
    public static (T[] Da, T[] Db) SwiGluBack(T[] dy, T[] a, T[] b)
    {
        var da = new T[a.Length];
        var db = new T[a.Length];
        for (int i = 0; i < a.Length; i++)
        {
            T s = Sigmoid(a[i]);
            da[i] = dy[i] * b[i] * s * (T.One + (a[i] * (T.One - s)));
            db[i] = dy[i] * a[i] * s;
        }

        return (da, db);
    }

    /// <summary>Rotates pairs of <c>[tokens, heads, headDim]</c>; the result is interleaved whatever the layout of the input.</summary>
    public static T[] Rope(T[] x, T[] cos, T[] sin, int tokens, int heads, int headDim, RopeLayout layout)
    {
        var y = new T[x.Length];
        ForPairs(tokens, heads, headDim, layout, (t, i, a, b, even) =>
        {
            T c = cos[(t * headDim / 2) + i], s = sin[(t * headDim / 2) + i];
            y[even] = (x[a] * c) - (x[b] * s);
            y[even + 1] = (x[a] * s) + (x[b] * c);
        });
        return y;
    }

    /// <summary>The rotation by the opposite angle, back into the layout of the input.</summary>
    public static T[] RopeBack(T[] dy, T[] cos, T[] sin, int tokens, int heads, int headDim, RopeLayout layout)
    {
        var dx = new T[dy.Length];
        ForPairs(tokens, heads, headDim, layout, (t, i, a, b, even) =>
        {
            T c = cos[(t * headDim / 2) + i], s = sin[(t * headDim / 2) + i];
            dx[a] = (dy[even] * c) + (dy[even + 1] * s);
            dx[b] = (dy[even + 1] * c) - (dy[even] * s);
        });
        return dx;
    }

    /// <summary>Softmax attention of one sequence: q <c>[tokens, heads, headDim]</c>, k and v <c>[tokens, kvHeads, headDim]</c>; query t sees keys <c>[first[t], end[t])</c>.</summary>
    public static T[] Attention(T[] q, T[] k, T[] v, int heads, int kvHeads, int headDim, int[] first, int[] end)
    {
        var y = new T[q.Length];
        for (int t = 0; t < first.Length; t++)
        {
            for (int h = 0; h < heads; h++)
            {
                int kv = h / (heads / kvHeads);
                T[] p = Probabilities(q, k, t, h, kv, heads, kvHeads, headDim, first[t], end[t]);
                for (int u = first[t]; u < end[t]; u++)
                {
                    for (int i = 0; i < headDim; i++)
                    {
                        y[(((t * heads) + h) * headDim) + i] += p[u - first[t]] * v[(((u * kvHeads) + kv) * headDim) + i];
                    }
                }
            }
        }

        return y;
    }

    /// <summary>dp = dy v, ds = p (dp - sum(p dp)) / sqrt(headDim); dq = ds k, dk = ds^T q, dv = p^T dy, the latter two summed over the query heads of a group.</summary>
    public static (T[] Dq, T[] Dk, T[] Dv) AttentionBack(T[] dy, T[] q, T[] k, T[] v, int heads, int kvHeads, int headDim, int[] first, int[] end)
    {
        var dq = new T[q.Length];
        var dk = new T[k.Length];
        var dv = new T[v.Length];
        T scale = T.One / T.Sqrt(T.CreateChecked(headDim));
        for (int t = 0; t < first.Length; t++)
        {
            for (int h = 0; h < heads; h++)
            {
                int kv = h / (heads / kvHeads), at = ((t * heads) + h) * headDim;
                T[] p = Probabilities(q, k, t, h, kv, heads, kvHeads, headDim, first[t], end[t]);
                var dp = new T[p.Length];
                T mean = T.Zero;
                for (int u = 0; u < p.Length; u++)
                {
                    int to = (((first[t] + u) * kvHeads) + kv) * headDim;
                    for (int i = 0; i < headDim; i++)
                    {
                        dp[u] += dy[at + i] * v[to + i];
                        dv[to + i] += p[u] * dy[at + i];
                    }

                    mean += p[u] * dp[u];
                }

                for (int u = 0; u < p.Length; u++)
                {
                    int to = (((first[t] + u) * kvHeads) + kv) * headDim;
                    T ds = p[u] * (dp[u] - mean) * scale;
                    for (int i = 0; i < headDim; i++)
                    {
                        dq[at + i] += ds * k[to + i];
                        dk[to + i] += ds * q[at + i];
                    }
                }
            }
        }

        return (dq, dk, dv);
    }

    /// <summary>Negative log likelihood of each row of logits.</summary>
    public static T[] CrossEntropy(T[] z, int[] targets, int columns)
    {
        var nll = new T[targets.Length];
        for (int t = 0; t < targets.Length; t++)
        {
            nll[t] = LogSumExp(z, t * columns, columns) - z[(t * columns) + targets[t]];
        }

        return nll;
    }

    /// <summary>scale (softmax(z) - onehot).</summary>
    public static T[] CrossEntropyBack(T[] z, int[] targets, T[] scales, int columns)
    {
        var dz = new T[z.Length];
        for (int t = 0; t < targets.Length; t++)
        {
            T lse = LogSumExp(z, t * columns, columns);
            for (int i = 0; i < columns; i++)
            {
                dz[(t * columns) + i] = scales[t] * (T.Exp(z[(t * columns) + i] - lse) - (i == targets[t] ? T.One : T.Zero));
            }
        }

        return dz;
    }

    private static T Scale(T[] x, int row, int columns, T epsilon)
    {
        T sum = T.Zero;
        for (int i = 0; i < columns; i++)
        {
            sum += x[row + i] * x[row + i];
        }

        return T.One / T.Sqrt((sum / T.CreateChecked(columns)) + epsilon);
    }

    private static T Sigmoid(T a) => T.One / (T.One + T.Exp(-a));

    private static void ForPairs(int tokens, int heads, int headDim, RopeLayout layout, Action<int, int, int, int, int> visit)
    {
        for (int t = 0; t < tokens; t++)
        {
            for (int h = 0; h < heads; h++)
            {
                int at = ((t * heads) + h) * headDim;
                for (int i = 0; i < headDim / 2; i++)
                {
                    (int a, int b) = layout == RopeLayout.Interleaved ? (at + (2 * i), at + (2 * i) + 1) : (at + i, at + i + (headDim / 2));
                    visit(t, i, a, b, at + (2 * i));
                }
            }
        }
    }

    private static T[] Probabilities(T[] q, T[] k, int t, int h, int kv, int heads, int kvHeads, int headDim, int first, int end)
    {
        var p = new T[Math.Max(0, end - first)];
        T scale = T.One / T.Sqrt(T.CreateChecked(headDim));
        T most = T.NegativeInfinity, total = T.Zero;
        for (int u = 0; u < p.Length; u++)
        {
            for (int i = 0; i < headDim; i++)
            {
                p[u] += q[(((t * heads) + h) * headDim) + i] * k[((((first + u) * kvHeads) + kv) * headDim) + i];
            }

            p[u] *= scale;
            most = T.Max(most, p[u]);
        }

        for (int u = 0; u < p.Length; u++)
        {
            p[u] = T.Exp(p[u] - most);
            total += p[u];
        }

        for (int u = 0; u < p.Length; u++)
        {
            p[u] /= total;
        }

        return p;
    }

    private static T LogSumExp(T[] z, int first, int count)
    {
        T most = T.NegativeInfinity, sum = T.Zero;
        for (int i = 0; i < count; i++)
        {
            most = T.Max(most, z[first + i]);
        }

        for (int i = 0; i < count; i++)
        {
            sum += T.Exp(z[first + i] - most);
        }

        return most + T.Log(sum);
    }
}
