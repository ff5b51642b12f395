using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors;

/// <summary>The part that reads and writes keys and values.</summary>
public sealed unsafe partial class CpuOps
{
    // Each thread should find about this many items, so that a late one does not leave the others idle.
    private const int ItemsPerThread = 8;

    // Most memory for partial states; beyond it the spans of a tile of queries stay with one thread.
    private const long PartialFloats = 1 << 23;

    /// <inheritdoc/>
    public Tensor Attention(Tensor q, Tensor k, Tensor v, KvView? cache, AttentionPlan plan, int headDim)
    {
        RequireFloat(q, "attention queries");
        RequireFloat(k, "attention keys");
        RequireFloat(v, "attention values");
        RequireSame(k, v, "attention keys and values");
        int heads = (int)q.Columns / headDim;
        int kvHeads = (int)k.Columns / headDim;
        int sequences = plan.PastLength.Length;
        if (q.Rows != plan.KeyEnd.Length || (cache is null && k.Rows != plan.KeyStarts[^1]) || heads * headDim != q.Columns || kvHeads * headDim != k.Columns || kvHeads == 0 || heads % kvHeads != 0)
        {
            throw new InvalidOperationException($"attention: queries {q.Shape}, keys {k.Shape}, head size {headDim} and a plan of {plan.KeyEnd.Length} rows do not fit");
        }

        if (cache is KvView view)
        {
            RequireCache(view, sequences, kvHeads * headDim);
        }

        Tensor y = _arena.Allocate(q.Shape);
        ArenaMark mark = _arena.Mark();
        var layout = new KvTile(cache is null || sequences == 0 ? DType.F32 : cache.Value.Sequences[0].Cache.Type, headDim);
        int* blockStart = AllocateInts(sequences);
        nint* blocks = cache is null ? PackKeys(k, v, plan, layout, kvHeads, blockStart) : FindBlocks(cache.Value, plan, blockStart);
        fixed (int* keyFirst = plan.KeyFirst, keyEnd = plan.KeyEnd)
        {
            var job = new AttentionKernel
            {
                Path = Path,
                Q = (float*)q.Address,
                Y = (float*)y.Address,
                Tile = layout,
                Heads = heads,
                KvHeads = kvHeads,
                Scale = 1f / MathF.Sqrt(headDim),
                KeyFirst = keyFirst,
                KeyEnd = keyEnd,
                BlockStart = blockStart,
                Blocks = blocks,
                Scratch = (float*)_arena.Allocate(new Shape(_threads.Threads, (long)AttentionKernel.ScratchFloats(heads / kvHeads, headDim))).Address,
            };
            Attend(ref job, plan);
        }

        _arena.Release(mark);
        GC.KeepAlive(q.Storage);
        GC.KeepAlive(k.Storage);
        GC.KeepAlive(v.Storage);
        GC.KeepAlive(cache?.Sequences);
        return y;
    }

    /// <inheritdoc/>
    public void Append(KvView cache, Tensor k, Tensor v, Batch batch)
    {
        RequireFloat(k, "cache keys");
        RequireFloat(v, "cache values");
        RequireSame(k, v, "cache keys and values");
        Store(cache, k, v, batch, null);
        GC.KeepAlive(k.Storage);
    }

    /// <inheritdoc/>
    public Tensor RopeAppend(Tensor k, Tensor v, Tensor cos, Tensor sin, RopeLayout layout, KvView cache, Batch batch)
    {
        RequireFloat(v, "cache values");
        RequireSame(k, v, "cache keys and values");
        Rotate rotate = PrepareRope(k, cos, sin, layout, out Tensor y);
        Store(cache, k, v, batch, &rotate);
        GC.KeepAlive(k.Storage);
        GC.KeepAlive(cos.Storage);
        GC.KeepAlive(sin.Storage);
        return y;
    }

