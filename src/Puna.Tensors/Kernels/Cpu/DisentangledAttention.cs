using System.Runtime.CompilerServices;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// Attention of DeBERTa (spec llama4.md 14.1 step 4): every token of a sequence sees every other, and a score is q.k plus the query with the key side of their distance's row of a table plus the key
/// with its query side, under one scale. An item is a head of a sequence. Keys lie side by side in the lanes, so no sum crosses lanes; the sum of the softmax has the shape of <see cref="Lanes"/>, and values are
/// added in the order of the keys.
/// </summary>
internal unsafe struct DisentangledAttention : IVectorJob
{
    /// <summary>Queries, keys and values <c>[tokens, heads * headDim]</c>, and the result.</summary>
    public float* Q;
    public float* K;
    public float* Values;
    public float* Y;

    /// <summary>The table of distances as queries and as keys <c>[rows, heads * headDim]</c>.</summary>
    public float* RelativeQ;
    public float* RelativeK;

    /// <summary>Row of each sequence's first token.</summary>
    public int* Starts;

    /// <summary>Row of the table for a distance query - key, from <c>-Farthest</c> on; never falls.</summary>
    public int* DistanceRows;
    public int Farthest;

    public int Heads;
    public int HeadDim;
    public float Scale;

    /// <summary>Memory of the workers.</summary>
    public float* Scratch;
    public nint WorkerFloats;

    /// <summary>Floats a worker needs for sequences of at most this many tokens that use at most this many rows of the table.</summary>
    public static nint ScratchFloats(int tokens, int rows, int headDim)
    {
        nint keys = Up(tokens), table = Up(rows);
        return checked((headDim * (keys + table)) + (rows * keys) + keys + table);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        (int sequence, int head) = (item / Heads, item % Heads);
        int tokens = Starts[sequence + 1] - Starts[sequence];
        nint stride = (nint)Heads * HeadDim;
        nint origin = (Starts[sequence] * stride) + (head * HeadDim);
        int* rowOf = DistanceRows + Farthest;
        int lowest = rowOf[1 - tokens], rows = rowOf[tokens - 1] - lowest + 1;
        nint keys = Up(tokens), table = Up(rows);
        float* keysT = Scratch + (worker * WorkerFloats);
        float* tableT = keysT + (HeadDim * keys);
        float* fromKeys = tableT + (HeadDim * table);
        float* scores = fromKeys + (rows * keys);
        float* fromQuery = scores + keys;
        nint tableOrigin = (lowest * stride) + (head * HeadDim);
        Transpose(K + origin, stride, tokens, keys, keysT);
        Transpose(RelativeK + tableOrigin, stride, rows, table, tableT);
        for (int r = 0; r < rows; r++)
        {
            Products<S, V>(RelativeQ + tableOrigin + (r * stride), keysT, keys, fromKeys + (r * keys));
        }

        for (int i = 0; i < tokens; i++)
        {
            float* q = Q + origin + (i * stride);
            Products<S, V>(q, keysT, keys, scores);
            Products<S, V>(q, tableT, table, fromQuery);
            float most = float.NegativeInfinity;
            for (int j = 0; j < tokens; j++)
            {
                int r = rowOf[i - j] - lowest;
                float score = (scores[j] + fromQuery[r] + fromKeys[(r * keys) + j]) * Scale;
                scores[j] = score;
                most = most > score ? most : score; // a NaN stays
            }

            float sum = Exponentials<S, V>(scores, tokens, keys, most);
            Sum<S, V>(scores, tokens, Values + origin, stride, 1f / sum, Y + origin + (i * stride));
        }
    }

    private static nint Up(int count) => ((nint)count + Lanes.Count - 1) / Lanes.Count * Lanes.Count;

