using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Puna.Tensors.Kernels.Cpu;

/// <summary>
/// Tiled attention with a running softmax over the tiles of the key-value cache. An item is a tile of query rows of one sequence and all query heads of one key-value head, so
/// that a key is read once for all of them; memory is a few tiles per thread, never tokens times tokens.
/// </summary>
/// <remarks>
/// Keys are counted from the first key of the sequence, in tiles of 32 and in spans of 256. Each span starts a state of its own and the states are joined in order, whether one
/// thread does so span after span (a prompt) or each span is an item (one token behind a long text; <see cref="Joins"/> then joins them). So a row's bits depend on neither.
/// </remarks>
internal unsafe struct AttentionKernel : IKernelJob
{
    /// <summary>Keys of a span.</summary>
    public const int SpanKeys = 256;

    // Queries that share a tile's conversion: more would push their sums out of the nearest caches.
    private const int QueriesPerItem = 32;

    public CpuPath Path;

    /// <summary>Queries <c>[tokens, heads, headDim]</c>.</summary>
    public float* Q;

    /// <summary>Outputs <c>[tokens, heads, headDim]</c>.</summary>
    public float* Y;

    public KvTile Tile;
    public int Heads;
    public int KvHeads;
    public float Scale;
    public AttentionItem* ItemList;

    /// <summary>Whether an item joins the partial states of its spans, instead of making states.</summary>
    public bool Joins;

    /// <summary>Per query row: first visible key and the end of the visible keys, counted from the sequence's first key.</summary>
    public int* KeyFirst;

    public int* KeyEnd;

    /// <summary>Per sequence: index of its first block address in <see cref="Blocks"/>.</summary>
    public int* BlockStart;

    /// <summary>Addresses of this layer's tiles of 32 tokens, <c>[kvHeads]</c> tiles each.</summary>
    public nint* Blocks;

    /// <summary>Per worker, <see cref="ScratchFloats"/> floats.</summary>
    public float* Scratch;

    /// <summary>Partial states, <see cref="AttentionState.Floats"/> each.</summary>
    public float* Partials;

    /// <summary>Query rows of an item.</summary>
    public static int RowsPerItem(int group) => Math.Max(1, QueriesPerItem / group);

    /// <summary>Floats of scratch one worker needs: a tile, two states, scores, addresses of queries.</summary>
    public static nint ScratchFloats(int group, int headDim)
    {
        int queries = RowsPerItem(group) * group;
        nint floats = ((nint)KvTile.Tokens * headDim) + (2 * AttentionState.Floats(queries, headDim)) + ((nint)queries * (KvTile.Tokens + (sizeof(float*) / sizeof(float))));
        return (floats + 15) / 16 * 16;
    }

