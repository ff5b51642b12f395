using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors;

/// <summary>The part that reads and writes keys and values.</summary>
public sealed unsafe partial class CpuOps
{
    /// <inheritdoc/>
    public Tensor Attention(Tensor q, Tensor k, Tensor v, KvView? past, AttentionPlan plan, int headDim)
    {
        RequireFloat(q, "attention queries");
        RequireFloat(k, "attention keys");
        RequireSame(k, v, "attention keys and values");
        int heads = (int)q.Columns / headDim;
        int kvHeads = (int)k.Columns / headDim;
        int sequences = plan.PastLength.Length;
        if (q.Rows != plan.KeyEnd.Length || k.Rows != q.Rows || heads * headDim != q.Columns || kvHeads * headDim != k.Columns || kvHeads == 0 || heads % kvHeads != 0)
        {
            throw new InvalidOperationException($"attention: queries {q.Shape}, keys {k.Shape}, head size {headDim} and a plan of {plan.KeyEnd.Length} rows do not fit");
        }

        if (past is KvView view)
        {
            RequireCache(view, sequences, kvHeads, headDim);
        }

        Tensor y = _arena.Allocate(q.Shape);
        ArenaMark mark = _arena.Mark();
        int blocks = CountBlocks(past, plan);
        Span<int> blockStart = AllocateInts(sequences, out int* blockStartAddress);
        nint* blockTable = (nint*)_arena.Allocate(new Shape(Math.Max(1, blocks) * 2L)).Address;
        int filled = 0;
        for (int s = 0; s < sequences; s++)
        {
            blockStart[s] = filled;
            for (int b = 0; b * KvCache.BlockSize < plan.PastLength[s]; b++)
            {
                blockTable[filled++] = past!.Value.Sequences[s].BlockAddress(b, past.Value.Layer);
            }
        }

        int items = 0;
        for (int s = 0; s < sequences; s++)
        {
            items += (plan.Starts[s + 1] - plan.Starts[s] + AttentionKernel.QueryTile - 1) / AttentionKernel.QueryTile * kvHeads;
        }

        var list = (AttentionItem*)_arena.Allocate(new Shape(Math.Max(1, items) * (long)(sizeof(AttentionItem) / sizeof(float)))).Address;
        int at = 0;
        for (int s = 0; s < sequences; s++)
        {
            // The longest work first: later rows of a prompt see more keys, and a late long item would leave the other threads idle.
            int rows = plan.Starts[s + 1] - plan.Starts[s];
            for (int r = (rows - 1) / AttentionKernel.QueryTile * AttentionKernel.QueryTile; r >= 0; r -= AttentionKernel.QueryTile)
            {
                for (int h = 0; h < kvHeads; h++)
                {
                    list[at++] = new AttentionItem { FirstRow = plan.Starts[s] + r, Rows = Math.Min(AttentionKernel.QueryTile, rows - r), Sequence = s, KvHead = h };
                }
            }
        }

        Tensor scratch = _arena.Allocate(new Shape(_threads.Threads, (long)AttentionKernel.ScratchFloats(heads / kvHeads, headDim)));
        long work = 0;
        foreach (int end in plan.KeyEnd)
        {
            work += end;
        }

        fixed (int* keyFirst = plan.KeyFirst, keyEnd = plan.KeyEnd, starts = plan.Starts, pastLength = plan.PastLength)
        {
            var job = new AttentionKernel
            {
                Path = Path,
                Q = (float*)q.Address,
                K = (float*)k.Address,
                V = (float*)v.Address,
                Y = (float*)y.Address,
                Heads = heads,
                KvHeads = kvHeads,
                HeadDim = headDim,
                Scale = 1f / MathF.Sqrt(headDim),
                ItemList = list,
                KeyFirst = keyFirst,
                KeyEnd = keyEnd,
                RowStart = starts,
                PastLength = pastLength,
                BlockStart = blockStartAddress,
                Blocks = blockTable,
                BlockSize = KvCache.BlockSize,
                Scratch = (float*)scratch.Address,
            };
            Share(ref job, items, work * heads * headDim * 2);
        }

        _arena.Release(mark);
        GC.KeepAlive(q.Storage);
        GC.KeepAlive(k.Storage);
        GC.KeepAlive(v.Storage);
        GC.KeepAlive(past?.Sequences);
        return y;
    }

    /// <inheritdoc/>
    public void Append(KvView cache, Tensor k, Tensor v, Batch batch)
    {
        RequireFloat(k, "cache keys");
        RequireSame(k, v, "cache keys and values");
        nint row = (nint)k.Columns;
        RequireCache(cache, batch.Sequences, 1, (int)row);
        for (int s = 0; s < batch.Sequences; s++)
        {
            KvSequence sequence = cache.Sequences[s];
            for (int i = batch.Starts[s]; i < batch.Starts[s + 1]; i++)
            {
                int position = batch.Positions[i];
                float* block = (float*)sequence.BlockAddress(position / KvCache.BlockSize, cache.Layer);
                float* key = block + (position % KvCache.BlockSize * row);
                k.Row<float>(i).CopyTo(new Span<float>(key, (int)row));
                v.Row<float>(i).CopyTo(new Span<float>(key + (KvCache.BlockSize * row), (int)row));
            }
        }
    }

    /// <summary>Addresses are taken from the cache unchecked, so that it must be of the model's shape.</summary>
    private static void RequireCache(KvView cache, int sequences, int kvHeads, int headDim)
    {
        if (cache.Sequences.Count != sequences)
        {
            throw new InvalidOperationException($"cache: expected {sequences} sequences, got {cache.Sequences.Count}");
        }

        for (int s = 0; s < sequences; s++)
        {
            KvCache pool = cache.Sequences[s].Cache;
            if ((uint)cache.Layer >= (uint)pool.Layers || (long)pool.KvHeads * pool.HeadDim != (long)kvHeads * headDim)
            {
                throw new InvalidOperationException(
                    $"cache: expected layer {cache.Layer} with keys of {(long)kvHeads * headDim} values, got {pool.Layers} layers with {(long)pool.KvHeads * pool.HeadDim}");
            }
        }
    }

    private static int CountBlocks(KvView? past, AttentionPlan plan)
    {
        int blocks = 0;
        for (int s = 0; s < plan.PastLength.Length; s++)
        {
            int length = plan.PastLength[s];
            if (length > 0 && (past is null || past.Value.Sequences[s].BlockCount * KvCache.BlockSize < length))
            {
                throw new InvalidOperationException($"attention: expected {length} cached tokens of sequence {s}");
            }

            blocks += (length + KvCache.BlockSize - 1) / KvCache.BlockSize;
        }

        return blocks;
    }

    private Span<int> AllocateInts(int count, out int* address)
    {
        address = (int*)_arena.Allocate(new Shape(Math.Max(1, count))).Address;
        return new Span<int>(address, count);
    }
}
