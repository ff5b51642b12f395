namespace Puna.Models.Quantization;

/// <summary>What a mix has to know of a model.</summary>
/// <param name="Layers">Number of blocks.</param>
/// <param name="Heads">Query heads of a block.</param>
/// <param name="KvHeads">Key and value heads of a block.</param>
/// <param name="TiedEmbeddings">Whether the token embedding is the output matrix too, so that there is no <c>output.weight</c>.</param>
/// <param name="Experts">Experts of a block; 0 for a dense model.</param>
public readonly record struct MixModel(int Layers, int Heads, int KvHeads, bool TiedEmbeddings, int Experts = 0)
{
    /// <summary>Query heads that share a key-value head.</summary>
    public int Grouping => Heads / Math.Max(1, KvHeads);
}
