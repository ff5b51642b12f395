using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models;

/// <summary>
/// One block that looks at images: h = x + tanh(gate) attention(norm(x)); h + tanh(gate) feedForward(norm(h)), for the tokens that see an image. All others pass unchanged, bit by bit (spec llama1-3.md 4.3).
/// </summary>
public sealed class CrossAttentionBlock : IBlock<ForwardContext>
{
    private readonly int _layer;
    private readonly float _epsilon;

    /// <summary>Creates a block.</summary>
    /// <param name="layer">Its index among the blocks of its kind.</param>
    /// <param name="epsilon">Epsilon of the norms.</param>
    /// <param name="attentionNorm">Norm before attention <c>[hidden]</c>.</param>
    /// <param name="attention">Attention to the images.</param>
    /// <param name="attentionGate">Gate of the attention <c>[1]</c>.</param>
    /// <param name="ffnNorm">Norm before the feed-forward layer <c>[hidden]</c>.</param>
    /// <param name="feedForward">Feed-forward layer.</param>
    /// <param name="ffnGate">Gate of the feed-forward layer <c>[1]</c>.</param>
    public CrossAttentionBlock(int layer, float epsilon, Weight attentionNorm, CrossAttention attention, Weight attentionGate, Weight ffnNorm, FeedForward feedForward, Weight ffnGate)
    {
        (_layer, _epsilon) = (layer, epsilon);
        (AttentionNorm, Attention, AttentionGate, FfnNorm, FeedForward, FfnGate) = (attentionNorm, attention, attentionGate, ffnNorm, feedForward, ffnGate);
    }

    /// <summary>Norm before attention.</summary>
    public Weight AttentionNorm { get; }

    /// <summary>Attention to the images.</summary>
    public CrossAttention Attention { get; }

    /// <summary>Gate of the attention.</summary>
    public Weight AttentionGate { get; }

    /// <summary>Norm before the feed-forward layer.</summary>
    public Weight FfnNorm { get; }

    /// <summary>Feed-forward layer.</summary>
    public FeedForward FeedForward { get; }

    /// <summary>Gate of the feed-forward layer.</summary>
    public Weight FfnGate { get; }

    /// <summary>The same block with its weights as a device wants them.</summary>
    public CrossAttentionBlock With(Func<Weight, Weight> weight) =>
        new(_layer, _epsilon, weight(AttentionNorm), Attention.With(weight), weight(AttentionGate), weight(FfnNorm), FeedForward.With(weight), weight(FfnGate));

    /// <inheritdoc/>
    public Tensor Forward(IOps ops, Tensor x, ForwardContext context)
    {
        CrossBatch cross = context.Cross;
        Tensor seen = ops.TanhGate(Attention.Forward(ops, Select(ops, x, cross), AttentionNorm, cross, _layer), AttentionGate);
        Tensor h = Add(ops, x, seen, cross);
        Tensor f = ops.TanhGate(FeedForward.Forward(ops, Select(ops, h, cross), FfnNorm, _epsilon), FfnGate);
        return Add(ops, h, f, cross);
    }

    private static Tensor Select(IOps ops, Tensor x, CrossBatch cross) => cross.IsWhole ? x : ops.SelectRows(x, cross.Rows);

    private static Tensor Add(IOps ops, Tensor x, Tensor y, CrossBatch cross) => cross.IsWhole ? ops.Add(x, y) : ops.AddRows(x, y, cross.Rows);
}