    /// <summary>Cuts the work into items and does it.</summary>
    private void Attend(ref AttentionKernel job, AttentionPlan plan)
    {
        int group = job.Heads / job.KvHeads;
        int most = AttentionKernel.RowsPerItem(group);
        long work = 0;
        int tiles = 0;
        for (int s = 0; s < plan.PastLength.Length; s++)
        {
            tiles += (plan.Starts[s + 1] - plan.Starts[s] + most - 1) / most;
        }

        for (int row = 0; row < plan.KeyEnd.Length; row++)
        {
            work += plan.KeyEnd[row] - plan.KeyFirst[row];
        }

        // How the work is cut changes no bit: each span of keys has a state of its own in any case.
        long share = Math.Max(AttentionKernel.SpanKeys, work * job.KvHeads / (ItemsPerThread * _threads.Threads));
        long stateFloats = AttentionState.Floats(most * group, job.Tile.HeadDim);
        var tileList = (AttentionItem*)_arena.Allocate(new Shape(Math.Max(1, tiles), (long)job.KvHeads * sizeof(AttentionItem) / sizeof(float))).Address;
        int splits = 0;
        int items = 0;
        int partials = 0;
        int at = 0;
        for (int s = 0; s < plan.PastLength.Length; s++)
        {
            int rows = plan.Starts[s + 1] - plan.Starts[s];
            // The longest work first: later rows of a prompt see more keys, and a late long item would leave the other threads idle.
            for (int r = (rows - 1) / most * most; r >= 0; r -= most)
            {
                var tile = new AttentionItem { FirstRow = plan.Starts[s] + r, Rows = Math.Min(most, rows - r), Sequence = s, FirstSpan = int.MaxValue, Partial = -1 };
                long pairs = 0;
                for (int row = tile.FirstRow; row < tile.FirstRow + tile.Rows; row++)
                {
                    pairs += plan.KeyEnd[row] - plan.KeyFirst[row];
                    tile.FirstSpan = Math.Min(tile.FirstSpan, plan.KeyFirst[row] / AttentionKernel.SpanKeys);
                    tile.EndSpan = Math.Max(tile.EndSpan, (plan.KeyEnd[row] + AttentionKernel.SpanKeys - 1) / AttentionKernel.SpanKeys);
                }

                int spans = tile.EndSpan - tile.FirstSpan;
                bool isSplit = _threads.Threads > 1 && spans > 1 && pairs > share && (partials + ((long)spans * job.KvHeads)) * stateFloats <= PartialFloats;
                for (int h = 0; h < job.KvHeads; h++)
                {
                    tileList[at++] = tile with { KvHead = h, Partial = isSplit ? partials : -1 };
                    partials += isSplit ? spans : 0;
                    splits += isSplit ? 1 : 0;
                    items += isSplit ? spans : 1;
                }
            }
        }

        work *= (long)job.Heads * job.Tile.HeadDim * 2;
        if (splits == 0)
        {
            job.ItemList = tileList;
            Share(ref job, at, work);
            return;
        }

        job.Partials = (float*)_arena.Allocate(new Shape(partials, stateFloats)).Address;
        job.ItemList = Split(tileList, at, items);
        Share(ref job, items, work);
        int joined = 0;
        for (int i = 0; i < at; i++)
        {
            if (tileList[i].Partial >= 0)
            {
                tileList[joined++] = tileList[i];
            }
        }

        job.ItemList = tileList;
        job.Joins = true;
        Share(ref job, joined, partials * stateFloats);
    }

    /// <summary>One item per span where the spans of a tile of queries are shared.</summary>
    private AttentionItem* Split(AttentionItem* tiles, int count, int items)
    {
        var list = (AttentionItem*)_arena.Allocate(new Shape(items, sizeof(AttentionItem) / sizeof(float))).Address;
        int at = 0;
        for (int i = 0; i < count; i++)
        {
            AttentionItem tile = tiles[i];
            for (int s = tile.FirstSpan; s < tile.EndSpan && tile.Partial >= 0; s++)
            {
                list[at++] = tile with { FirstSpan = s, EndSpan = s + 1, Partial = tile.Partial + s - tile.FirstSpan };
            }

            if (tile.Partial < 0)
            {
                list[at++] = tile;
            }
        }

        return list;
    }

    /// <summary>Addresses of this layer's tiles of all keys that the plan names.</summary>
    private nint* FindBlocks(KvView cache, AttentionPlan plan, int* blockStart)
    {
        int blocks = 0;
        for (int s = 0; s < plan.PastLength.Length; s++)
        {
            int length = plan.KeyCount(s);
            if (cache.Sequences[s].BlockCount * KvCache.BlockSize < length)
            {
                throw new InvalidOperationException($"attention: expected {length} cached tokens of sequence {s}, this batch's included");
            }

            blockStart[s] = blocks;
            blocks += (length + KvCache.BlockSize - 1) / KvCache.BlockSize;
        }

        nint* table = (nint*)_arena.Allocate(new Shape(Math.Max(1, blocks) * 2L)).Address;
        for (int s = 0; s < plan.PastLength.Length; s++)
        {
            int end = s + 1 < plan.PastLength.Length ? blockStart[s + 1] : blocks;
            for (int b = blockStart[s]; b < end; b++)
            {
                table[b] = cache.Sequences[s].BlockAddress(b - blockStart[s], cache.Layer);
            }
        }

        return table;
    }

