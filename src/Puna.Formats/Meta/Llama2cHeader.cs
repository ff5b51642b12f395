namespace Puna.Formats.Meta;

/// <summary>The seven numbers at the beginning of a llama2.c file (spec llama1-3.md 3.5).</summary>
/// <param name="Dim">Model width D.</param>
/// <param name="FfnHidden">Feed-forward width F.</param>
/// <param name="NLayers">Number of blocks L.</param>
/// <param name="NHeads">Query heads H.</param>
/// <param name="NKvHeads">Key and value heads K.</param>
/// <param name="VocabSize">Vocabulary size V, positive.</param>
/// <param name="ContextLength">Positions the model was trained for.</param>
/// <param name="HasOutput">Whether there is an output matrix (written as a negative vocabulary size); without, the embedding is used.</param>
public sealed record Llama2cHeader(int Dim, int FfnHidden, int NLayers, int NHeads, int NKvHeads, int VocabSize, int ContextLength, bool HasOutput)
{
    /// <summary>Width of a head.</summary>
    public int HeadDim => Dim / NHeads;
}
