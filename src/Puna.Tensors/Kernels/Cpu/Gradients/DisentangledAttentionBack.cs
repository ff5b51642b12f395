using System.Runtime.CompilerServices;
using Puna.Tensors.Kernels.Cpu.Gemm;

namespace Puna.Tensors.Kernels.Cpu.Gradients;

/// <summary>
/// Gradients of DeBERTa's attention (<see cref="DisentangledAttention"/>). With ds the gradient by the scaled score of query i and key j, at distance row r: dq_i sums ds (k_j + relativeK_r), dk_j ds (q_i + relativeQ_r),
/// drelativeK_r ds q_i and drelativeQ_r ds k_j. Sums over the pairs of one row of the table are taken first (by query, and by key), and what is left are matrix products. An item is a head of all sequences: it owns
/// its columns of every gradient, so that no sum depends on threads. Probabilities are computed again for a few queries at a time: memory is rows of the table times a sequence, as on the way there.
/// </summary>
internal unsafe struct DisentangledAttentionBack : IVectorJob
{
    /// <summary>Queries that are worked on together.</summary>
    public const int QueryTile = 48;

    /// <summary>Inputs of the operation, and the gradient by its output <c>[tokens, heads * headDim]</c>.</summary>
    public float* Q;
    public float* K;
    public float* Values;
    public float* Dy;

    /// <summary>The table of distances as queries and as keys <c>[rows, heads * headDim]</c>.</summary>
    public float* RelativeQ;
    public float* RelativeK;

    /// <summary>Gradients by the inputs.</summary>
    public float* Dq;
    public float* Dk;
    public float* Dv;
    public float* DrelativeQ;
    public float* DrelativeK;

    /// <summary>Whether to add to what stands there.</summary>
    public bool AddQ;
    public bool AddK;
    public bool AddV;
    public bool AddRelativeQ;
    public bool AddRelativeK;

    /// <summary>Row of each sequence's first token, and the number of rows.</summary>
    public int* Starts;
    public int Sequences;

    /// <summary>Tokens of the longest sequence.</summary>
    public int Longest;

    /// <summary>Row of the table for a distance query - key, from <c>-Farthest</c> on; never falls.</summary>
    public int* DistanceRows;
    public int Farthest;

    /// <summary>Rows of the table.</summary>
    public int TableRows;

    public int Heads;
    public int HeadDim;
    public float Scale;

    /// <summary>Per worker <see cref="ScratchFloats"/> floats.</summary>
    public float* Scratch;
    public nint WorkerFloats;

    /// <summary>Floats a worker needs for sequences of at most this many tokens that use at most this many rows of the table.</summary>
    public static nint ScratchFloats(int tokens, int rows, int headDim)
    {
        nint keys = Up(tokens), table = Up(rows), width = Up(headDim);
        return checked((2 * headDim * keys) + (3 * keys * width) + (headDim * table) + (4 * table * width) + (2 * rows * keys) + (2 * QueryTile * (keys + table + width)));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Execute<S, V>(int item, int worker)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        nint stride = (nint)Heads * HeadDim, width = Up(HeadDim), column = (nint)item * HeadDim;
        int* rowOf = DistanceRows + Farthest;
        int lowestOfAll = rowOf[1 - Longest], used = rowOf[Longest - 1] - lowestOfAll + 1;
        float* drq = Scratch + (worker * WorkerFloats);
        float* drk = drq + (Up(used) * width);
        float* scratch = drk + (Up(used) * width);
        new Span<float>(drq, checked((int)(2 * Up(used) * width))).Clear();
        for (int s = 0; s < Sequences; s++)
        {
            int tokens = Starts[s + 1] - Starts[s];
            nint first = rowOf[1 - tokens] - lowestOfAll;
            Sequence<S, V>(Starts[s], tokens, column, scratch, drq + (first * width), drk + (first * width));
        }

        Deliver(drq, width, lowestOfAll, used, DrelativeQ + column, stride, AddRelativeQ);
        Deliver(drk, width, lowestOfAll, used, DrelativeK + column, stride, AddRelativeK);
    }

    private static nint Up(int n) => ((nint)n + PackColumns.Width - 1) / PackColumns.Width * PackColumns.Width;

