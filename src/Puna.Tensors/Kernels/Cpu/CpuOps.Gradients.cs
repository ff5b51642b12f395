using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Gemm;
using Puna.Tensors.Kernels.Cpu.Gradients;

namespace Puna.Tensors;

/// <summary>The part that goes backwards.</summary>
public sealed unsafe partial class CpuOps : IGradientOps
{
    /// <inheritdoc/>
    public void MatMulInputBack(Tensor dy, Weight w, Tensor dx, bool add)
    {
        RequireFloat(dy, "matmul gradient");
        RequireFloat(w.Master, w.Name);
        RequireRows(dx, dy.Rows, w.In, "matmul gradient");
        RequireRows(dy, dy.Rows, w.Out, "matmul gradient");
        Multiply((float*)dy.Address, w.Out, 1, (float*)w.Master.Address, w.In, false, (float*)dx.Address, (int)dy.Rows, w.In, w.Out, add);
        GC.KeepAlive(dy.Storage);
        GC.KeepAlive(dx.Storage);
        KeepAlive(w);
    }

    /// <inheritdoc/>
    public void MatMulWeightBack(Tensor dy, Tensor x, Tensor dw)
    {
        RequireFloat(dy, "matmul gradient");
        RequireFloat(x, "matmul gradient");
        RequireRows(x, dy.Rows, dw.Columns, "matmul gradient");
        RequireRows(dw, dy.Columns, x.Columns, "matmul gradient");
        Multiply((float*)dy.Address, 1, (nint)dy.Columns, (float*)x.Address, (nint)x.Columns, false, (float*)dw.Address, (int)dy.Columns, (int)x.Columns, (int)dy.Rows, true);
        GC.KeepAlive(dy.Storage);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(dw.Storage);
    }

    /// <inheritdoc/>
    public void RmsNormBack(Tensor dy, Tensor x, Weight norm, float epsilon, Tensor dx, bool add, Tensor? dNorm)
    {
        RequireFloat(dy, "rms norm gradient");
        RequireSame(dy, x, "rms norm gradient");
        RequireSame(dy, dx, "rms norm gradient");
        ArenaMark mark = _arena.Mark();
        // A norm shorter than a row norms each head on its own.
        int columns = norm.In, rows = NormRows(x, norm, "rms norm gradient");
        float* scales = (float*)_arena.Allocate(new Shape(Math.Max(1, rows))).Address;
        var job = new OnPath<RmsNormBack>
        {
            Path = Path,
            Job = new RmsNormBack
            {
                Dy = (float*)dy.Address, X = (float*)x.Address, W = (float*)norm.Master.Address, Dx = (float*)dx.Address, Scales = scales, Columns = columns, Epsilon = epsilon, Add = add,
            },
        };
        Share(ref job, rows, x.Shape.Count * 3);
        if (dNorm is Tensor dw)
        {
            var heads = new Shape(rows, columns);
            SumColumns(new Tensor(dy.Storage, dy.Offset, heads, DType.F32), new Tensor(x.Storage, x.Offset, heads, DType.F32), scales, dw);
        }

        _arena.Release(mark);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(dx.Storage);
        GC.KeepAlive(dy.Storage);
        KeepAlive(norm);
    }

    /// <inheritdoc/>
    public void SwiGluBack(Tensor dy, Tensor gate, Tensor up, Tensor dGate, bool addGate, Tensor dUp, bool addUp)
    {
        RequireFloat(dy, "swiglu gradient");
        RequireSame(dy, gate, "swiglu gradient");
        RequireSame(dy, up, "swiglu gradient");
        RequireSame(dy, dGate, "swiglu gradient");
        RequireSame(dy, dUp, "swiglu gradient");
        var job = new OnPath<SwiGluBack>
        {
            Path = Path,
            Job = new SwiGluBack
            {
                Dy = (float*)dy.Address, A = (float*)gate.Address, B = (float*)up.Address, Da = (float*)dGate.Address, Db = (float*)dUp.Address, Count = (nint)dy.Shape.Count, AddA = addGate, AddB = addUp,
            },
        };
        Share(ref job, job.Job.Items, dy.Shape.Count * 8);
        GC.KeepAlive(dy.Storage);
        GC.KeepAlive(gate.Storage);
        GC.KeepAlive(up.Storage);
        GC.KeepAlive(dGate.Storage);
        GC.KeepAlive(dUp.Storage);
    }

