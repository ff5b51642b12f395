using Puna.Tensors.Kernels.Cpu;

namespace Puna.Tensors;

/// <summary>The part that adapters of some rows need beside the others' operations.</summary>
public sealed unsafe partial class CpuOps
{
    /// <inheritdoc/>
    public Tensor ScaleColumns(Tensor x, Weight scales, ReadOnlySpan<int> rows)
    {
        RequireFloat(x, "scale columns");
        RequireFloat(scales.Master, scales.Name);
        if (scales.Shape.Count != x.Columns)
        {
            throw new InvalidOperationException($"scale columns: expected {x.Columns} factors, got {scales}");
        }

        foreach (int row in rows)
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)row, (uint)x.Rows, nameof(rows));
        }

        Tensor y = _arena.Allocate(x.Shape);
        Copy(x, y);
        fixed (int* first = rows)
        {
            var job = new OnPath<ScaleColumns> { Path = Path, Job = new ScaleColumns { Y = (float*)y.Address, Scales = (float*)scales.Master.Address, Rows = first, Columns = (int)x.Columns } };
            Share(ref job, rows.Length, rows.Length * x.Columns);
        }

        GC.KeepAlive(x.Storage);
        GC.KeepAlive(y.Storage);
        KeepAlive(scales);
        return y;
    }
}
