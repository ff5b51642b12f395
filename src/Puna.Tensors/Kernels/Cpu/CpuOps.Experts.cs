using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Gradients;

namespace Puna.Tensors;

/// <summary>The part that Llama 4 needs: experts, temperature, norms of heads; both ways.</summary>
public sealed unsafe partial class CpuOps
{
    /// <inheritdoc/>
    public Tensor HeadNorm(Tensor x, int headDim, float epsilon)
    {
        RequireHeads(x, headDim, "head norm");
        Tensor y = _arena.Allocate(x.Shape);
        ArenaMark mark = _arena.Mark();
        var job = new Kernels.Cpu.RmsNorm { Path = Path, X = (float*)x.Address, W = Ones(headDim), Y = (float*)y.Address, Columns = headDim, Epsilon = epsilon };
        Share(ref job, checked((int)(x.Shape.Count / headDim)), x.Shape.Count);
        _arena.Release(mark);
        GC.KeepAlive(x.Storage);
        return y;
    }

    /// <inheritdoc/>
    public void HeadNormBack(Tensor dy, Tensor x, int headDim, float epsilon, Tensor dx, bool add)
    {
        RequireHeads(dy, headDim, "head norm gradient");
        RequireSame(dy, x, "head norm gradient");
        RequireSame(dy, dx, "head norm gradient");
        int rows = checked((int)(x.Shape.Count / headDim));
        ArenaMark mark = _arena.Mark();
        var job = new OnPath<RmsNormBack>
        {
            Path = Path,
            Job = new RmsNormBack
            {
                Dy = (float*)dy.Address, X = (float*)x.Address, W = Ones(headDim), Dx = (float*)dx.Address, Columns = headDim, Epsilon = epsilon, Add = add,
                Scales = (float*)_arena.Allocate(new Shape(Math.Max(1, rows))).Address,
            },
        };
        Share(ref job, rows, x.Shape.Count * 3);
        _arena.Release(mark);
        GC.KeepAlive(dy.Storage);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(dx.Storage);
    }

    /// <inheritdoc/>
    public Tensor ScaleRows(Tensor x, Tensor scales)
    {
        RequireFloat(x, "scale rows");
        RequireRows(scales, x.Rows, 1, "scale rows");
        Tensor y = _arena.Allocate(x.Shape);
        Scale(x, scales, y, false);
        return y;
    }

    /// <inheritdoc/>
    public void ScaleRowsBack(Tensor dy, Tensor x, Tensor scales, Tensor dx, bool addX, Tensor dScales, bool addScales)
    {
        RequireFloat(dy, "scale rows gradient");
        RequireSame(dy, x, "scale rows gradient");
        RequireSame(dy, dx, "scale rows gradient");
        RequireRows(scales, x.Rows, 1, "scale rows gradient");
        RequireRows(dScales, x.Rows, 1, "scale rows gradient");
        Scale(dy, scales, dx, addX);
        var job = new OnPath<RowDots>
        {
            Path = Path, Job = new RowDots { A = (float*)dy.Address, B = (float*)x.Address, Y = (float*)dScales.Address, Columns = (int)x.Columns, Add = addScales },
        };
        Share(ref job, (int)x.Rows, x.Shape.Count);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(dScales.Storage);
    }

    /// <inheritdoc/>
    public Tensor GateScores(Tensor logits, ReadOnlySpan<int> rows, int expert)
    {
        RequireFloat(logits, "gate scores");
        RequireExpert(logits, rows, expert);
        Tensor y = _arena.Allocate(new Shape(rows.Length, 1));
        float* z = (float*)logits.Address;
        float* scores = (float*)y.Address;
        for (int i = 0; i < rows.Length; i++)
        {
            scores[i] = 1f / (1f + VectorMath.Exp<Simd1, float>(-z[((nint)rows[i] * logits.Columns) + expert]));
        }

        GC.KeepAlive(logits.Storage);
        return y;
    }

    /// <inheritdoc/>
    public void GateScoresBack(Tensor dy, Tensor scores, ReadOnlySpan<int> rows, int expert, Tensor dLogits)
    {
        RequireRows(dy, rows.Length, 1, "gate scores gradient");
        RequireSame(dy, scores, "gate scores gradient");
        RequireFloat(dLogits, "gate scores gradient");
        RequireExpert(dLogits, rows, expert);
        float* d = (float*)dy.Address;
        float* s = (float*)scores.Address;
        float* z = (float*)dLogits.Address;
        for (int i = 0; i < rows.Length; i++)
        {
            z[((nint)rows[i] * dLogits.Columns) + expert] += d[i] * s[i] * (1f - s[i]);
        }

        GC.KeepAlive(dy.Storage);
        GC.KeepAlive(scores.Storage);
        GC.KeepAlive(dLogits.Storage);
    }

    /// <inheritdoc/>
    public Tensor AddExperts(Tensor shared, ExpertRouting routing)
    {
        RequireFloat(shared, "experts");
        if (shared.Rows != routing.Tokens)
        {
            throw new InvalidOperationException($"experts: expected {routing.Tokens} rows, got {shared.Shape}");
        }

        Tensor y = _arena.Allocate(shared.Shape);
        Copy(shared, y);
        for (int e = 0; e < routing.Experts; e++)
        {
            // Expert after expert: a row's sum is in the order of its experts, whoever its neighbours are.
            ReadOnlySpan<int> rows = routing.Rows(e);
            if (!rows.IsEmpty)
            {
                GatherBack(routing.Outputs[e], rows, y);
            }
        }

        GC.KeepAlive(shared.Storage);
        return y;
    }

    private static void RequireHeads(Tensor x, int headDim, string what)
    {
        RequireFloat(x, what);
        if (headDim <= 0 || x.Columns % headDim != 0)
        {
            throw new InvalidOperationException($"{what} {x.Shape}: expected heads of {headDim} values");
        }
    }

    private static void RequireExpert(Tensor logits, ReadOnlySpan<int> rows, int expert)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)expert, (ulong)logits.Columns, nameof(expert));
        foreach (int row in rows)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((ulong)row, (ulong)logits.Rows, nameof(rows));
        }
    }

    private float* Ones(int count)
    {
        float* ones = (float*)_arena.Allocate(new Shape(count)).Address;
        new Span<float>(ones, count).Fill(1);
        return ones;
    }

    private void Scale(Tensor x, Tensor scales, Tensor y, bool add)
    {
        var job = new OnPath<ScaleRows>
        {
            Path = Path, Job = new ScaleRows { X = (float*)x.Address, Y = (float*)y.Address, Scales = (float*)scales.Address, Columns = (int)x.Columns, Add = add },
        };
        Share(ref job, (int)x.Rows, x.Shape.Count);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(scales.Storage);
        GC.KeepAlive(y.Storage);
    }
}
