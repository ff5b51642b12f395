namespace Puna.Tensors.Autograd;

/// <summary>
/// Operations that remember how to go back: a decorator that forwards every call to the operations it wraps and notes what the gradient needs. A model runs on it as on any other
/// <see cref="IOps"/> and knows nothing of it. One pass: forward, a loss (<see cref="CrossEntropy"/>), <see cref="Backward()"/>, <see cref="Reset"/>.
/// </summary>
/// <remarks>
/// Activations live in the scope of the wrapped operations; whoever runs the pass opens one (<see cref="IGradientOps.Mark"/>) before and releases it after the pass. Gradients of weights are added
/// to those of the <see cref="GradientSet"/>, so that several passes accumulate.
/// </remarks>
public sealed partial class Tape : IOps, IDisposable
{
    private readonly IGradientOps _ops;
    private readonly GradientSet _weights;
    private readonly GradientPool _pool = new();
    private readonly List<TapeNode> _nodes = [];
    private readonly Dictionary<Tensor, Tensor> _gradients = [];
    private readonly bool _checkpoints;

    /// <summary>Creates a tape.</summary>
    /// <param name="ops">The device that computes.</param>
    /// <param name="weights">The weights that are trained.</param>
    /// <param name="checkpoints">Whether of a block only its input is kept, and the block is run again on the way back: less memory, a third more work, the same bits.</param>
    public Tape(IGradientOps ops, GradientSet weights, bool checkpoints = false) => (_ops, _weights, _checkpoints) = (ops, weights, checkpoints);

    /// <summary>Bytes of gradients of activations held at most.</summary>
    public long GradientBytes => _pool.ByteLength;

    /// <summary>Number of operations that would be gone back through.</summary>
    public int Count => _nodes.Count;

    /// <summary>The gradient of an activation so far; null where nothing after it has a gradient. For tests and for whoever goes on from the middle of a model.</summary>
    public Tensor? GradientOf(Tensor x) => _gradients.TryGetValue(x, out Tensor gradient) ? gradient : null;

    /// <summary>Sets the gradient of an activation, to begin from there.</summary>
    /// <param name="x">A tensor that an operation of this tape returned.</param>
    /// <param name="gradient">Of the same shape; copied.</param>
    public void Seed(Tensor x, Tensor gradient)
    {
        Tensor to = Gradient(x, out bool add);
        _ops.AddBack(gradient, to, add);
    }

    /// <summary>
    /// The loss of next tokens, sum of weight times negative log likelihood, fused with the output layer: logits exist for <paramref name="chunk"/> rows at a time, and the gradients are
    /// computed on the spot (spec training.md 1.10).
    /// </summary>
    /// <param name="hidden">Normed hidden states of the rows that have a target <c>[rows, hidden]</c>.</param>
    /// <param name="output">Output layer <c>[vocab, hidden]</c>.</param>
    /// <param name="targets">Per row the id to predict.</param>
    /// <param name="scales">Per row its weight divided by the normaliser of the whole step, which depends on the data alone (spec training.md 1.3).</param>
    /// <param name="nll">Receives per row the negative log likelihood in nats, not scaled.</param>
    /// <param name="chunk">Rows of logits at a time; changes memory and, in the gradient of the output layer, rounding.</param>
    /// <returns>The sum over rows of scale times negative log likelihood.</returns>
    /// <exception cref="PunaException">A target outside the vocabulary.</exception>
    public double CrossEntropy(Tensor hidden, Weight output, ReadOnlySpan<int> targets, ReadOnlySpan<float> scales, Span<float> nll, int chunk = 1024)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunk);
        int rows = (int)hidden.Rows;
        if (rows == 0)
        {
            return 0;
        }

        Tensor gradient = Gradient(hidden, out bool add);
        Tensor? weights = _weights.Find(output);
        for (int first = 0; first < rows; first += chunk)
        {
            int count = Math.Min(chunk, rows - first);
            ArenaMark mark = _ops.Mark();
            Tensor x = hidden.Slice(first, count);
            Tensor logits = default;
            _ops.MatMul(x, [output], new Span<Tensor>(ref logits));
            _ops.CrossEntropy(logits, targets.Slice(first, count), scales.Slice(first, count), nll.Slice(first, count));
            _ops.MatMulInputBack(logits, output, gradient.Slice(first, count), add);
            if (weights is Tensor dw)
            {
                _ops.MatMulWeightBack(logits, x, dw);
            }

            _ops.Release(mark);
        }

        double loss = 0;
        for (int i = 0; i < rows; i++)
        {
            loss += (double)scales[i] * nll[i];
        }

        return loss;
    }

    /// <summary>Goes back through everything noted, last to first. Gradients of weights have been added to their set afterwards.</summary>
    public void Backward() => Backward(0);

    /// <summary>Forgets the pass.</summary>
    public void Reset()
    {
        _nodes.Clear();
        foreach (Tensor gradient in _gradients.Values)
        {
            _pool.Return(gradient);
        }

        _gradients.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reset();
        _pool.Dispose();
    }

    private void Backward(int first)
    {
        while (_nodes.Count > first)
        {
            TapeNode node = _nodes[^1];
            _nodes.RemoveAt(_nodes.Count - 1);
            if (_gradients.Remove(node.Result, out Tensor gradient))
            {
                node.Back(this, gradient);
                _pool.Return(gradient);
            }
        }
    }

    /// <summary>The gradient of an activation, made where there is none yet.</summary>
    /// <param name="x">The activation.</param>
    /// <param name="add">Whether it holds something that the caller has to add to; otherwise it is uninitialised.</param>
    private Tensor Gradient(Tensor x, out bool add)
    {
        add = _gradients.TryGetValue(x, out Tensor gradient);
        if (!add)
        {
            gradient = _pool.Rent(x.Shape);
            _gradients.Add(x, gradient);
        }

        return gradient;
    }
}
