namespace Puna.Tensors.Autograd;

/// <summary>The operations, each with its way back.</summary>
public sealed partial class Tape
{
    /// <inheritdoc/>
    public Weight Pack(Weight weight) => throw new InvalidOperationException($"tape: expected weights in row order, which training changes, got a request to pack {weight.Name}");

    /// <inheritdoc/>
    public Tensor Allocate(Shape shape) => _ops.Allocate(shape);

    /// <inheritdoc/>
    public Tensor Gather(Weight table, ReadOnlySpan<int> rows)
    {
        Tensor y = _ops.Gather(table, rows);
        if (_weights.Find(table) is Tensor gradient)
        {
            _nodes.Add(new GatherNode(y, gradient, rows.ToArray()));
        }

        return y;
    }

    /// <inheritdoc/>
    public Tensor SelectRows(Tensor x, ReadOnlySpan<int> rows) => Note(new SelectRowsNode(_ops.SelectRows(x, rows), x, rows.ToArray()));

    /// <inheritdoc/>
    public void MatMul(Tensor x, ReadOnlySpan<Weight> w, Span<Tensor> y)
    {
        _ops.MatMul(x, w, y);
        for (int i = 0; i < w.Length; i++)
        {
            _nodes.Add(new MatMulNode(y[i], x, w[i]));
        }
    }

    /// <inheritdoc/>
    /// <remarks>Two operations here: the normed input is needed for the gradients of the weights.</remarks>
    public void NormMatMul(Tensor x, Weight norm, float epsilon, ReadOnlySpan<Weight> w, Span<Tensor> y) => MatMul(RmsNorm(x, norm, epsilon), w, y);

    /// <inheritdoc/>
    public Tensor RmsNorm(Tensor x, Weight norm, float epsilon) => Note(new RmsNormNode(_ops.RmsNorm(x, norm, epsilon), x, norm, epsilon));

    /// <inheritdoc/>
    public Tensor LayerNorm(Tensor x, Weight norm, Weight bias, float epsilon) => Note(new LayerNormNode(_ops.LayerNorm(x, norm, bias, epsilon), x, norm, bias, epsilon));

    /// <inheritdoc/>
    public Tensor Gelu(Tensor x) => Note(new GeluNode(_ops.Gelu(x), x));

    /// <inheritdoc/>
    public Tensor DisentangledAttention(Tensor q, Tensor k, Tensor v, Tensor relativeQ, Tensor relativeK, ReadOnlySpan<int> starts, ReadOnlySpan<int> distanceRows, int headDim) =>
        Note(new DisentangledAttentionNode(_ops.DisentangledAttention(q, k, v, relativeQ, relativeK, starts, distanceRows, headDim), q, k, v, relativeQ, relativeK, starts.ToArray(), distanceRows.ToArray(), headDim));

    /// <inheritdoc/>
    public Tensor Add(Tensor a, Tensor b) => Note(new AddNode(_ops.Add(a, b), a, b));

    /// <inheritdoc/>
    public Tensor AddBias(Tensor x, Weight bias) => Note(new AddBiasNode(_ops.AddBias(x, bias), x, bias));

    /// <inheritdoc/>
    public Tensor SwiGlu(Tensor gate, Tensor up) => Note(new SwiGluNode(_ops.SwiGlu(gate, up), gate, up));

    /// <inheritdoc/>
    public Tensor Rope(Tensor x, Tensor cos, Tensor sin, RopeLayout layout) => Note(new RopeNode(_ops.Rope(x, cos, sin, layout), x, cos, sin, layout));

    /// <inheritdoc/>
    public Tensor Attention(Tensor q, Tensor k, Tensor v, KvView? cache, AttentionPlan plan, int headDim)
    {
        if (cache is not null)
        {
            throw new InvalidOperationException("tape: expected sequences that are whole in the batch, got a cache");
        }

        return Note(new AttentionNode(_ops.Attention(q, k, v, null, plan, headDim), q, k, v, plan, headDim));
    }

    /// <inheritdoc/>
    public void Append(KvView cache, Tensor k, Tensor v, Batch batch) => throw new InvalidOperationException("tape: expected sequences that are whole in the batch, got a cache");

    /// <inheritdoc/>
    public Tensor Run<TContext>(IBlock<TContext> block, Tensor x, TContext context, IOps? outer = null)
    {
        if (!_checkpoints)
        {
            return block.Forward(outer ?? this, x, context);
        }

        Tensor y = _ops.Allocate(x.Shape);
        ArenaMark mark = _ops.Mark();
        _ops.AddBack(block.Forward(_ops, x, context), y, false);
        _ops.Release(mark);
        return Note(new BlockNode<TContext>(y, x, block, context));
    }

