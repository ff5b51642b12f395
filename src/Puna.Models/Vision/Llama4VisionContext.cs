using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>What the layers of one pass over tiles share.</summary>
public sealed class Llama4VisionContext
{
    /// <summary>Every token of a tile sees every other.</summary>
    public AttentionPlan Plan { get; } = new();

    /// <summary>Cosines of the rotary angles <c>[tokens, headDim / 2]</c>.</summary>
    public Tensor Cos { get; internal set; }

    /// <summary>Sines of the rotary angles <c>[tokens, headDim / 2]</c>.</summary>
    public Tensor Sin { get; internal set; }
}
