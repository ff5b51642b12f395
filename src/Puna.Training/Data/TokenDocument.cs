namespace Puna.Training.Data;

/// <summary>One document as token ids, with how much the prediction of each token counts. Reused from document to document.</summary>
public sealed class TokenDocument
{
    /// <summary>Token ids, control tokens included.</summary>
    public List<int> Tokens { get; } = [];

    /// <summary>Per token the weight of predicting it from what stands before it: 1 for text, 0 for a prompt that is not to be learned. The first token of a document is never predicted.</summary>
    public List<float> Weights { get; } = [];

    /// <summary>Bytes of text that the tokens stand for, for bits per byte; 0 where nobody counted.</summary>
    public long TextBytes { get; set; }

    /// <summary>Empties the document.</summary>
    public void Clear()
    {
        Tokens.Clear();
        Weights.Clear();
        TextBytes = 0;
    }

    /// <summary>Appends tokens of equal weight.</summary>
    public void Add(ReadOnlySpan<int> tokens, float weight = 1)
    {
        foreach (int token in tokens)
        {
            Tokens.Add(token);
            Weights.Add(weight);
        }
    }
}