    /// <summary>Rows side by side, behind them zeros.</summary>
    private readonly void Transpose(float* from, nint stride, int rows, nint width, float* to)
    {
        for (int d = 0; d < HeadDim; d++)
        {
            float* line = to + (d * width);
            for (int r = 0; r < rows; r++)
            {
                line[r] = from[(r * stride) + d];
            }

            new Span<float>(line + rows, (int)width - rows).Clear();
        }
    }

    /// <summary>y[c] = sum over d of x[d] t[d, c].</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Products<S, V>(float* x, float* t, nint width, float* y)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        nint c = 0;
        for (; c + (4 * S.Width) <= width; c += 4 * S.Width)
        {
            V a = S.Splat(0), b = a, e = a, f = a;
            float* line = t + c;
            for (int d = 0; d < HeadDim; d++, line += width)
            {
                V v = S.Splat(x[d]);
                a = S.Fma(v, S.Load(line), a);
                b = S.Fma(v, S.Load(line + S.Width), b);
                e = S.Fma(v, S.Load(line + (2 * S.Width)), e);
                f = S.Fma(v, S.Load(line + (3 * S.Width)), f);
            }

            S.Store(a, y + c);
            S.Store(b, y + c + S.Width);
            S.Store(e, y + c + (2 * S.Width));
            S.Store(f, y + c + (3 * S.Width));
        }

        for (; c < width; c += S.Width)
        {
            V a = S.Splat(0);
            float* line = t + c;
            for (int d = 0; d < HeadDim; d++, line += width)
            {
                a = S.Fma(S.Splat(x[d]), S.Load(line), a);
            }

            S.Store(a, y + c);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float Exponentials<S, V>(float* scores, int tokens, nint width, float most)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        for (nint c = 0; c < width; c += S.Width)
        {
            S.Store(VectorMath.Exp<S, V>(S.Sub(S.Load(scores + c), S.Splat(most))), scores + c);
        }

        new Span<float>(scores + tokens, (int)width - tokens).Clear();
        float* lanes = stackalloc float[Lanes.Count];
        for (int j = 0; j < Lanes.Count; j += S.Width)
        {
            V sum = S.Splat(0);
            for (nint c = j; c < width; c += Lanes.Count)
            {
                sum = S.Add(sum, S.Load(scores + c));
            }

            S.Store(sum, lanes + j);
        }

        return Lanes.Sum(lanes);
    }

    /// <summary>y = scale times the sum over keys of weight times value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private readonly void Sum<S, V>(float* weights, int tokens, float* values, nint stride, float scale, float* y)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int d = 0;
        for (; d + (4 * S.Width) <= HeadDim; d += 4 * S.Width)
        {
            V a = S.Splat(0), b = a, e = a, f = a;
            float* line = values + d;
            for (int j = 0; j < tokens; j++, line += stride)
            {
                V w = S.Splat(weights[j]);
                a = S.Fma(w, S.Load(line), a);
                b = S.Fma(w, S.Load(line + S.Width), b);
                e = S.Fma(w, S.Load(line + (2 * S.Width)), e);
                f = S.Fma(w, S.Load(line + (3 * S.Width)), f);
            }

            V s = S.Splat(scale);
            S.Store(S.Mul(a, s), y + d);
            S.Store(S.Mul(b, s), y + d + S.Width);
            S.Store(S.Mul(e, s), y + d + (2 * S.Width));
            S.Store(S.Mul(f, s), y + d + (3 * S.Width));
        }

        for (; d + S.Width <= HeadDim; d += S.Width)
        {
            V a = S.Splat(0);
            float* line = values + d;
            for (int j = 0; j < tokens; j++, line += stride)
            {
                a = S.Fma(S.Splat(weights[j]), S.Load(line), a);
            }

            S.Store(S.Mul(a, S.Splat(scale)), y + d);
        }

        for (; d < HeadDim; d++)
        {
            float a = 0;
            float* line = values + d;
            for (int j = 0; j < tokens; j++, line += stride)
            {
                a = MathF.FusedMultiplyAdd(weights[j], *line, a);
            }

            y[d] = a * scale;
        }
    }
}
