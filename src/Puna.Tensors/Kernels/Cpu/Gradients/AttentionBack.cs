using System.Runtime.CompilerServices;
using Puna.Tensors.Kernels.Cpu.Gemm;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>
/// Gradients of softmax attention over sequences that are whole in the batch (spec training.md 1.9). The probabilities are computed again for a few queries at a time: memory is a
/// sequence times the head size, never tokens times tokens. An item is a sequence and a key-value head; it owns the gradients of its keys, values and queries, so that no sum depends on threads.
/// </summary>
internal unsafe struct AttentionBack : IVectorJob
{
    /// <summary>Queries that are worked on together.</summary>
    public const int QueryTile = 48;

    /// <summary>Inputs of the operation: queries <c>[tokens, heads, headDim]</c>, keys and values <c>[tokens, kvHeads, headDim]</c>, and the gradient by the output, shaped as the queries.</summary>
    public float* Q;
    public float* K;
    public float* Values;
    public float* Dy;

    /// <summary>Gradients by the inputs.</summary>
    public float* Dq;
    public float* Dk;
    public float* Dv;

    /// <summary>Whether to add to what stands there.</summary>
    public bool AddQ;
    public bool AddK;
    public bool AddV;

    public int Heads;
    public int KvHeads;
    public int HeadDim;
    public float Scale;

    /// <summary>Per query row: first visible key and the end of the visible keys, counted from the sequence's first.</summary>
    public int* KeyFirst;
    public int* KeyEnd;

    /// <summary>Row of each sequence's first query, and the number of queries.</summary>
    public int* Starts;

    /// <summary>Row of each sequence's first key, and the number of keys.</summary>
    public int* KeyStarts;

    /// <summary>Per worker <see cref="ScratchFloats"/> floats.</summary>
    public float* Scratch;
    public nint WorkerFloats;

