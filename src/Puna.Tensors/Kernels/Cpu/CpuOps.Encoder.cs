using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Gradients;

namespace Puna.Tensors;

/// <summary>The part that encoders need: norms with a mean, GELU, attention to every token.</summary>
public sealed unsafe partial class CpuOps
{
    /// <inheritdoc/>
    public Tensor LayerNorm(Tensor x, Weight norm, Weight bias, float epsilon)
    {
        RequireNorm(x, norm, bias, "layer norm");
        Tensor y = _arena.Allocate(x.Shape);
        var job = new OnPath<LayerNorm>
        {
            Path = Path,
            Job = new LayerNorm { X = (float*)x.Address, W = (float*)norm.Master.Address, B = (float*)bias.Master.Address, Y = (float*)y.Address, Columns = (int)x.Columns, Epsilon = epsilon },
        };
        Share(ref job, (int)x.Rows, x.Shape.Count * 3);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(norm.Master.Storage);
        GC.KeepAlive(bias.Master.Storage);
        return y;
    }

    /// <inheritdoc/>
    public Tensor Gelu(Tensor x)
    {
        RequireFloat(x, "gelu");
        Tensor y = _arena.Allocate(x.Shape);
        var job = new OnPath<Gelu> { Path = Path, Job = new Gelu { X = (float*)x.Address, Y = (float*)y.Address, Count = (nint)x.Shape.Count } };
        Share(ref job, job.Job.Items, x.Shape.Count * 16);
        GC.KeepAlive(x.Storage);
        return y;
    }

    /// <inheritdoc/>
    public Tensor DisentangledAttention(Tensor q, Tensor k, Tensor v, Tensor relativeQ, Tensor relativeK, ReadOnlySpan<int> starts, ReadOnlySpan<int> distanceRows, int headDim)
    {
        RequireFloat(q, "disentangled attention");
        RequireFloat(k, "disentangled attention");
        RequireFloat(v, "disentangled attention");
        RequireFloat(relativeQ, "disentangled attention");
        RequireFloat(relativeK, "disentangled attention");
        RequireSame(q, k, "disentangled attention");
        RequireSame(q, v, "disentangled attention");
        RequireSame(relativeQ, relativeK, "disentangled attention");
        int longest = RequireDistances(q, relativeQ, starts, distanceRows, headDim);
        Tensor y = _arena.Allocate(q.Shape);
        if (longest == 0)
        {
            return y;
        }

        int farthest = distanceRows.Length / 2, heads = (int)q.Columns / headDim;
        int rows = distanceRows[farthest + longest - 1] - distanceRows[farthest - longest + 1] + 1;
        ArenaMark mark = _arena.Mark();
        nint scratch = Kernels.Cpu.DisentangledAttention.ScratchFloats(longest, rows, headDim);
        fixed (int* firsts = starts, rowOf = distanceRows)
        {
            var job = new OnPath<DisentangledAttention>
            {
                Path = Path,
                Job = new DisentangledAttention
                {
                    Q = (float*)q.Address, K = (float*)k.Address, Values = (float*)v.Address, Y = (float*)y.Address, RelativeQ = (float*)relativeQ.Address, RelativeK = (float*)relativeK.Address,
                    Starts = firsts, DistanceRows = rowOf, Farthest = farthest, Heads = heads, HeadDim = headDim, Scale = 1f / MathF.Sqrt(3f * headDim),
                    Scratch = (float*)_arena.Allocate(new Shape(_threads.Threads, (long)scratch)).Address, WorkerFloats = scratch,
                },
            };
            Share(ref job, (starts.Length - 1) * heads, q.Shape.Count * (longest + rows));
        }

        _arena.Release(mark);
        GC.KeepAlive(q.Storage);
        GC.KeepAlive(k.Storage);
        GC.KeepAlive(v.Storage);
        GC.KeepAlive(relativeQ.Storage);
        GC.KeepAlive(relativeK.Storage);
        return y;
    }