    private static void Pack(float* from, nint row, bool isTransposed, int inner, int columns, float* to)
    {
        var pack = new PackColumns { B = from, Row = row, IsTransposed = isTransposed, Inner = inner, Columns = columns, To = to };
        for (int i = 0; i < pack.Items; i++)
        {
            pack.Execute(i, 0);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Sequence<S, V>(int start, int tokens, nint column, float* scratch, float* drq, float* drk)
        where S : struct, ISimd<V>
        where V : unmanaged
    {
        int* rowOf = DistanceRows + Farthest;
        int lowest = rowOf[1 - tokens], rows = rowOf[tokens - 1] - lowest + 1;
        nint stride = (nint)Heads * HeadDim, keys = Up(tokens), table = Up(rows), width = Up(HeadDim);
        float* keysAcross = scratch;
        float* valuesAcross = keysAcross + (HeadDim * keys);
        float* keyRows = valuesAcross + (HeadDim * keys);
        float* dk = keyRows + (keys * width);
        float* dv = dk + (keys * width);
        float* tableAcross = dv + (keys * width);
        float* keySide = tableAcross + (HeadDim * table);
        float* querySide = keySide + (table * width);
        float* fromKeys = querySide + (table * width);
        float* byKey = fromKeys + (rows * keys);
        float* p = byKey + (rows * keys);
        float* ds = p + (QueryTile * keys);
        float* fromQuery = ds + (QueryTile * keys);
        float* byQuery = fromQuery + (QueryTile * table);
        float* queryTile = byQuery + (QueryTile * table);
        float* dyTile = queryTile + (QueryTile * width);

        nint origin = (start * stride) + column, tableOrigin = (lowest * stride) + column, headTile = (nint)HeadDim * PackColumns.Width;
        Pack(K + origin, stride, true, HeadDim, tokens, keysAcross);
        Pack(Values + origin, stride, true, HeadDim, tokens, valuesAcross);
        Pack(K + origin, stride, false, tokens, HeadDim, keyRows);
        Pack(RelativeK + tableOrigin, stride, true, HeadDim, rows, tableAcross);
        Pack(RelativeK + tableOrigin, stride, false, rows, HeadDim, keySide);
        Pack(RelativeQ + tableOrigin, stride, false, rows, HeadDim, querySide);
        System.Runtime.InteropServices.NativeMemory.Clear(dk, checked((nuint)(2 * keys * width) * sizeof(float)));
        System.Runtime.InteropServices.NativeMemory.Clear(byKey, checked((nuint)(rows * keys) * sizeof(float)));
        GemmTile<S, V>.Block(RelativeQ + tableOrigin, stride, 1, rows, keysAcross, headTile, HeadDim, fromKeys, keys, tokens, false);
        nint tokenTile = (nint)tokens * PackColumns.Width, rowTile = (nint)rows * PackColumns.Width;
        for (int t = 0; t < tokens; t += QueryTile)
        {
            int queries = Math.Min(QueryTile, tokens - t);
            nint at = origin + (t * stride);
            GemmTile<S, V>.Block(Q + at, stride, 1, queries, keysAcross, headTile, HeadDim, p, keys, tokens, false);
            GemmTile<S, V>.Block(Q + at, stride, 1, queries, tableAcross, headTile, HeadDim, fromQuery, table, rows, false);
            GemmTile<S, V>.Block(Dy + at, stride, 1, queries, valuesAcross, headTile, HeadDim, ds, keys, tokens, false);
            for (int i = 0; i < queries; i++)
            {
                float* scores = p + (i * keys), dScores = ds + (i * keys), mine = fromQuery + (i * table), sums = byQuery + (i * table);
                for (int j = 0; j < tokens; j++)
                {
                    int r = rowOf[t + i - j] - lowest;
                    scores[j] += mine[r] + fromKeys[(r * keys) + j];
                }

                AttentionBack.SoftmaxBack<S, V>(scores, dScores, 0, tokens, tokens, Scale);
                new Span<float>(sums, rows).Clear();
                for (int j = 0; j < tokens; j++)
                {
                    int r = rowOf[t + i - j] - lowest;
                    sums[r] += dScores[j];
                    byKey[(r * keys) + j] += dScores[j];
                }
            }

            GemmTile<S, V>.Block(ds, keys, 1, queries, keyRows, tokenTile, tokens, Dq + at, stride, HeadDim, AddQ);
            GemmTile<S, V>.Block(byQuery, table, 1, queries, keySide, rowTile, rows, Dq + at, stride, HeadDim, true);
            Pack(Q + at, stride, false, queries, HeadDim, queryTile);
            Pack(Dy + at, stride, false, queries, HeadDim, dyTile);
            nint side = (nint)queries * PackColumns.Width;
            GemmTile<S, V>.Block(ds, 1, keys, tokens, queryTile, side, queries, dk, width, (int)width, true);
            GemmTile<S, V>.Block(p, 1, keys, tokens, dyTile, side, queries, dv, width, (int)width, true);
            GemmTile<S, V>.Block(byQuery, 1, table, rows, queryTile, side, queries, drk, width, (int)width, true);
        }

        GemmTile<S, V>.Block(byKey, 1, keys, tokens, querySide, rowTile, rows, dk, width, (int)width, true);
        GemmTile<S, V>.Block(byKey, keys, 1, rows, keyRows, tokenTile, tokens, drq, width, (int)width, true);
        Copy(dk, width, tokens, Dk + origin, stride, AddK);
        Copy(dv, width, tokens, Dv + origin, stride, AddV);
    }

    /// <summary>Rows of the table that no pair met have no gradient.</summary>
    private readonly void Deliver(float* from, nint width, int first, int count, float* to, nint stride, bool add)
    {
        for (int r = 0; r < TableRows && !add; r++)
        {
            if (r < first || r >= first + count)
            {
                new Span<float>(to + (r * stride), HeadDim).Clear();
            }
        }

        Copy(from, width, count, to + (first * stride), stride, add);
    }

    private readonly void Copy(float* from, nint width, int rows, float* to, nint stride, bool add)
    {
        for (int t = 0; t < rows; t++)
        {
            for (int i = 0; i < HeadDim; i++)
            {
                to[(t * stride) + i] = (add ? to[(t * stride) + i] : 0) + from[(t * width) + i];
            }
        }
    }
}
