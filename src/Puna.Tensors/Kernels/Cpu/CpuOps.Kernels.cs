using System.Runtime.CompilerServices;
using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Quantization;

namespace Puna.Tensors;

/// <summary>The part that hands addresses to kernels.</summary>
public sealed unsafe partial class CpuOps
{
    // Below this many multiply-adds another thread costs more than it saves.
    private const long WorthSharing = 1 << 15;

    /// <inheritdoc/>
    public Tensor Gather(Weight table, ReadOnlySpan<int> rows)
    {
        Tensor source = table.Master;
        RequireDecodable(table);
        Tensor y = _arena.Allocate(new Shape(rows.Length, source.Columns));
        for (int i = 0; i < rows.Length; i++)
        {
            if ((uint)rows[i] >= (uint)source.Rows)
            {
                throw new PunaException($"token id: expected 0 to {source.Rows - 1}, got {rows[i]}");
            }

            DequantizeKernels.DequantizeRow(source.DType, Path, (byte*)source.Address + (rows[i] * source.RowStride), (float*)y.Address + (i * source.Columns), (int)source.Columns);
        }

        GC.KeepAlive(source.Storage);
        return y;
    }

    /// <inheritdoc/>
    public Tensor SelectRows(Tensor x, ReadOnlySpan<int> rows)
    {
        RequireFloat(x, "select rows");
        Tensor y = _arena.Allocate(new Shape(rows.Length, x.Columns));
        for (int i = 0; i < rows.Length; i++)
        {
            x.Row<float>(rows[i]).CopyTo(y.Row<float>(i));
        }

        return y;
    }

    /// <inheritdoc/>
    public void NormMatMul(Tensor x, Weight norm, float epsilon, ReadOnlySpan<Weight> w, Span<Tensor> y) => MatMul(RmsNorm(x, norm, epsilon), w, y);