    /// <inheritdoc/>
    public void Read(Tensor x, Span<float> host) => _ops.Read(x, host);

    private Tensor Note(TapeNode node)
    {
        _nodes.Add(node);
        return node.Result;
    }

    private sealed class GatherNode(Tensor y, Tensor table, int[] rows) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient) => tape._ops.GatherBack(gradient, rows, table);
    }

    private sealed class SelectRowsNode(Tensor y, Tensor x, int[] rows) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            if (!add)
            {
                tape._ops.Clear(dx);
            }

            tape._ops.GatherBack(gradient, rows, dx);
        }
    }

    private sealed class MatMulNode(Tensor y, Tensor x, Weight w) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.MatMulInputBack(gradient, w, dx, add);
            if (tape._weights.Find(w) is Tensor dw)
            {
                tape._ops.MatMulWeightBack(gradient, x, dw);
            }
        }
    }

    private sealed class RmsNormNode(Tensor y, Tensor x, Weight norm, float epsilon) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.RmsNormBack(gradient, x, norm, epsilon, dx, add, tape._weights.Find(norm));
        }
    }

    private sealed class LayerNormNode(Tensor y, Tensor x, Weight norm, Weight bias, float epsilon) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.LayerNormBack(gradient, x, norm, epsilon, dx, add, tape._weights.Find(norm), tape._weights.Find(bias));
        }
    }

    private sealed class GeluNode(Tensor y, Tensor x) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.GeluBack(gradient, x, dx, add);
        }
    }

    private sealed class DisentangledAttentionNode(Tensor y, Tensor q, Tensor k, Tensor v, Tensor relativeQ, Tensor relativeK, int[] starts, int[] distanceRows, int headDim) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dq = tape.Gradient(q, out bool addQ);
            Tensor dk = tape.Gradient(k, out bool addK);
            Tensor dv = tape.Gradient(v, out bool addV);
            Tensor dRelativeQ = tape.Gradient(relativeQ, out bool addRelativeQ);
            Tensor dRelativeK = tape.Gradient(relativeK, out bool addRelativeK);
            tape._ops.DisentangledAttentionBack(
                gradient, q, k, v, relativeQ, relativeK, starts, distanceRows, headDim, dq, addQ, dk, addK, dv, addV, dRelativeQ, addRelativeQ, dRelativeK, addRelativeK);
        }
    }

    private sealed class AddNode(Tensor y, Tensor a, Tensor b) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor da = tape.Gradient(a, out bool add);
            tape._ops.AddBack(gradient, da, add);
            Tensor db = tape.Gradient(b, out add);
            tape._ops.AddBack(gradient, db, add);
        }
    }

    private sealed class AddBiasNode(Tensor y, Tensor x, Weight bias) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.AddBack(gradient, dx, add);
            if (tape._weights.Find(bias) is Tensor db)
            {
                tape._ops.AddBiasBack(gradient, db);
            }
        }
    }

    private sealed class SwiGluNode(Tensor y, Tensor gate, Tensor up) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dGate = tape.Gradient(gate, out bool addGate);
            Tensor dUp = tape.Gradient(up, out bool addUp);
            tape._ops.SwiGluBack(gradient, gate, up, dGate, addGate, dUp, addUp);
        }
    }

    private sealed class RopeNode(Tensor y, Tensor x, Tensor cos, Tensor sin, RopeLayout layout) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dx = tape.Gradient(x, out bool add);
            tape._ops.RopeBack(gradient, cos, sin, layout, dx, add);
        }
    }

    private sealed class AttentionNode(Tensor y, Tensor q, Tensor k, Tensor v, AttentionPlan plan, int headDim) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            Tensor dq = tape.Gradient(q, out bool addQ);
            Tensor dk = tape.Gradient(k, out bool addK);
            Tensor dv = tape.Gradient(v, out bool addV);
            tape._ops.AttentionBack(gradient, q, k, v, plan, headDim, dq, addQ, dk, addK, dv, addV);
        }
    }

    /// <summary>A block of which only the input was kept: it is run again, noted this time, and gone back through.</summary>
    private sealed class BlockNode<TContext>(Tensor y, Tensor x, IBlock<TContext> block, TContext context) : TapeNode(y)
    {
        public override void Back(Tape tape, Tensor gradient)
        {
            ArenaMark mark = tape._ops.Mark();
            int first = tape._nodes.Count;
            Tensor again = block.Forward(tape, x, context);
            tape.Seed(again, gradient);
            tape.Backward(first);
            tape._ops.Release(mark);
        }
    }
}