    /// <summary>Tiles of a batch whose sequences are whole in it and are not kept.</summary>
    private nint* PackKeys(Tensor k, Tensor v, AttentionPlan plan, KvTile layout, int kvHeads, int* blockStart)
    {
        int blocks = 0;
        for (int s = 0; s < plan.PastLength.Length; s++)
        {
            if (plan.PastLength[s] > 0)
            {
                throw new InvalidOperationException($"attention: expected {plan.PastLength[s]} cached tokens of sequence {s}, got no cache");
            }

            blockStart[s] = blocks;
            blocks += (plan.KeyCount(s) + KvTile.Tokens - 1) / KvTile.Tokens;
        }

        nint* table = (nint*)_arena.Allocate(new Shape(Math.Max(1, blocks) * 2L)).Address;
        var items = (KvStoreItem*)_arena.Allocate(new Shape(Math.Max(1, blocks), sizeof(KvStoreItem) / sizeof(float))).Address;
        nint bytes = layout.ByteLength * kvHeads;
        byte* tiles = (byte*)_arena.Allocate(new Shape(Math.Max(1, blocks), (long)bytes / sizeof(float))).Address;
        int at = 0;
        for (int s = 0; s < plan.PastLength.Length; s++)
        {
            for (int row = plan.KeyStarts[s]; row < plan.KeyStarts[s + 1]; row += KvTile.Tokens)
            {
                byte* tile = tiles + (at * bytes);
                table[at] = (nint)tile;
                items[at++] = new KvStoreItem { Tiles = tile, FirstRow = row, Rows = Math.Min(KvTile.Tokens, plan.KeyStarts[s + 1] - row) };
            }
        }

        var job = new KvStore { Tile = layout, KvHeads = kvHeads, K = (float*)k.Address, V = (float*)v.Address, ItemList = items };
        Share(ref job, blocks, k.Shape.Count * 4);
        return table;
    }

    /// <summary>Writes a batch's keys, rotated on the way where asked for, and values into the cache.</summary>
    private void Store(KvView cache, Tensor k, Tensor v, Batch batch, Rotate* rotate)
    {
        RequireCache(cache, batch.Sequences, k.Columns);
        if (k.Rows != batch.Count)
        {
            throw new InvalidOperationException($"cache keys: expected {batch.Count} rows, got {k.Shape}");
        }

        if (batch.Sequences == 0)
        {
            return;
        }

        KvCache pool = cache.Sequences[0].Cache;
        ArenaMark mark = _arena.Mark();
        int parts = 0;
        for (int s = 0; s < batch.Sequences; s++)
        {
            int first = batch.Positions[batch.Starts[s]];
            int end = first + batch.Starts[s + 1] - batch.Starts[s];
            parts += ((end - 1) / KvCache.BlockSize) - (first / KvCache.BlockSize) + 1;
        }

        var items = (KvStoreItem*)_arena.Allocate(new Shape(parts, sizeof(KvStoreItem) / sizeof(float))).Address;
        int at = 0;
        for (int s = 0; s < batch.Sequences; s++)
        {
            for (int row = batch.Starts[s]; row < batch.Starts[s + 1];)
            {
                int slot = batch.Positions[row] % KvCache.BlockSize;
                int rows = Math.Min(KvCache.BlockSize - slot, batch.Starts[s + 1] - row);
                nint tiles = cache.Sequences[s].BlockAddress(batch.Positions[row] / KvCache.BlockSize, cache.Layer);
                items[at++] = new KvStoreItem { Tiles = (byte*)tiles, FirstRow = row, Rows = rows, FirstSlot = slot };
                row += rows;
            }
        }

        var job = new KvStore { Tile = pool.Tile, KvHeads = pool.KvHeads, K = (float*)k.Address, V = (float*)v.Address, Rotate = rotate, ItemList = items };
        Share(ref job, parts, k.Shape.Count * 8);
        _arena.Release(mark);
        GC.KeepAlive(v.Storage);
        GC.KeepAlive(cache.Sequences);
    }

    /// <summary>Addresses are taken from the cache unchecked, so that it must be of the model's shape.</summary>
    private static void RequireCache(KvView cache, int sequences, long width)
    {
        if (cache.Sequences.Count != sequences)
        {
            throw new InvalidOperationException($"cache: expected {sequences} sequences, got {cache.Sequences.Count}");
        }

        for (int s = 0; s < sequences; s++)
        {
            KvCache pool = cache.Sequences[s].Cache;
            if ((uint)cache.Layer >= (uint)pool.Layers || (long)pool.KvHeads * pool.HeadDim != width || pool.Type != cache.Sequences[0].Cache.Type)
            {
                throw new InvalidOperationException(
                    $"cache: expected layer {cache.Layer} with keys of {width} values, of one type for all sequences, got {pool.Layers} layers with {(long)pool.KvHeads * pool.HeadDim} as {pool.Type.Name()}");
            }
        }
    }

    private int* AllocateInts(int count) => (int*)_arena.Allocate(new Shape(Math.Max(1, count))).Address;
}