    /// <inheritdoc/>
    public void LayerNormBack(Tensor dy, Tensor x, Weight norm, float epsilon, Tensor dx, bool add, Tensor? dNorm, Tensor? dBias)
    {
        RequireFloat(dy, "layer norm gradient");
        RequireSame(dy, x, "layer norm gradient");
        RequireSame(dy, dx, "layer norm gradient");
        ArenaMark mark = _arena.Mark();
        Tensor normed = _arena.Allocate(x.Shape);
        var job = new OnPath<LayerNormBack>
        {
            Path = Path,
            Job = new LayerNormBack
            {
                Dy = (float*)dy.Address, X = (float*)x.Address, W = (float*)norm.Master.Address, Dx = (float*)dx.Address, Normed = (float*)normed.Address, Columns = (int)x.Columns, Epsilon = epsilon, Add = add,
            },
        };
        Share(ref job, (int)x.Rows, x.Shape.Count * 4);
        if (dNorm is Tensor dw)
        {
            float* ones = (float*)_arena.Allocate(new Shape(Math.Max(1, x.Rows))).Address;
            new Span<float>(ones, (int)x.Rows).Fill(1f);
            SumColumns(dy, normed, ones, dw);
        }

        if (dBias is Tensor db)
        {
            SumColumns(dy, null, null, db);
        }

        _arena.Release(mark);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(dx.Storage);
        GC.KeepAlive(dy.Storage);
        KeepAlive(norm);
    }

    /// <inheritdoc/>
    public void GeluBack(Tensor dy, Tensor x, Tensor dx, bool add)
    {
        RequireFloat(dy, "gelu gradient");
        RequireSame(dy, x, "gelu gradient");
        RequireSame(dy, dx, "gelu gradient");
        var job = new OnPath<GeluBack>
        {
            Path = Path, Job = new GeluBack { Dy = (float*)dy.Address, X = (float*)x.Address, Dx = (float*)dx.Address, Count = (nint)x.Shape.Count, Add = add },
        };
        Share(ref job, job.Job.Items, x.Shape.Count * 16);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(dx.Storage);
        GC.KeepAlive(dy.Storage);
    }

    /// <inheritdoc/>
    public void DisentangledAttentionBack(
        Tensor dy, Tensor q, Tensor k, Tensor v, Tensor relativeQ, Tensor relativeK, ReadOnlySpan<int> starts, ReadOnlySpan<int> distanceRows, int headDim,
        Tensor dq, bool addQ, Tensor dk, bool addK, Tensor dv, bool addV, Tensor dRelativeQ, bool addRelativeQ, Tensor dRelativeK, bool addRelativeK)
    {
        foreach (Tensor x in (ReadOnlySpan<Tensor>)[dy, q, k, v, dq, dk, dv])
        {
            RequireFloat(x, "disentangled attention gradient");
            RequireSame(dy, x, "disentangled attention gradient");
        }

        foreach (Tensor x in (ReadOnlySpan<Tensor>)[relativeQ, relativeK, dRelativeQ, dRelativeK])
        {
            RequireFloat(x, "disentangled attention gradient");
            RequireSame(relativeQ, x, "disentangled attention gradient");
        }

        int longest = RequireDistances(q, relativeQ, starts, distanceRows, headDim);
        if (longest == 0)
        {
            // No token: nothing meets the table.
            AddNothing(dRelativeQ, addRelativeQ);
            AddNothing(dRelativeK, addRelativeK);
            return;
        }

        int farthest = distanceRows.Length / 2, heads = (int)q.Columns / headDim;
        int rows = distanceRows[farthest + longest - 1] - distanceRows[farthest - longest + 1] + 1;
        ArenaMark mark = _arena.Mark();
        nint scratch = Kernels.Cpu.Gradients.DisentangledAttentionBack.ScratchFloats(longest, rows, headDim);
        fixed (int* firsts = starts, rowOf = distanceRows)
        {
            var job = new OnPath<DisentangledAttentionBack>
            {
                Path = Path,
                Job = new DisentangledAttentionBack
                {
                    Q = (float*)q.Address, K = (float*)k.Address, Values = (float*)v.Address, Dy = (float*)dy.Address, RelativeQ = (float*)relativeQ.Address, RelativeK = (float*)relativeK.Address,
                    Dq = (float*)dq.Address, Dk = (float*)dk.Address, Dv = (float*)dv.Address, DrelativeQ = (float*)dRelativeQ.Address, DrelativeK = (float*)dRelativeK.Address,
                    AddQ = addQ, AddK = addK, AddV = addV, AddRelativeQ = addRelativeQ, AddRelativeK = addRelativeK,
                    Starts = firsts, Sequences = starts.Length - 1, Longest = longest, DistanceRows = rowOf, Farthest = farthest, TableRows = (int)relativeQ.Rows,
                    Heads = heads, HeadDim = headDim, Scale = 1f / MathF.Sqrt(3f * headDim),
                    Scratch = (float*)_arena.Allocate(new Shape(_threads.Threads, (long)scratch)).Address, WorkerFloats = scratch,
                },
            };
            Share(ref job, heads, q.Shape.Count * (longest + rows) * 4);
        }

        _arena.Release(mark);
        foreach (Tensor x in (ReadOnlySpan<Tensor>)[dy, q, k, v, relativeQ, relativeK, dq, dk, dv, dRelativeQ, dRelativeK])
        {
            GC.KeepAlive(x.Storage);
        }
    }

