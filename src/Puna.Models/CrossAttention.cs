using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models;

/// <summary>Attention of text to images (spec llama1-3.md 4.3): queries from the text, keys and values from the images; each head of queries and keys is normed, nothing is rotated.</summary>
public sealed class CrossAttention
{
    private readonly int _headDim;
    private readonly float _epsilon;

    /// <summary>Creates the brick.</summary>
    /// <param name="wq">Queries <c>[heads * headDim, hidden]</c>.</param>
    /// <param name="wk">Keys <c>[kvHeads * headDim, hidden]</c>.</param>
    /// <param name="wv">Values <c>[kvHeads * headDim, hidden]</c>.</param>
    /// <param name="wo">Output <c>[hidden, heads * headDim]</c>.</param>
    /// <param name="qNorm">Norm of each head of the queries <c>[headDim]</c>.</param>
    /// <param name="kNorm">Norm of each head of the keys <c>[headDim]</c>.</param>
    /// <param name="headDim">Values per head.</param>
    /// <param name="epsilon">Epsilon of the norms.</param>
    public CrossAttention(Linear wq, Linear wk, Linear wv, Linear wo, Weight qNorm, Weight kNorm, int headDim, float epsilon)
    {
        (Wq, Wk, Wv, Wo, QNorm, KNorm) = (wq, wk, wv, wo, qNorm, kNorm);
        (_headDim, _epsilon) = (headDim, epsilon);
    }

    /// <summary>Queries.</summary>
    public Linear Wq { get; }

    /// <summary>Keys.</summary>
    public Linear Wk { get; }

    /// <summary>Values.</summary>
    public Linear Wv { get; }

    /// <summary>Output.</summary>
    public Linear Wo { get; }

    /// <summary>Norm of each head of the queries.</summary>
    public Weight QNorm { get; }

    /// <summary>Norm of each head of the keys.</summary>
    public Weight KNorm { get; }

    /// <summary>The same brick with its weights as a device wants them.</summary>
    public CrossAttention With(Func<Weight, Weight> weight) => new(Wq.With(weight), Wk.With(weight), Wv.With(weight), Wo.With(weight), weight(QNorm), weight(KNorm), _headDim, _epsilon);

    /// <summary>Keys, normed, and values of image tokens.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="features">Image tokens <c>[keys, hidden]</c>.</param>
    /// <returns>Each <c>[keys, kvHeads * headDim]</c>.</returns>
    public (Tensor Keys, Tensor Values) KeysAndValues(IOps ops, Tensor features)
    {
        TwoTensors kv = default;
        ops.MatMul(features, [Wk.Weight, Wv.Weight], kv);
        return (ops.RmsNorm(Wk.After(ops, kv[0]), KNorm, _epsilon), Wv.After(ops, kv[1]));
    }

    /// <summary>Normalises, attends, projects.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="x">Rows of the residual stream that see an image <c>[rows, hidden]</c>.</param>
    /// <param name="norm">The block's attention norm <c>[hidden]</c>.</param>
    /// <param name="cross">What they see.</param>
    /// <param name="layer">Index of the layer among those for images.</param>
    /// <returns><c>[rows, hidden]</c>.</returns>
    public Tensor Forward(IOps ops, Tensor x, Weight norm, CrossBatch cross, int layer)
    {
        Tensor q = default;
        ops.NormMatMul(x, norm, _epsilon, [Wq.Weight], new Span<Tensor>(ref q));
        q = ops.RmsNorm(Wq.After(ops, q), QNorm, _epsilon);
        Tensor k, v;
        KvView? cache = null;
        if (cross.Keys is { } sequences)
        {
            cache = new KvView(sequences, layer);
            k = v = ops.Allocate(new Shape(0, Wk.Weight.Out));
        }
        else
        {
            (k, v) = KeysAndValues(ops, cross.Features);
        }

        return Wo.Forward(ops, ops.Attention(q, k, v, cache, cross.Plan, _headDim));
    }

    [System.Runtime.CompilerServices.InlineArray(2)]
    private struct TwoTensors
    {
        private Tensor _first;
    }
}
