using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Training.Data;

/// <summary>
/// Packed rows as a trainer wants them (spec training.md 1.1): a ragged <see cref="Puna.Tensors.Batch"/> in which every document, or piece of one, is a sequence of its own whose
/// positions start at 0, so that tokens never see another document; per token the id to predict and how much that counts. Nothing is padded. Reusable.
/// </summary>
public sealed class TrainingBatch
{
    /// <summary>Tokens, positions and sequence boundaries. Its outputs are the rows that have a target of weight above 0.</summary>
    public Batch Batch { get; } = new();

    /// <summary>Per output row of <see cref="Batch"/>, the id to predict.</summary>
    public List<int> Targets { get; } = [];

    /// <summary>Per output row of <see cref="Batch"/>, the weight of its loss.</summary>
    public List<float> Weights { get; } = [];

    /// <summary>Per sequence of <see cref="Batch"/>, its pictures in the order of their tokens; empty where no sequence has any.</summary>
    public List<IReadOnlyList<TiledImage>> Images { get; } = [];

    /// <summary>Bytes of text, for bits per byte.</summary>
    public long TextBytes { get; set; }

    /// <summary>Sum of the weights: the normaliser's share of this batch.</summary>
    public double WeightSum { get; private set; }

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        Batch.Clear();
        Targets.Clear();
        Weights.Clear();
        Images.Clear();
        TextBytes = 0;
        WeightSum = 0;
    }

    /// <summary>Adds a piece of a document as a sequence.</summary>
    /// <param name="tokens">Its ids, at least one.</param>
    /// <param name="weights">Per token the weight of predicting it; the first one's is not used, since nothing stands before it.</param>
    /// <param name="images">The pictures that its tokens stand for, or null.</param>
    public void Add(ReadOnlySpan<int> tokens, ReadOnlySpan<float> weights, IReadOnlyList<TiledImage>? images = null)
    {
        if (tokens.Length != weights.Length)
        {
            throw new ArgumentException($"weights: expected {tokens.Length}, got {weights.Length}", nameof(weights));
        }

        int first = Batch.Count;
        Batch.Add(tokens, 0, BatchOutputs.None);
        if (images is { Count: > 0 } || Images.Count > 0)
        {
            // Texts that came before the first picture have none.
            while (Images.Count < Batch.Sequences - 1)
            {
                Images.Add([]);
            }

            Images.Add(images ?? []);
        }

        for (int i = 0; i + 1 < tokens.Length; i++)
        {
            if (weights[i + 1] > 0)
            {
                Batch.AddOutput(first + i);
                Targets.Add(tokens[i + 1]);
                Weights.Add(weights[i + 1]);
                WeightSum += weights[i + 1];
            }
        }
    }
}
