using System.Numerics;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>The operations of encoders as plain loops over any kind of number, as <see cref="ScalarReference{T}"/> has those of a Llama. Formulas: spec llama4.md 14.1.</summary>
/// <typeparam name="T">float or double.</typeparam>
internal static class EncoderReference<T>
    where T : IBinaryFloatingPointIeee754<T>
{
    /// <summary>(x - mean) / sqrt(variance + eps) * w + b, row by row.</summary>
    public static T[] LayerNorm(T[] x, T[] w, T[] b, T epsilon)
    {
        int columns = w.Length;
        var y = new T[x.Length];
        for (int row = 0; row < x.Length; row += columns)
        {
            (T mean, T r) = Moments(x.AsSpan(row, columns), epsilon);
            for (int i = 0; i < columns; i++)
            {
                y[row + i] = ((x[row + i] - mean) * r * w[i]) + b[i];
            }
        }

        return y;
    }

    /// <summary>With n = (x - mean) r and g = dy w: dx = r (g - mean(g) - n mean(g n)), dw = sum over rows of dy n, db = sum over rows of dy.</summary>
    public static (T[] Dx, T[] Dw, T[] Db) LayerNormBack(T[] dy, T[] x, T[] w, T epsilon)
    {
        int columns = w.Length;
        (var dx, var dw, var db) = (new T[x.Length], new T[columns], new T[columns]);
        for (int row = 0; row < x.Length; row += columns)
        {
            (T mean, T r) = Moments(x.AsSpan(row, columns), epsilon);
            (T sum, T product) = (T.Zero, T.Zero);
            for (int i = 0; i < columns; i++)
            {
                T n = (x[row + i] - mean) * r;
                sum += dy[row + i] * w[i];
                product += dy[row + i] * w[i] * n;
                dw[i] += dy[row + i] * n;
                db[i] += dy[row + i];
            }

            T count = T.CreateChecked(columns);
            for (int i = 0; i < columns; i++)
            {
                dx[row + i] = r * ((dy[row + i] * w[i]) - (sum / count) - ((x[row + i] - mean) * r * product / count));
            }
        }

        return (dx, dw, db);
    }

    /// <summary>x Phi(x).</summary>
    public static T[] Gelu(T[] x) => Array.ConvertAll(x, static v => v * Phi(v));

    /// <summary>dy (Phi(x) + x phi(x)).</summary>
    public static T[] GeluBack(T[] dy, T[] x)
    {
        var dx = new T[x.Length];
        for (int i = 0; i < x.Length; i++)
        {
            dx[i] = dy[i] * (Phi(x[i]) + (x[i] * T.Exp(-x[i] * x[i] / T.CreateChecked(2)) / T.Sqrt(T.Tau)));
        }

        return dx;
    }

    /// <summary>Attention within each sequence; <paramref name="row"/> gives the row of the table for a distance.</summary>
    public static T[] DisentangledAttention(T[] q, T[] k, T[] v, T[] relativeQ, T[] relativeK, int[] starts, Func<int, int> row, int heads, int headDim)
    {
        int stride = heads * headDim;
        var y = new T[q.Length];
        for (int s = 0; s + 1 < starts.Length; s++)
        {
            for (int i = starts[s]; i < starts[s + 1]; i++)
            {
                for (int h = 0; h < heads; h++)
                {
                    int head = h * headDim;
                    var scores = new T[starts[s + 1] - starts[s]];
                    for (int j = 0; j < scores.Length; j++)
                    {
                        int key = starts[s] + j, r = row(i - key);
                        scores[j] = Dot(q, (i * stride) + head, k, (key * stride) + head, headDim) + Dot(q, (i * stride) + head, relativeK, (r * stride) + head, headDim)
                            + Dot(k, (key * stride) + head, relativeQ, (r * stride) + head, headDim);
                        scores[j] /= T.Sqrt(T.CreateChecked(3 * headDim));
                    }

                    T most = scores.Max()!, sum = T.Zero;
                    foreach (T score in scores)
                    {
                        sum += T.Exp(score - most);
                    }

                    for (int j = 0; j < scores.Length; j++)
                    {
                        T weight = T.Exp(scores[j] - most) / sum;
                        for (int d = 0; d < headDim; d++)
                        {
                            y[(i * stride) + head + d] += weight * v[((starts[s] + j) * stride) + head + d];
                        }
                    }
                }
            }
        }

        return y;
    }

    /// <summary>With p the weights and g_ij = dy_i v_j: ds = p (g - sum over keys of p g) / sqrt(3 headDim), which goes to both sides of the three products that a score is the sum of; dv_j sums p dy_i.</summary>
    public static (T[] Dq, T[] Dk, T[] Dv, T[] Drq, T[] Drk) DisentangledAttentionBack(
        T[] dy, T[] q, T[] k, T[] v, T[] relativeQ, T[] relativeK, int[] starts, Func<int, int> row, int heads, int headDim)
    {
        int stride = heads * headDim;
        (var dq, var dk, var dv, var drq, var drk) = (new T[q.Length], new T[q.Length], new T[q.Length], new T[relativeQ.Length], new T[relativeQ.Length]);
        for (int s = 0; s + 1 < starts.Length; s++)
        {
            int count = starts[s + 1] - starts[s];
            for (int i = starts[s]; i < starts[s + 1]; i++)
            {
                for (int h = 0; h < heads; h++)
                {
                    int query = (i * stride) + (h * headDim);
                    int Key(int j) => ((starts[s] + j) * stride) + (h * headDim);
                    int Distance(int j) => (row(i - starts[s] - j) * stride) + (h * headDim);
                    T scale = T.One / T.Sqrt(T.CreateChecked(3 * headDim));
                    var scores = new T[count];
                    for (int j = 0; j < count; j++)
                    {
                        scores[j] = scale * (Dot(q, query, k, Key(j), headDim) + Dot(q, query, relativeK, Distance(j), headDim) + Dot(k, Key(j), relativeQ, Distance(j), headDim));
                    }

                    T most = scores.Max()!, sum = T.Zero, mean = T.Zero;
                    T[] p = Array.ConvertAll(scores, score => T.Exp(score - most));
                    foreach (T e in p)
                    {
                        sum += e;
                    }

                    for (int j = 0; j < count; j++)
                    {
                        p[j] /= sum;
                        mean += p[j] * Dot(dy, query, v, Key(j), headDim);
                    }

                    for (int j = 0; j < count; j++)
                    {
                        T ds = scale * p[j] * (Dot(dy, query, v, Key(j), headDim) - mean);
                        for (int d = 0; d < headDim; d++)
                        {
                            (int a, int b, int r) = (query + d, Key(j) + d, Distance(j) + d);
                            dq[a] += ds * (k[b] + relativeK[r]);
                            dk[b] += ds * (q[a] + relativeQ[r]);
                            drq[r] += ds * k[b];
                            drk[r] += ds * q[a];
                            dv[b] += p[j] * dy[a];
                        }
                    }
                }
            }
        }

        return (dq, dk, dv, drq, drk);
    }

    private static T Dot(T[] a, int atA, T[] b, int atB, int count)
    {
        T sum = T.Zero;
        for (int i = 0; i < count; i++)
        {
            sum += a[atA + i] * b[atB + i];
        }

        return sum;
    }

    private static (T Mean, T Scale) Moments(ReadOnlySpan<T> x, T epsilon)
    {
        (T mean, T variance, T count) = (T.Zero, T.Zero, T.CreateChecked(x.Length));
        foreach (T v in x)
        {
            mean += v / count;
        }

        foreach (T v in x)
        {
            variance += (v - mean) * (v - mean) / count;
        }

        return (mean, T.One / T.Sqrt(variance + epsilon));
    }

    /// <summary>1/2 + phi(x) (x + x^3 / 3 + x^5 / (3 5) + ...): all terms of one sign, so it is exact to rounding wherever it is summed to the end.</summary>
    private static T Phi(T x)
    {
        T term = x, sum = x;
        for (int n = 3; n < 2000 && T.Abs(term) > T.Abs(sum) * T.Epsilon; n += 2)
        {
            term *= x * x / T.CreateChecked(n);
            sum += term;
        }

        return (T.One / T.CreateChecked(2)) + (sum * T.Exp(-x * x / T.CreateChecked(2)) / T.Sqrt(T.Tau));
    }
}