    public readonly void Execute(int item, int worker)
    {
        float* scratch = Scratch + (worker * ScratchFloats(Heads / KvHeads, Tile.HeadDim));
        switch (Path)
        {
            case CpuPath.Avx512:
                Run<Simd512, Vector512<float>>(ItemList + item, scratch);
                break;
            case CpuPath.Avx2:
                Run<Simd256, Vector256<float>>(ItemList + item, scratch);
                break;
            case CpuPath.Vector128:
                Run<Simd128, Vector128<float>>(ItemList + item, scratch);
                break;
            default:
                Run<Simd1, float>(ItemList + item, scratch);
                break;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Run<S, TV>(AttentionItem* item, float* scratch)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        int group = Heads / KvHeads;
        int most = RowsPerItem(group) * group;
        int queries = item->Rows * group;
        nint stateFloats = AttentionState.Floats(most, Tile.HeadDim);
        float* tile = scratch;
        float* scores = tile + ((nint)KvTile.Tokens * Tile.HeadDim);
        float** addresses = (float**)(scores + ((nint)most * KvTile.Tokens));
        float* states = (float*)(addresses + most);
        var whole = new AttentionState(states, most, Tile.HeadDim);
        var span = new AttentionState(states + stateFloats, most, Tile.HeadDim);
        for (int q = 0; q < queries; q++)
        {
            addresses[q] = Q + Place(item, q, group);
        }

        whole.Clear(queries);
        for (int s = item->FirstSpan; s < item->EndSpan; s++)
        {
            if (item->Partial >= 0)
            {
                span = new AttentionState(Partials + (stateFloats * (item->Partial + s - item->FirstSpan)), most, Tile.HeadDim);
            }

            if (!Joins)
            {
                span.Clear(queries);
                Span<S, TV>(item, s, queries, addresses, tile, scores, span);
            }

            if (Joins || item->Partial < 0)
            {
                whole.Join<S, TV>(span, queries);
            }
        }

        for (int q = 0; q < queries && (Joins || item->Partial < 0); q++)
        {
            whole.Finish<S, TV>(q, Y + Place(item, q, group));
        }
    }

    /// <summary>Values from the first query to query <paramref name="q"/> of an item.</summary>
    private readonly nint Place(AttentionItem* item, int q, int group) =>
        (((nint)(item->FirstRow + (q / group)) * Heads) + (item->KvHead * group) + (q % group)) * Tile.HeadDim;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private readonly void Span<S, TV>(AttentionItem* item, int index, int queries, float** addresses, float* scratch, float* scores, AttentionState state)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        int group = queries / item->Rows;
        int first = int.MaxValue;
        int end = 0;
        for (int r = item->FirstRow; r < item->FirstRow + item->Rows; r++)
        {
            first = Math.Min(first, KeyFirst[r]);
            end = Math.Max(end, KeyEnd[r]);
        }

        first = Math.Max(first / KvTile.Tokens * KvTile.Tokens, index * SpanKeys);
        end = Math.Min(end, (index + 1) * SpanKeys);
        for (int start = first; start < end; start += KvTile.Tokens)
        {
            int count = Math.Min(KvTile.Tokens, end - start);
            byte* tile = (byte*)Blocks[BlockStart[item->Sequence] + (start / KvTile.Tokens)] + (item->KvHead * Tile.ByteLength);
            float* keys = KvLoad.Keys<S, TV>(Tile, tile, scratch);
            int q = 0;
            for (; q + 4 <= queries; q += 4)
            {
                AttentionTile.Scores4<S, TV>(addresses + q, keys, Tile.HeadDim, Scale, scores + (q * KvTile.Tokens));
            }

            for (; q < queries; q++)
            {
                AttentionTile.Scores1<S, TV>(addresses[q], keys, Tile.HeadDim, Scale, scores + (q * KvTile.Tokens));
            }

            for (q = 0; q < queries; q++)
            {
                (int from, int to) = Seen(item, q / group, start, count);
                if (from < to)
                {
                    AttentionTile.Weigh<S, TV>(scores + (q * KvTile.Tokens), from, to, state.Sums + ((nint)q * Tile.HeadDim), Tile.HeadDim, state.Largest + q, state.Total + q);
                }
            }

            float* values = KvLoad.Values<S, TV>(Tile, tile + Tile.KeyBytes, count, scratch);
            for (q = 0; q < queries; q += 4)
            {
                AddValues<S, TV>(item, q, Math.Min(4, queries - q), group, start, count, values, scores, state);
            }
        }
    }

    /// <summary>Which keys of a tile a row sees.</summary>
    private readonly (int From, int To) Seen(AttentionItem* item, int row, int start, int count) =>
        (Math.Max(KeyFirst[item->FirstRow + row] - start, 0), Math.Min(KeyEnd[item->FirstRow + row] - start, count));

    /// <summary>Adds a tile's values to up to four queries: together where all of them see a key, one by one elsewhere, in the order of the keys.</summary>
    private readonly void AddValues<S, TV>(AttentionItem* item, int q, int number, int group, int start, int count, float* values, float* scores, AttentionState state)
        where S : struct, ISimd<TV>
        where TV : unmanaged
    {
        int headDim = Tile.HeadDim;
        int low = 0;
        int high = number == 4 ? KvTile.Tokens : 0;
        for (int i = 0; i < number; i++)
        {
            (int from, int to) = Seen(item, (q + i) / group, start, count);
            low = Math.Max(low, from);
            high = Math.Min(high, to);
        }

        high = Math.Max(low, high);
        for (int i = 0; i < number; i++)
        {
            (int from, int to) = Seen(item, (q + i) / group, start, count);
            // No common key: all of the row's keys come now.
            int before = low == high ? to : low;
            if (from < before)
            {
                AttentionTile.Add1<S, TV>(scores + ((q + i) * KvTile.Tokens), from, before, values, headDim, 0, state.Sums + ((nint)(q + i) * headDim));
            }
        }

        if (low == high)
        {
            return;
        }

        AttentionTile.Add4<S, TV>(scores + (q * KvTile.Tokens), low, high, values, headDim, state.Sums + ((nint)q * headDim));
        for (int i = 0; i < number; i++)
        {
            (_, int to) = Seen(item, (q + i) / group, start, count);
            if (high < to)
            {
                AttentionTile.Add1<S, TV>(scores + ((q + i) * KvTile.Tokens), high, to, values, headDim, 0, state.Sums + ((nint)(q + i) * headDim));
            }
        }
    }
}
