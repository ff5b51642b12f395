using Puna.Tensors;

namespace Puna.Models;

/// <summary>One pre-norm block: h = x + attention(norm(x)); h + feedForward(norm(h)).</summary>
public sealed class TransformerBlock : IBlock<ForwardContext>
{
    private readonly int _layer;
    private readonly float _epsilon;

    /// <summary>Creates a block.</summary>
    public TransformerBlock(int layer, float epsilon, Weight attentionNorm, Attention attention, Weight ffnNorm, FeedForward feedForward, MixtureOfExperts? experts = null)
    {
        Experts = experts;
        _layer = layer;
        _epsilon = epsilon;
        (AttentionNorm, Attention, FfnNorm, FeedForward) = (attentionNorm, attention, ffnNorm, feedForward);
    }

    /// <summary>Norm before attention <c>[hidden]</c>.</summary>
    public Weight AttentionNorm { get; }

    /// <summary>Self-attention.</summary>
    public Attention Attention { get; }

    /// <summary>Norm before the feed-forward layer <c>[hidden]</c>.</summary>
    public Weight FfnNorm { get; }

    /// <summary>Feed-forward layer; in a block with experts the shared one.</summary>
    public FeedForward FeedForward { get; }

    /// <summary>The feed-forward layer of a block with experts, otherwise null.</summary>
    public MixtureOfExperts? Experts { get; }

    /// <summary>Whether a matrix of this block is quantised in blocks.</summary>
    public bool IsQuantized =>
        new[] { Attention.Wq, Attention.Wk, Attention.Wv, Attention.Wo, FeedForward.W1, FeedForward.W2, FeedForward.W3 }.Any(static w => w.Weight.DType.IsBlock())
        || (Experts is not null && Experts.Experts.Any(static e => e.W1.Weight.DType.IsBlock() || e.W2.Weight.DType.IsBlock() || e.W3.Weight.DType.IsBlock()));

    /// <summary>The same block with its weights as a device wants them.</summary>
    public TransformerBlock With(Func<Weight, Weight> weight)
    {
        (Weight attentionNorm, Attention attention, Weight ffnNorm) = (weight(AttentionNorm), Attention.With(weight), weight(FfnNorm));
        MixtureOfExperts? experts = Experts?.With(weight);
        return new(_layer, _epsilon, attentionNorm, attention, ffnNorm, experts?.Shared ?? FeedForward.With(weight), experts);
    }

    /// <inheritdoc/>
    public Tensor Forward(IOps ops, Tensor x, ForwardContext context)
    {
        Tensor h = ops.Add(x, Attention.Forward(ops, x, AttentionNorm, _epsilon, context, _layer));
        return ops.Add(h, Experts is null ? FeedForward.Forward(ops, h, FfnNorm, _epsilon, context.Adapters?.OfTokens) : Experts.Forward(ops, h, FfnNorm, _epsilon, context, _layer));
    }
}
