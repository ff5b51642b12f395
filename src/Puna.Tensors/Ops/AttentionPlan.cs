using System.Runtime.InteropServices;

namespace Puna.Tensors;

/// <summary>
/// For every query row of a batch the keys it may see, as a range <c>[first, end)</c> counted from the first key of its sequence. Ranges cover causal, document,
/// chunked and cross-attention alike. Made once per batch and used by all layers; reusable without allocating.
/// </summary>
public sealed class AttentionPlan
{
    private readonly List<int> _first = [];
    private readonly List<int> _end = [];
    private readonly List<int> _past = [];
    private readonly List<int> _starts = [];

    /// <summary>Per query row, its first visible key.</summary>
    public ReadOnlySpan<int> KeyFirst => CollectionsMarshal.AsSpan(_first);

    /// <summary>Per query row, the end of its visible keys.</summary>
    public ReadOnlySpan<int> KeyEnd => CollectionsMarshal.AsSpan(_end);

    /// <summary>Per sequence, how many of its keys are in the cache; the others are those of the batch.</summary>
    public ReadOnlySpan<int> PastLength => CollectionsMarshal.AsSpan(_past);

    /// <summary>Row of each sequence's first query, and the number of rows: <c>[sequences + 1]</c>.</summary>
    public ReadOnlySpan<int> Starts => CollectionsMarshal.AsSpan(_starts);

    /// <summary>Plans ordinary causal attention: a token sees every earlier token of its sequence and itself.</summary>
    /// <param name="batch">Its first position of each sequence says how many keys are in the cache.</param>
    public void SetCausal(Batch batch) => SetChunked(batch, int.MaxValue);

    /// <summary>Plans causal attention that ends at the chunk's first token (spec llama4.md 3.7): a token sees the earlier tokens of its own chunk and itself.</summary>
    /// <param name="batch">Its first position of each sequence says how many keys are in the cache.</param>
    /// <param name="chunk">Tokens of a chunk; chunks begin at its multiples, counted from the sequence's first token.</param>
    public void SetChunked(Batch batch, int chunk)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(chunk);
        Clear();
        _starts.Add(0);
        for (int s = 0; s < batch.Sequences; s++)
        {
            int start = batch.Starts[s];
            int past = batch.Positions[start];
            _past.Add(past);
            for (int row = start; row < batch.Starts[s + 1]; row++)
            {
                int position = past + row - start;
                _first.Add(position - (position % chunk));
                _end.Add(position + 1);
            }

            _starts.Add(batch.Starts[s + 1]);
        }
    }

    private void Clear()
    {
        _first.Clear();
        _end.Clear();
        _past.Clear();
        _starts.Clear();
    }
}
