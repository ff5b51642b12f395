using Puna.Models.Adapters;
using Puna.Models.Vision;
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

    /// <summary>Which keys each token sees in layers that see their own chunk only; of no meaning to models without such.</summary>
    public AttentionPlan LocalPlan { get; } = new();

    /// <summary>Cosines for local layers, whose angles are counted from the chunk's first token: only differences matter, and small angles are exact <c>[tokens, headDim / 2]</c>.</summary>
    public Tensor LocalCos { get; internal set; }

    /// <summary>Sines for local layers.</summary>
    public Tensor LocalSin { get; internal set; }

    /// <summary>Factors on the queries of layers without rotation <c>[tokens, 1]</c>.</summary>
    public Tensor Temperature { get; internal set; }

    /// <summary>Which rows go to which expert; made anew by every layer that has experts.</summary>
    public ExpertRouting Routing { get; } = new();

    /// <summary>What chooses experts in place of the router's scores alone, or null. Set before a pass that trains, and cleared by whoever set it.</summary>
    public IExpertChoice? ExpertChoice { get; set; }

    /// <summary>Rows of the batch that take embeddings of their own in place of their tokens': pictures. Set before a pass, and cleared by whoever set it.</summary>
    public SoftTokens? Soft { get; set; }

    /// <summary>Adapters of the batch's sequences beside the model's weights, or null where none has any. Set before a pass, and cleared by whoever set it.</summary>
    public AdapterBatch? Adapters { get; set; }

    /// <summary>The tokens that see images, and what they see.</summary>
    public CrossBatch Cross { get; } = new();

    /// <summary>Cached keys and values, one per sequence of the batch, or null.</summary>
    public IReadOnlyList<KvSequence>? Cache { get; internal set; }
}