    private void AddNothing(Tensor x, bool add)
    {
        if (!add)
        {
            Clear(x);
        }
    }

    private static void RequireNorm(Tensor x, Weight norm, Weight bias, string what)
    {
        RequireFloat(x, what);
        RequireFloat(norm.Master, norm.Name);
        RequireFloat(bias.Master, bias.Name);
        if (norm.Master.Shape.Count != x.Columns || bias.Master.Shape.Count != x.Columns)
        {
            throw new InvalidOperationException($"{what} {norm} {bias}: expected {x.Columns} values");
        }
    }

    /// <summary>The kernel reads wherever these numbers say: every one is checked.</summary>
    /// <returns>Tokens of the longest sequence.</returns>
    private static int RequireDistances(Tensor q, Tensor table, ReadOnlySpan<int> starts, ReadOnlySpan<int> distanceRows, int headDim)
    {
        int longest = 0;
        for (int s = 1; s < starts.Length; s++)
        {
            longest = Math.Max(longest, starts[s] - starts[s - 1]);
            if (starts[s] <= starts[s - 1])
            {
                throw new InvalidOperationException($"disentangled attention: expected starts that rise, got {starts[s]} behind {starts[s - 1]}");
            }
        }

        if (headDim < 1 || q.Columns % headDim != 0 || q.Columns != table.Columns || starts.IsEmpty || starts[0] != 0 || starts[^1] != q.Rows)
        {
            throw new InvalidOperationException($"disentangled attention {q.Shape}: expected whole heads of {headDim} and sequences of all rows, got a table {table.Shape}");
        }

        for (int i = 0; i < distanceRows.Length; i++)
        {
            if ((uint)distanceRows[i] >= (ulong)table.Rows || (i > 0 && distanceRows[i] < distanceRows[i - 1]))
            {
                throw new InvalidOperationException($"disentangled attention: expected rows of {table.Rows} that do not fall, got {distanceRows[i]} for distance {i - (distanceRows.Length / 2)}");
            }
        }

        return distanceRows.Length % 2 == 1 && distanceRows.Length / 2 >= longest - 1
            ? longest
            : throw new InvalidOperationException($"disentangled attention: expected distances up to {longest - 1}, got {distanceRows.Length} of them");
    }
}
