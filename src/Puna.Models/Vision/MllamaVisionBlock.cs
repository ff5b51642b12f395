using Puna.Models.PromptGuard;
using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>One pre-norm block of the vision encoder: h = x + attention(norm(x)); h + w2 gelu(w1 norm(h)), both parts through gates in the second stage (spec llama1-3.md 4.2).</summary>
public sealed class MllamaVisionBlock : IBlock<MllamaRows>
{
    private readonly int _headDim;

    /// <summary>Creates a block.</summary>
    /// <param name="attentionNorm">Norm before the attention.</param>
    /// <param name="wq">Queries <c>[hidden, hidden]</c>.</param>
    /// <param name="wk">Keys.</param>
    /// <param name="wv">Values.</param>
    /// <param name="wo">Output of the attention.</param>
    /// <param name="ffnNorm">Norm before the feed-forward layer.</param>
    /// <param name="w1">Way up <c>[ffn, hidden]</c>.</param>
    /// <param name="w2">Way down <c>[hidden, ffn]</c>.</param>
    /// <param name="headDim">Values per head.</param>
    public MllamaVisionBlock(LayerNorm attentionNorm, Linear wq, Linear wk, Linear wv, Linear wo, LayerNorm ffnNorm, Linear w1, Linear w2, int headDim)
    {
        (AttentionNorm, Wq, Wk, Wv, Wo, FfnNorm, W1, W2) = (attentionNorm, wq, wk, wv, wo, ffnNorm, w1, w2);
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

    /// <summary>Norm before the feed-forward layer.</summary>
    public LayerNorm FfnNorm { get; }

    /// <summary>Way up.</summary>
    public Linear W1 { get; }

    /// <summary>Way down.</summary>
    public Linear W2 { get; }

    /// <summary>Gate of the attention <c>[1]</c>, in the second stage.</summary>
    public Weight? GateAttention { get; init; }

    /// <summary>Gate of the feed-forward layer <c>[1]</c>, in the second stage.</summary>
    public Weight? GateFfn { get; init; }

    /// <summary>The same block with its weights as a device wants them.</summary>
    public MllamaVisionBlock With(Func<Weight, Weight> weight) =>
        new(AttentionNorm, Wq.With(weight), Wk.With(weight), Wv.With(weight), Wo.With(weight), FfnNorm, W1.With(weight), W2.With(weight), _headDim) { GateAttention = GateAttention, GateFfn = GateFfn };

    /// <inheritdoc/>
    public Tensor Forward(IOps ops, Tensor x, MllamaRows context)
    {
        ThreeTensors qkv = default;
        ops.MatMul(AttentionNorm.Forward(ops, x), [Wq.Weight, Wk.Weight, Wv.Weight], qkv);
        (Tensor k, Tensor v) = (Wk.After(ops, qkv[1]), Wv.After(ops, qkv[2]));
        if (context.Keys is { } keys)
        {
            (k, v) = (ops.SelectRows(k, keys), ops.SelectRows(v, keys));
        }

        Tensor seen = ops.Attention(Wq.After(ops, qkv[0]), k, v, null, context.Plan, _headDim);
        Tensor h = ops.Add(x, Gated(ops, Wo.Forward(ops, seen), GateAttention));
        Tensor f = W2.Forward(ops, ops.Gelu(W1.Forward(ops, FfnNorm.Forward(ops, h))));
        return ops.Add(h, Gated(ops, f, GateFfn));
    }

    private static Tensor Gated(IOps ops, Tensor x, Weight? gate) => gate is null ? x : ops.TanhGate(x, gate);

    [System.Runtime.CompilerServices.InlineArray(3)]
    private struct ThreeTensors
    {
        private Tensor _first;
    }
}
