using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Gradients;

namespace Puna.Tensors;

/// <summary>The part that Llama 3.2 Vision needs beside the others' operations: gates, rows of some tokens, columns side by side; both ways.</summary>
public sealed unsafe partial class CpuOps
{
    /// <inheritdoc/>
    public Tensor TanhGate(Tensor x, Weight gate, bool isComplement = false)
    {
        RequireFloat(x, "gate");
        Tensor y = _arena.Allocate(x.Shape);
        Scale(x, Factor(gate, isComplement, out _), y, false);
        return y;
    }

    /// <inheritdoc/>
    public void TanhGateBack(Tensor dy, Tensor x, Weight gate, bool isComplement, Tensor dx, bool add, Tensor? dGate)
    {
        RequireFloat(dy, "gate gradient");
        RequireSame(dy, x, "gate gradient");
        RequireSame(dy, dx, "gate gradient");
        Scale(dy, Factor(gate, isComplement, out double slope), dx, add);
        if (dGate is not Tensor dg || x.Rows == 0)
        {
            return;
        }

        RequireRows(dg, 1, 1, "gate gradient");
        ArenaMark mark = _arena.Mark();
        float* sums = (float*)_arena.Allocate(new Shape(x.Rows)).Address;
        var job = new OnPath<RowDots> { Path = Path, Job = new RowDots { A = (float*)dy.Address, B = (float*)x.Address, Y = sums, Columns = (int)x.Columns } };
        Share(ref job, (int)x.Rows, x.Shape.Count);
        double sum = 0;
        for (long row = 0; row < x.Rows; row++)
        {
            sum += sums[row];
        }

        *(float*)dg.Address += (float)(slope * sum);
        _arena.Release(mark);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(dg.Storage);
    }

    /// <inheritdoc/>
    public Tensor AddRows(Tensor x, Tensor y, ReadOnlySpan<int> rows)
    {
        RequireFloat(x, "add rows");
        RequireRows(y, rows.Length, x.Columns, "add rows");
        Tensor sum = _arena.Allocate(x.Shape);
        Copy(x, sum);
        GatherBack(y, rows, sum);
        GC.KeepAlive(x.Storage);
        return sum;
    }

    /// <inheritdoc/>
    public Tensor ConcatColumns(Tensor first, ReadOnlySpan<Tensor> others)
    {
        RequireFloat(first, "concatenation");
        long width = others.IsEmpty ? 0 : others[0].Columns;
        Tensor y = _arena.Allocate(new Shape(first.Rows, checked(first.Columns + (width * others.Length))));
        MoveColumns(first, y, 0, 1, false, false);
        for (int i = 0; i < others.Length; i++)
        {
            RequireRows(others[i], first.Rows, width, "concatenation");
            MoveColumns(others[i], y, (int)first.Columns + i, others.Length, false, false);
        }

        return y;
    }

    /// <inheritdoc/>
    public void ConcatColumnsBack(Tensor dy, int first, int step, Tensor dx, bool add)
    {
        RequireFloat(dy, "concatenation gradient");
        RequireFloat(dx, "concatenation gradient");
        if (dy.Rows != dx.Rows || first < 0 || step < 1 || first + (step * (dx.Columns - 1)) >= dy.Columns)
        {
            throw new InvalidOperationException($"concatenation gradient: expected columns {first} + {step} j of {dy.Shape} for {dx.Shape}");
        }

        MoveColumns(dx, dy, first, step, true, add);
    }

    private void MoveColumns(Tensor narrow, Tensor wide, int first, int step, bool isBack, bool add)
    {
        var job = new StridedColumns
        {
            Narrow = (float*)narrow.Address, Wide = (float*)wide.Address + first, Columns = (int)narrow.Columns, Step = step, WideRow = (nint)wide.Columns, IsBack = isBack, Add = add,
        };
        Share(ref job, (int)narrow.Rows, narrow.Shape.Count);
        GC.KeepAlive(narrow.Storage);
        GC.KeepAlive(wide.Storage);
    }

    private void Scale(Tensor x, float factor, Tensor y, bool add)
    {
        var job = new OnPath<ScaleAll> { Path = Path, Job = new ScaleAll { X = (float*)x.Address, Y = (float*)y.Address, Factor = factor, Count = (nint)x.Shape.Count, Add = add } };
        Share(ref job, job.Job.Items, x.Shape.Count);
        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
    }

    /// <summary>The factor, and its slope by the gate.</summary>
    private static float Factor(Weight gate, bool isComplement, out double slope)
    {
        RequireFloat(gate.Master, gate.Name);
        if (gate.Shape.Count != 1)
        {
            throw new InvalidOperationException($"gate {gate}: expected one value");
        }

        double tanh = Math.Tanh(*(float*)gate.Master.Address);
        KeepAlive(gate);
        slope = isComplement ? (tanh * tanh) - 1 : 1 - (tanh * tanh);
        return (float)(isComplement ? 1 - tanh : tanh);
    }
}