    /// <inheritdoc/>
    public void MatMul(Tensor x, ReadOnlySpan<Weight> w, Span<Tensor> y)
    {
        RequireFloat(x, "matmul");
        int tokens = checked((int)x.Rows);
        for (int i = 0; i < w.Length; i++)
        {
            if (w[i].In != x.Columns)
            {
                throw new InvalidOperationException($"matmul {w[i]}: expected input [{tokens}, {w[i].In}], got {x.Shape}");
            }

            RequireDecodable(w[i]);
            y[i] = _arena.Allocate(new Shape(tokens, w[i].Out));
        }

        if (tokens == 0)
        {
            return;
        }

        ArenaMark mark = _arena.Mark();
        int k = (int)(x.Columns + 15) / 16 * 16;
        Tensor input = k == x.Columns ? x : Pad(x, k);
        Tensor scratch = _arena.Allocate(new Shape(_threads.Threads, (long)Kernels.Cpu.MatMul.ScratchFloats(k)));
        for (int i = 0; i < w.Length; i++)
        {
            Tensor m = w[i].Master;
            var job = new Kernels.Cpu.MatMul
            {
                Path = Path,
                DType = m.DType,
                W = (byte*)m.Address,
                WStride = m.RowStride,
                Out = w[i].Out,
                In = w[i].In,
                K = k,
                X = (float*)input.Address,
                XStride = k,
                Tokens = tokens,
                Y = (float*)y[i].Address,
                YStride = w[i].Out,
                Scratch = (float*)scratch.Address,
            };
            Share(ref job, job.Items, (long)w[i].Out * k * tokens);
            GC.KeepAlive(m.Storage);
        }

        GC.KeepAlive(x.Storage);
        _arena.Release(mark);
    }

    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Weight norm, float epsilon)
    {
        RequireFloat(x, "rms norm");
        RequireFloat(norm.Master, norm.Name);
        if (norm.Master.Shape.Count != x.Columns)
        {
            throw new InvalidOperationException($"rms norm {norm}: expected {x.Columns} values");
        }

        Tensor y = _arena.Allocate(x.Shape);
        var job = new Kernels.Cpu.RmsNorm { Path = Path, X = (float*)x.Address, W = (float*)norm.Master.Address, Y = (float*)y.Address, Columns = (int)x.Columns, Epsilon = epsilon };
        Share(ref job, (int)x.Rows, x.Shape.Count);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(norm.Master.Storage);
        return y;
    }

    /// <inheritdoc/>
    public Tensor Add(Tensor a, Tensor b) => Apply<AddOperation>(a, b, "add");

    /// <inheritdoc/>
    public Tensor SwiGlu(Tensor gate, Tensor up) => Apply<SwiGluOperation>(gate, up, "swiglu");

    /// <inheritdoc/>
    public Tensor AddBias(Tensor x, Weight bias)
    {
        RequireFloat(x, "add bias");
        RequireFloat(bias.Master, bias.Name);
        if (bias.Master.Shape.Count != x.Columns)
        {
            throw new InvalidOperationException($"bias {bias}: expected {x.Columns} values");
        }

        Tensor y = _arena.Allocate(x.Shape);
        var job = new Elementwise<AddOperation>
        {
            Path = Path, A = (float*)x.Address, B = (float*)bias.Master.Address, Y = (float*)y.Address, Step = (int)x.Columns, BStep = 0, Count = (nint)x.Shape.Count,
        };
        Share(ref job, job.Items, x.Shape.Count);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(bias.Master.Storage);
        return y;
    }

    /// <inheritdoc/>
    public Tensor Rope(Tensor x, Tensor cos, Tensor sin, RopeLayout layout)
    {
        RequireFloat(x, "rope");
        RequireSame(cos, sin, "rope");
        int headDim = checked((int)cos.Columns * 2);
        if (cos.Rows != x.Rows || x.Columns % headDim != 0)
        {
            throw new InvalidOperationException($"rope {x.Shape}: expected {x.Rows} rows of angles that divide {x.Columns}, got {cos.Shape}");
        }

        Tensor y = _arena.Allocate(x.Shape);
        var job = new Rotate
        {
            X = (float*)x.Address, Y = (float*)y.Address, Cos = (float*)cos.Address, Sin = (float*)sin.Address,
            Heads = (int)x.Columns / headDim, HeadDim = headDim, Layout = layout,
        };
        Share(ref job, (int)x.Rows, x.Shape.Count * 4);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(cos.Storage);
        GC.KeepAlive(sin.Storage);
        return y;
    }

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

    /// <inheritdoc/>
    public void Read(Tensor x, Span<float> host)
    {
        RequireFloat(x, "read");
        new ReadOnlySpan<float>((float*)x.Address, checked((int)x.Shape.Count)).CopyTo(host);
        GC.KeepAlive(x.Storage);
    }

    private static void RequireDecodable(Weight weight)
    {
        if (!Quantization.Dequantizer.Supports(weight.Master.DType))
        {
            throw new PunaException($"tensor {weight.Name}: expected floats or quantised blocks, got {weight.Master.DType.Name()}");
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

    private static void Copy(Tensor from, Tensor to) =>
        Buffer.MemoryCopy((void*)from.Address, (void*)to.Address, to.ByteLength, from.ByteLength);

    private Span<int> AllocateInts(int count, out int* address)
    {
        address = (int*)_arena.Allocate(new Shape(Math.Max(1, count))).Address;
        return new Span<int>(address, count);
    }

    private Tensor Pad(Tensor x, int k)
    {
        Tensor padded = _arena.Allocate(new Shape(x.Rows, k));
        for (int i = 0; i < x.Rows; i++)
        {
            Span<float> row = padded.Row<float>(i);
            x.Row<float>(i).CopyTo(row);
            row[(int)x.Columns..].Clear();
        }

        return padded;
    }

    private Tensor Apply<TOperation>(Tensor a, Tensor b, string what)
        where TOperation : unmanaged, IBinaryOperation
    {
        RequireFloat(a, what);
        RequireFloat(b, what);
        RequireSame(a, b, what);
        Tensor y = _arena.Allocate(a.Shape);
        var job = new Elementwise<TOperation>
        {
            Path = Path,
            A = (float*)a.Address,
            B = (float*)b.Address,
            Y = (float*)y.Address,
            Step = Elementwise<TOperation>.Chunk,
            BStep = Elementwise<TOperation>.Chunk,
            Count = (nint)a.Shape.Count,
        };
        Share(ref job, job.Items, a.Shape.Count * 4);
        GC.KeepAlive(a.Storage);
        GC.KeepAlive(b.Storage);
        return y;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Share<TJob>(ref TJob job, int items, long work)
        where TJob : unmanaged, Kernels.IKernelJob
    {
        if (work < WorthSharing)
        {
            for (int i = 0; i < items; i++)
            {
                job.Execute(i, 0);
            }
        }
        else
        {
            _threads.Run(ref job, items);
        }
    }
}
