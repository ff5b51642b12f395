using Puna.Tensors;

namespace Puna.Models.PromptGuard;

/// <summary>One post-norm layer with disentangled attention: a = norm(x + attention(x)); norm(a + w2 gelu(w1 a)) (spec llama4.md 14.1).</summary>
public sealed class DebertaLayer : IBlock<DebertaContext>
{
    private readonly int _headDim;

    /// <summary>Creates a layer.</summary>
    /// <param name="query">Queries <c>[hidden, hidden]</c>.</param>
    /// <param name="key">Keys <c>[hidden, hidden]</c>.</param>
    /// <param name="value">Values <c>[hidden, hidden]</c>.</param>
    /// <param name="output">Output of the attention <c>[hidden, hidden]</c>.</param>
    /// <param name="attentionNorm">Norm behind the attention.</param>
    /// <param name="w1">Way up <c>[ffn, hidden]</c>.</param>
    /// <param name="w2">Way down <c>[hidden, ffn]</c>.</param>
    /// <param name="norm">Norm behind the layer.</param>
    /// <param name="headDim">Values per head.</param>
    public DebertaLayer(Linear query, Linear key, Linear value, Linear output, LayerNorm attentionNorm, Linear w1, Linear w2, LayerNorm norm, int headDim)
    {
        (Query, Key, Value, Output, AttentionNorm, W1, W2, Norm) = (query, key, value, output, attentionNorm, w1, w2, norm);
        _headDim = headDim;
    }

    /// <summary>Queries, of tokens and of distances.</summary>
    public Linear Query { get; }

    /// <summary>Keys, of tokens and of distances.</summary>
    public Linear Key { get; }

    /// <summary>Values.</summary>
    public Linear Value { get; }

    /// <summary>Output of the attention.</summary>
    public Linear Output { get; }

    /// <summary>Norm behind the attention.</summary>
    public LayerNorm AttentionNorm { get; }

    /// <summary>Way up.</summary>
    public Linear W1 { get; }

    /// <summary>Way down.</summary>
    public Linear W2 { get; }

    /// <summary>Norm behind the layer.</summary>
    public LayerNorm Norm { get; }

    /// <inheritdoc/>
    public Tensor Forward(IOps ops, Tensor x, DebertaContext context)
    {
        Three qkv = default;
        ops.MatMul(x, [Query.Weight, Key.Weight, Value.Weight], qkv);
        Tensor q = Query.After(ops, qkv[0]), k = Key.After(ops, qkv[1]), v = Value.After(ops, qkv[2]);

        // The same projections, biases included, of the table of distances.
        Two relative = default;
        ops.MatMul(context.Distances, [Query.Weight, Key.Weight], relative);
        Tensor y = ops.DisentangledAttention(q, k, v, Query.After(ops, relative[0]), Key.After(ops, relative[1]), context.Batch.Starts, context.DistanceRows, _headDim);
        Tensor a = AttentionNorm.Forward(ops, ops.Add(x, Output.Forward(ops, y)));
        return Norm.Forward(ops, ops.Add(a, W2.Forward(ops, ops.Gelu(W1.Forward(ops, a)))));
    }

    [System.Runtime.CompilerServices.InlineArray(3)]
    private struct Three
    {
        private Tensor _first;
    }

    [System.Runtime.CompilerServices.InlineArray(2)]
    private struct Two
    {
        private Tensor _first;
    }
}