    /// <inheritdoc/>
    public void RopeBack(Tensor dy, Tensor cos, Tensor sin, RopeLayout layout, Tensor dx, bool add)
    {
        RequireFloat(dy, "rope gradient");
        RequireSame(dy, dx, "rope gradient");
        int headDim = (int)cos.Columns * 2;
        var job = new RotateBack
        {
            Dy = (float*)dy.Address, Dx = (float*)dx.Address, Cos = (float*)cos.Address, Sin = (float*)sin.Address, Heads = (int)dy.Columns / headDim, HeadDim = headDim, Layout = layout, Add = add,
        };
        Share(ref job, (int)dy.Rows, dy.Shape.Count * 4);
        GC.KeepAlive(dy.Storage);
        GC.KeepAlive(dx.Storage);
        GC.KeepAlive(cos.Storage);
        GC.KeepAlive(sin.Storage);
    }

    /// <inheritdoc/>
    public void AttentionBack(Tensor dy, Tensor q, Tensor k, Tensor v, AttentionPlan plan, int headDim, Tensor dq, bool addQ, Tensor dk, bool addK, Tensor dv, bool addV)
    {
        RequireFloat(dy, "attention gradient");
        RequireSame(dy, q, "attention gradient");
        RequireSame(dy, dq, "attention gradient");
        RequireSame(k, v, "attention gradient");
        RequireSame(k, dk, "attention gradient");
        RequireSame(k, dv, "attention gradient");
        int sequences = plan.PastLength.Length, longest = 0;
        for (int s = 0; s < sequences; s++)
        {
            if (plan.PastLength[s] > 0)
            {
                throw new InvalidOperationException($"attention gradient: expected sequences that are whole in the batch, got {plan.PastLength[s]} cached tokens of sequence {s}");
            }

            longest = Math.Max(longest, plan.KeyCount(s));
        }

        if (dy.Rows != plan.KeyEnd.Length || k.Rows != plan.KeyStarts[^1])
        {
            throw new InvalidOperationException($"attention gradient: queries {q.Shape}, keys {k.Shape} and a plan of {plan.KeyEnd.Length} rows and {plan.KeyStarts[^1]} keys do not fit");
        }

        ArenaMark mark = _arena.Mark();
        nint scratch = Kernels.Cpu.Gradients.AttentionBack.ScratchFloats(longest, headDim);
        fixed (int* keyFirst = plan.KeyFirst, keyEnd = plan.KeyEnd, starts = plan.Starts, keyStarts = plan.KeyStarts)
        {
            var job = new OnPath<AttentionBack>
            {
                Path = Path,
                Job = new AttentionBack
                {
                    Q = (float*)q.Address, K = (float*)k.Address, Values = (float*)v.Address, Dy = (float*)dy.Address,
                    Dq = (float*)dq.Address, Dk = (float*)dk.Address, Dv = (float*)dv.Address, AddQ = addQ, AddK = addK, AddV = addV,
                    Heads = (int)(q.Columns / headDim), KvHeads = (int)(k.Columns / headDim), HeadDim = headDim, Scale = 1f / MathF.Sqrt(headDim),
                    KeyFirst = keyFirst, KeyEnd = keyEnd, Starts = starts, KeyStarts = keyStarts,
                    Scratch = (float*)_arena.Allocate(new Shape(_threads.Threads, (long)scratch)).Address, WorkerFloats = scratch,
                },
            };
            Share(ref job, sequences * job.Job.KvHeads, q.Shape.Count * longest);
        }

        _arena.Release(mark);
        GC.KeepAlive(dy.Storage);
        GC.KeepAlive(q.Storage);
        GC.KeepAlive(k.Storage);
        GC.KeepAlive(v.Storage);
        GC.KeepAlive(dq.Storage);
        GC.KeepAlive(dk.Storage);
        GC.KeepAlive(dv.Storage);
    }