    /// <summary>Floats of scratch one worker needs for sequences of at most <paramref name="longest"/> keys.</summary>
    public static nint ScratchFloats(int longest, int headDim)
    {
        nint keys = Up(longest), width = Up(headDim);
        return (keys * headDim * 2) + (keys * width * 3) + (2 * QueryTile * keys) + (2 * QueryTile * width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int sequence = item / KvHeads;
        int head = item % KvHeads;
        int first = Starts[sequence];
        int rows = Starts[sequence + 1] - first;
        int firstKey = KeyStarts[sequence];
        int count = KeyStarts[sequence + 1] - firstKey;
        nint keys = Up(count), width = Up(HeadDim), kvRow = (nint)KvHeads * HeadDim;
        float* keysAcross = Scratch + (worker * WorkerFloats);
        float* valuesAcross = keysAcross + (keys * HeadDim);
        float* keyRows = valuesAcross + (keys * HeadDim);
        float* dk = keyRows + (keys * width);
        float* dv = dk + (keys * width);
        float* p = dv + (keys * width);
        float* ds = p + (QueryTile * keys);
        float* queryTile = ds + (QueryTile * keys);
        float* dyTile = queryTile + (QueryTile * width);
        float* k = K + (((nint)firstKey * KvHeads) + head) * HeadDim;
        float* v = Values + (((nint)firstKey * KvHeads) + head) * HeadDim;
        Pack(k, kvRow, true, HeadDim, count, keysAcross);
        Pack(v, kvRow, true, HeadDim, count, valuesAcross);
        Pack(k, kvRow, false, count, HeadDim, keyRows);
        new Span<float>(dk, (int)(count * width)).Clear();
        new Span<float>(dv, (int)(count * width)).Clear();
        int group = Heads / KvHeads;
        nint row = (nint)Heads * HeadDim;
        for (int g = 0; g < group; g++)
        {
            for (int t = 0; t < rows; t += QueryTile)
            {
                int queries = Math.Min(QueryTile, rows - t);
                nint at = (((nint)(first + t) * Heads) + (head * group) + g) * HeadDim;
                int from = int.MaxValue, end = 0;
                for (int i = 0; i < queries; i++)
                {
                    from = Math.Min(from, KeyFirst[first + t + i]);
                    end = Math.Max(end, KeyEnd[first + t + i]);
                }

                // Keys from a whole tile on, so that packed tiles can be used where they are.
                from = from / PackColumns.Width * PackColumns.Width;
                int seen = end - from;
                if (seen <= 0)
                {
                    Unseen(Dq + at, row, queries);
                    continue;
                }

                nint tile = (nint)HeadDim * PackColumns.Width;
                GemmTile<S, V>.Block(Q + at, row, 1, queries, keysAcross + (from / PackColumns.Width * tile), tile, HeadDim, p, keys, seen, false);
                GemmTile<S, V>.Block(Dy + at, row, 1, queries, valuesAcross + (from / PackColumns.Width * tile), tile, HeadDim, ds, keys, seen, false);
                for (int i = 0; i < queries; i++)
                {
                    int low = KeyFirst[first + t + i] - from, high = KeyEnd[first + t + i] - from;
                    SoftmaxBack<S, V>(p + (i * keys), ds + (i * keys), low, high, seen, Scale);
                }

                // dq = ds K
                GemmTile<S, V>.Block(ds, keys, 1, queries, keyRows + ((nint)from * PackColumns.Width), (nint)count * PackColumns.Width, seen, Dq + at, row, HeadDim, AddQ);

                // dk += ds^T q, dv += p^T dy
                Pack(Q + at, row, false, queries, HeadDim, queryTile);
                Pack(Dy + at, row, false, queries, HeadDim, dyTile);
                nint side = (nint)queries * PackColumns.Width;
                GemmTile<S, V>.Block(ds, 1, keys, seen, queryTile, side, queries, dk + (from * width), width, (int)width, true);
                GemmTile<S, V>.Block(p, 1, keys, seen, dyTile, side, queries, dv + (from * width), width, (int)width, true);
            }
        }

        Deliver(dk, width, Dk + (((nint)firstKey * KvHeads) + head) * HeadDim, kvRow, count, AddK);
        Deliver(dv, width, Dv + (((nint)firstKey * KvHeads) + head) * HeadDim, kvRow, count, AddV);
    }

    /// <summary>Queries that see no key have no gradient.</summary>
    private readonly void Unseen(float* dq, nint row, int queries)
    {
        for (int i = 0; i < queries && !AddQ; i++)
        {
            new Span<float>(dq + (i * row), HeadDim).Clear();
        }
    }

    private static nint Up(int n) => (n + PackColumns.Width - 1) / PackColumns.Width * PackColumns.Width;

    private static void Pack(float* from, nint row, bool isTransposed, int inner, int columns, float* to)
    {
        var pack = new PackColumns { B = from, Row = row, IsTransposed = isTransposed, Inner = inner, Columns = columns, To = to };
        for (int i = 0; i < pack.Items; i++)
        {
            pack.Execute(i, 0);
        }
    }

    private readonly void Deliver(float* from, nint stride, float* to, nint row, int count, bool add)
    {
        for (int t = 0; t < count; t++)
        {
            for (int i = 0; i < HeadDim; i++)
            {
                to[(t * row) + i] = (add ? to[(t * row) + i] : 0) + from[(t * stride) + i];
            }
        }
    }

    /// <summary>Turns scores into probabilities p and, in place, dp into ds = scale p (dp - sum(p dp)); both are 0 for keys that the query does not see.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void SoftmaxBack<S, V>(float* p, float* dp, int low, int high, int count, float scale)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        for (int i = 0; i < Math.Min(low, count); i++)
        {
            p[i] = dp[i] = 0;
        }

        for (int i = Math.Max(high, 0); i < count; i++)
        {
            p[i] = dp[i] = 0;
        }

        if (low >= high)
        {
            return;
        }

        float largest = float.NegativeInfinity;
        int j = low;
        if (high - low >= S.Width)
        {
            V most = S.Load(p + low);
            for (; j + S.Width <= high; j += S.Width)
            {
                most = S.Max(most, S.Load(p + j));
            }

            float* lanes = stackalloc float[S.Width];
            S.Store(most, lanes);
            for (int i = 0; i < S.Width; i++)
            {
                largest = Math.Max(largest, lanes[i]);
            }
        }

        for (; j < high; j++)
        {
            largest = Math.Max(largest, p[j]);
        }

        // Value i goes to lane i mod 16, counted from the first visible key.
        float* totals = stackalloc float[Lanes.Count];
        float* products = stackalloc float[Lanes.Count];
        new Span<float>(totals, Lanes.Count).Clear();
        new Span<float>(products, Lanes.Count).Clear();
        int whole = low + ((high - low) / Lanes.Count * Lanes.Count);
        for (int lane = 0; lane < Lanes.Count && low < whole; lane += S.Width)
        {
            V total = S.Splat(0), product = total;
            for (int i = low + lane; i < whole; i += Lanes.Count)
            {
                V e = VectorMath.Exp<S, V>(S.Mul(S.Sub(S.Load(p + i), S.Splat(largest)), S.Splat(scale)));
                S.Store(e, p + i);
                total = S.Add(total, e);
                product = S.Fma(e, S.Load(dp + i), product);
            }

            S.Store(total, totals + lane);
            S.Store(product, products + lane);
        }

        for (int i = whole; i < high; i++)
        {
            p[i] = VectorMath.Exp<Simd1, float>((p[i] - largest) * scale);
            totals[(i - low) % Lanes.Count] += p[i];
            products[(i - low) % Lanes.Count] = MathF.FusedMultiplyAdd(p[i], dp[i], products[(i - low) % Lanes.Count]);
        }

        float share = 1f / Lanes.Sum(totals);
        float mean = Lanes.Sum(products) * share;
        j = low;
        for (; j + S.Width <= high; j += S.Width)
        {
            V q = S.Mul(S.Load(p + j), S.Splat(share));
            S.Store(q, p + j);
            S.Store(S.Mul(S.Mul(q, S.Splat(scale)), S.Sub(S.Load(dp + j), S.Splat(mean))), dp + j);
        }

        for (; j < high; j++)
        {
            p[j] *= share;
            dp[j] = p[j] * scale * (dp[j] - mean);
        }
    }
}
