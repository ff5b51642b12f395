using Puna.Models.PromptGuard;
using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>A layer of Llama 4's picture encoder: x + attention(norm x), then x + w2 gelu(w1 norm x); attention within a tile, rotated by column and row (spec llama4.md 4.6 and 4.7).</summary>
public sealed class Llama4VisionLayer : IBlock<Llama4VisionContext>
{
    private readonly int _headDim;

    /// <summary>Creates a layer.</summary>
    /// <param name="attentionNorm">Norm before the attention.</param>
    /// <param name="attention">Queries, keys, values and output, each <c>[hidden, hidden]</c>.</param>
    /// <param name="norm">Norm before the feed-forward part.</param>
    /// <param name="w1">Way up <c>[ffn, hidden]</c>.</param>
    /// <param name="w2">Way down <c>[hidden, ffn]</c>.</param>
    /// <param name="headDim">Values per head.</param>
    public Llama4VisionLayer(LayerNorm attentionNorm, (Linear Wq, Linear Wk, Linear Wv, Linear Wo) attention, LayerNorm norm, Linear w1, Linear w2, int headDim)
    {
        (AttentionNorm, Norm, W1, W2) = (attentionNorm, norm, w1, w2);
        (Wq, Wk, Wv, Wo) = attention;
        _headDim = headDim;
    }

    /// <summary>Norm before the attention.</summary>
    public LayerNorm AttentionNorm { get; }

    /// <summary>Queries.</summary>
    public Linear Wq { get; }

    /// <summary>Keys.</summary>
    public Linear Wk { get; }

    /// <summary>Values.</summary>
    public Linear Wv { get; }

    /// <summary>Output of the attention.</summary>
    public Linear Wo { get; }

    /// <summary>Norm before the feed-forward part.</summary>
    public LayerNorm Norm { get; }

    /// <summary>Way up.</summary>
    public Linear W1 { get; }

    /// <summary>Way down.</summary>
    public Linear W2 { get; }

    /// <inheritdoc/>
    public Tensor Forward(IOps ops, Tensor x, Llama4VisionContext context)
    {
        ThreeTensors qkv = default;
        ops.MatMul(AttentionNorm.Forward(ops, x), [Wq.Weight, Wk.Weight, Wv.Weight], qkv);
        Tensor q = ops.Rope(Wq.After(ops, qkv[0]), context.Cos, context.Sin, RopeLayout.Interleaved);
        Tensor k = ops.Rope(Wk.After(ops, qkv[1]), context.Cos, context.Sin, RopeLayout.Interleaved);
        Tensor y = ops.Attention(q, k, Wv.After(ops, qkv[2]), null, context.Plan, _headDim);
        x = ops.Add(x, Wo.Forward(ops, y));
        return ops.Add(x, W2.Forward(ops, ops.Gelu(W1.Forward(ops, Norm.Forward(ops, x)))));
    }

    [System.Runtime.CompilerServices.InlineArray(3)]
    private struct ThreeTensors
    {
        private Tensor _first;
    }
}