    /// <inheritdoc/>
    public void AddBack(Tensor from, Tensor to, bool add)
    {
        RequireFloat(from, "gradient");
        RequireSame(from, to, "gradient");
        if (!add)
        {
            Copy(from, to);
            GC.KeepAlive(from.Storage);
            GC.KeepAlive(to.Storage);
            return;
        }

        var job = new Elementwise<AddOperation>
        {
            Path = Path, A = (float*)to.Address, B = (float*)from.Address, Y = (float*)to.Address, Step = Elementwise<AddOperation>.Chunk, BStep = Elementwise<AddOperation>.Chunk, Count = (nint)to.Shape.Count,
        };
        Share(ref job, job.Items, to.Shape.Count * 4);
        GC.KeepAlive(from.Storage);
        GC.KeepAlive(to.Storage);
    }

    /// <inheritdoc/>
    public void AddBiasBack(Tensor dy, Tensor db)
    {
        RequireFloat(dy, "bias gradient");
        RequireFloat(db, "bias gradient");
        SumColumns(dy, null, null, db);
        GC.KeepAlive(dy.Storage);
    }

    /// <inheritdoc/>
    public void GatherBack(Tensor dy, ReadOnlySpan<int> rows, Tensor table)
    {
        RequireFloat(dy, "gather gradient");
        RequireFloat(table, "gather gradient");
        RequireRows(dy, rows.Length, table.Columns, "gather gradient");
        foreach (int row in rows)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)row, (ulong)table.Rows, nameof(rows));
        }

        fixed (int* list = rows)
        {
            var job = new OnPath<ScatterRows>
            {
                Path = Path, Job = new ScatterRows { Dy = (float*)dy.Address, Table = (float*)table.Address, Rows = list, Count = rows.Length, Columns = (int)table.Columns },
            };
            Share(ref job, job.Job.Items, dy.Shape.Count * 2);
        }

        GC.KeepAlive(dy.Storage);
        GC.KeepAlive(table.Storage);
    }

    /// <inheritdoc/>
    public void Clear(Tensor x)
    {
        RequireFloat(x, "clear");
        System.Runtime.InteropServices.NativeMemory.Clear((void*)x.Address, (nuint)x.ByteLength);
        GC.KeepAlive(x.Storage);
    }

    /// <inheritdoc/>
    public void CrossEntropy(Tensor logits, ReadOnlySpan<int> targets, ReadOnlySpan<float> scales, Span<float> nll)
    {
        RequireFloat(logits, "cross entropy");
        int rows = (int)logits.Rows;
        if (targets.Length != rows || scales.Length != rows || nll.Length != rows)
        {
            throw new InvalidOperationException($"cross entropy {logits.Shape}: expected {rows} targets, scales and results, got {targets.Length}, {scales.Length} and {nll.Length}");
        }

        foreach (int target in targets)
        {
            if ((uint)target >= (uint)logits.Columns)
            {
                throw new PunaException($"target: expected 0 to {logits.Columns - 1}, got {target}");
            }
        }

        fixed (int* ids = targets)
        fixed (float* factors = scales, results = nll)
        {
            var job = new OnPath<CrossEntropyRows>
            {
                Path = Path, Job = new CrossEntropyRows { Z = (float*)logits.Address, Targets = ids, Scales = factors, Nll = results, Columns = (int)logits.Columns },
            };
            Share(ref job, rows, logits.Shape.Count * 8);
        }

        GC.KeepAlive(logits.Storage);
    }

    /// <inheritdoc/>
    public double SquareSum(Tensor x)
    {
        RequireFloat(x, "square sum");
        ArenaMark mark = _arena.Mark();
        var job = new SquareSums { X = (float*)x.Address, Count = (nint)x.Shape.Count };
        job.Sums = (double*)_arena.Allocate(new Shape(Math.Max(1, job.Items) * 2L)).Address;
        Share(ref job, job.Items, x.Shape.Count);
        double sum = 0;
        for (int i = 0; i < job.Items; i++)
        {
            sum += job.Sums[i];
        }

        _arena.Release(mark);
        GC.KeepAlive(x.Storage);
        return sum;
    }

    /// <inheritdoc/>
    public void AdamW(Tensor values, Tensor gradient, Tensor first, Tensor second, in AdamWConstants step)
    {
        RequireFloat(values, "adamw");
        RequireSame(values, gradient, "adamw");
        RequireSame(values, first, "adamw");
        RequireSame(values, second, "adamw");
        var job = new OnPath<AdamWStep>
        {
            Path = Path,
            Job = new AdamWStep
            {
                W = (float*)values.Address, G = (float*)gradient.Address, M = (float*)first.Address, U = (float*)second.Address, Count = (nint)values.Shape.Count,
                Scale = step.Scale, Beta1 = step.Beta1, Beta2 = step.Beta2, Epsilon = step.Epsilon,
                Keep = (float)(1 - ((double)step.Rate * step.Decay)),
                Rate = (float)(step.Rate / (1 - Math.Pow(step.Beta1, step.Step))),
                Root = (float)(1 / Math.Sqrt(1 - Math.Pow(step.Beta2, step.Step))),
            },
        };
        Share(ref job, job.Job.Items, values.Shape.Count * 8);
        GC.KeepAlive(values.Storage);
        GC.KeepAlive(gradient.Storage);
        GC.KeepAlive(first.Storage);
        GC.KeepAlive(second.Storage);
    }

    private static void RequireRows(Tensor x, long rows, long columns, string what)
    {
        RequireFloat(x, what);
        if (x.Rows != rows || x.Columns != columns)
        {
            throw new InvalidOperationException($"{what}: expected [{rows}, {columns}], got {x.Shape}");
        }
    }

    private void SumColumns(Tensor dy, Tensor? x, float* scales, Tensor dw)
    {
        if (dw.Shape.Count != dy.Columns)
        {
            throw new InvalidOperationException($"gradient {dw.Shape}: expected {dy.Columns} values");
        }

        var job = new OnPath<ColumnSums>
        {
            Path = Path,
            Job = new ColumnSums { Dy = (float*)dy.Address, X = x is Tensor input ? (float*)input.Address : null, Scales = scales, Dw = (float*)dw.Address, Rows = (int)dy.Rows, Columns = (int)dy.Columns },
        };
        Share(ref job, job.Job.Items, dy.Shape.Count * 2);
        GC.KeepAlive(dw.Storage);
    }

    /// <summary>C (+)= A B: packs B, then multiplies block by block.</summary>
    private void Multiply(float* a, nint row, nint step, float* b, nint bRow, bool isTransposed, float* c, int rows, int columns, int inner, bool add)
    {
        if (rows == 0 || columns == 0)
        {
            return;
        }

        ArenaMark mark = _arena.Mark();
        var pack = new PackColumns { B = b, Row = bRow, IsTransposed = isTransposed, Inner = inner, Columns = columns };
        pack.To = (float*)_arena.Allocate(new Shape(Math.Max(1, PackColumns.Floats(inner, columns)))).Address;
        Share(ref pack, pack.Items, (long)inner * columns);
        var job = new OnPath<GemmBlocks>
        {
            Path = Path, Job = new GemmBlocks { A = a, ARow = row, AStep = step, B = pack.To, C = c, Rows = rows, Columns = columns, Inner = inner, Add = add },
        };
        job.Job.Cut(_threads.Threads);
        if (row == 1 && step != 1)
        {
            job.Job.Scratch = (float*)_arena.Allocate(new Shape(_threads.Threads, (long)GemmBlocks.ScratchFloats)).Address;
        }

        Share(ref job, job.Job.Items, (long)rows * columns * inner);
        _arena.Release(mark);
    }
}
