using Puna.Models.Adapters;
using Puna.Tensors;

namespace Puna.Models;

/// <summary>The gated feed-forward layer w2(silu(w1 x) * w3 x): w1 is the gate, w3 the way up, w2 the way down.</summary>
public sealed class FeedForward
{
    /// <summary>Creates the brick.</summary>
    /// <param name="w1">Gate <c>[ffn, hidden]</c>.</param>
    /// <param name="w2">Down <c>[hidden, ffn]</c>.</param>
    /// <param name="w3">Up <c>[ffn, hidden]</c>.</param>
    public FeedForward(Linear w1, Linear w2, Linear w3) => (W1, W2, W3) = (w1, w2, w3);

    /// <summary>Gate.</summary>
    public Linear W1 { get; }

    /// <summary>Down.</summary>
    public Linear W2 { get; }

    /// <summary>Up.</summary>
    public Linear W3 { get; }

    /// <summary>The same brick with its weights as a device wants them.</summary>
    public FeedForward With(Func<Weight, Weight> weight) => new(W1.With(weight), W2.With(weight), W3.With(weight));

    /// <summary>Says that the brick will be run soon.</summary>
    public void Expect()
    {
        W1.Weight.Expect();
        W3.Weight.Expect();
        W2.Weight.Expect();
    }

    /// <summary>Normalises and transforms.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x">Residual stream <c>[tokens, hidden]</c>.</param>
    /// <param name="norm">The block's feed-forward norm <c>[hidden]</c>.</param>
    /// <param name="epsilon">Its epsilon.</param>
    /// <param name="adapters">Adapters of the rows, or null.</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    public Tensor Forward(IOps ops, Tensor x, Weight norm, float epsilon, AdapterRows? adapters = null)
    {
        TwoTensors gateUp = default;
        ops.NormMatMul(x, norm, epsilon, [W1.Weight, W3.Weight], gateUp);
        Tensor normed = adapters is null ? default : ops.RmsNorm(x, norm, epsilon);
        return W2.Forward(ops, ops.SwiGlu(W1.After(ops, gateUp[0], normed, adapters), W3.After(ops, gateUp[1], normed, adapters)), adapters);
    }

    /// <summary>Transforms an input that is normed already.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x"><c>[tokens, hidden]</c>.</param>
    /// <returns><c>[tokens, hidden]</c>.</returns>
    public Tensor Forward(IOps ops, Tensor x)
    {
        TwoTensors gateUp = default;
        ops.MatMul(x, [W1.Weight, W3.Weight], gateUp);
        return W2.Forward(ops, ops.SwiGlu(W1.After(ops, gateUp[0]), W3.After(ops, gateUp[1])));
    }

    [System.Runtime.CompilerServices.InlineArray(2)]
    private struct TwoTensors
    {
        private Tensor _first;
    }
}
