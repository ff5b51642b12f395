namespace Puna.Tensors.Autograd;

/// <summary>The operations of Llama 4, each with its way back.</summary>
public sealed partial class Tape
{
    /// <inheritdoc/>
    public Tensor HeadNorm(Tensor x, int headDim, float epsilon) => Note(new HeadNormNode(_ops.HeadNorm(x, headDim, epsilon), x, headDim, epsilon));

    /// <inheritdoc/>
    public Tensor ScaleRows(Tensor x, Tensor scales) => Note(new ScaleRowsNode(_ops.ScaleRows(x, scales), x, scales));

    /// <inheritdoc/>
    public Tensor GateScores(Tensor logits, ReadOnlySpan<int> rows, int expert) => Note(new GateScoresNode(_ops.GateScores(logits, rows, expert), logits, rows.ToArray(), expert));

    /// <inheritdoc/>
    public Tensor AddExperts(Tensor shared, ExpertRouting routing)
    {
        var parts = new List<(Tensor Output, int[] Rows)>();
        for (int e = 0; e < routing.Experts; e++)
        {
            if (!routing.Rows(e).IsEmpty)
            {
                parts.Add((routing.Outputs[e], routing.Rows(e).ToArray()));
            }
        }

        return Note(new AddExpertsNode(_ops.AddExperts(shared, routing), shared, parts));
    }

    private sealed class HeadNormNode(Tensor y, Tensor x, int headDim, float epsilon) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.HeadNormBack(gradient, x, headDim, epsilon, dx, add);
        }
    }

    private sealed class ScaleRowsNode(Tensor y, Tensor x, Tensor scales) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool addX);
            Tensor dScales = tape.Gradient(scales, out bool addScales);
            tape._ops.ScaleRowsBack(gradient, x, scales, dx, addX, dScales, addScales);
        }
    }

    private sealed class GateScoresNode(Tensor y, Tensor logits, int[] rows, int expert) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dLogits = tape.Gradient(logits, out bool add);
            if (!add)
            {
                tape._ops.Clear(dLogits);
            }

            tape._ops.GateScoresBack(gradient, Result, rows, expert, dLogits);
        }
    }

    private sealed class AddExpertsNode(Tensor y, Tensor shared, List<(Tensor Output, int[] Rows)> parts) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dShared = tape.Gradient(shared, out bool add);
            tape._ops.AddBack(gradient, dShared, add);
            foreach ((Tensor output, int[] rows) in parts)
            {
                ArenaMark mark = tape._ops.Mark();
                Tensor dOutput = tape.Gradient(output, out add);
                tape._ops.AddBack(tape._ops.SelectRows(gradient, rows), dOutput, add);
                tape._ops.Release(mark);
            }
        }
    }
}
