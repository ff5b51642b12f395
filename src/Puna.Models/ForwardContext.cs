using Puna.Tensors;

namespace Puna.Models;

/// <summary>What the blocks of one forward pass share. Reused from pass to pass.</summary>
public sealed class ForwardContext
{
    /// <summary>The tokens.</summary>
    public Batch Batch { get; internal set; } = new();

    /// <summary>Which keys each token sees.</summary>
    public AttentionPlan Plan { get; } = new();

    /// <summary>Cosines of the rotary angles <c>[tokens, headDim / 2]</c>.</summary>
    public Tensor Cos { get; internal set; }

    /// <summary>Sines of the rotary angles <c>[tokens, headDim / 2]</c>.</summary>
    public Tensor Sin { get; internal set; }

    /// <summary>Cached keys and values, one per sequence of the batch, or null.</summary>
    public IReadOnlyList<KvSequence>? Cache { get; internal set; }
}
