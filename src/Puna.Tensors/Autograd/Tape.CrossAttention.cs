namespace Puna.Tensors.Autograd;

/// <summary>The operations of Llama 3.2 Vision, each with its way back.</summary>
public sealed partial class Tape
{
    /// <inheritdoc/>
    public Tensor TanhGate(Tensor x, Weight gate, bool isComplement = false) => Note(new TanhGateNode(_ops.TanhGate(x, gate, isComplement), x, gate, isComplement));

    /// <inheritdoc/>
    public Tensor AddRows(Tensor x, Tensor y, ReadOnlySpan<int> rows) => Note(new AddRowsNode(_ops.AddRows(x, y, rows), x, y, rows.ToArray()));

    /// <inheritdoc/>
    public Tensor ScaleColumns(Tensor x, Weight scales, ReadOnlySpan<int> rows) => Note(new ScaleColumnsNode(_ops.ScaleColumns(x, scales, rows), x, scales, rows.ToArray()));

    /// <inheritdoc/>
    public Tensor ConcatColumns(Tensor first, ReadOnlySpan<Tensor> others) => Note(new ConcatColumnsNode(_ops.ConcatColumns(first, others), first, others.ToArray()));

    private sealed class TanhGateNode(Tensor y, Tensor x, Weight gate, bool isComplement) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.TanhGateBack(gradient, x, gate, isComplement, dx, add, tape._weights.Find(gate));
        }
    }

    private sealed class AddRowsNode(Tensor sum, Tensor x, Tensor y, int[] rows) : TapeNode(sum)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.AddBack(gradient, dx, add);
            ArenaMark mark = tape._ops.Mark();
            Tensor dy = tape.Gradient(y, out add);
            tape._ops.AddBack(tape._ops.SelectRows(gradient, rows), dy, add);
            tape._ops.Release(mark);
        }
    }

    private sealed class ScaleColumnsNode(Tensor y, Tensor x, Weight scales, int[] rows) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            ArenaMark mark = tape._ops.Mark();
            tape._ops.AddBack(tape._ops.ScaleColumns(gradient, scales, rows), dx, add);
            tape._ops.Release(mark);
        }
    }

    private sealed class ConcatColumnsNode(Tensor y, Tensor first, Tensor[] others) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dFirst = tape.Gradient(first, out bool add);
            tape._ops.ConcatColumnsBack(gradient, 0, 1, dFirst, add);
            for (int i = 0; i < others.Length; i++)
            {
                Tensor dOther = tape.Gradient(others[i], out add);
                tape._ops.ConcatColumnsBack(gradient, (int)first.Columns + i, others.Length, dOther, add);
            }
        }
    }
}
