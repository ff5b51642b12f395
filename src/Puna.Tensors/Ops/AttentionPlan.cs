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
    private readonly List<int> _starts = [0];
    private readonly List<int> _keyStarts = [0];

    /// <summary>Per query row, its first visible key.</summary>
    public ReadOnlySpan<int> KeyFirst => CollectionsMarshal.AsSpan(_first);

    /// <summary>Per query row, the end of its visible keys.</summary>
    public ReadOnlySpan<int> KeyEnd => CollectionsMarshal.AsSpan(_end);

    /// <summary>Per sequence, how many of its keys are in the cache; the others are those of the batch.</summary>
    public ReadOnlySpan<int> PastLength => CollectionsMarshal.AsSpan(_past);

    /// <summary>Row of each sequence's first query, and the number of rows: <c>[sequences + 1]</c>.</summary>
    public ReadOnlySpan<int> Starts => CollectionsMarshal.AsSpan(_starts);

    /// <summary>Row of each sequence's first key that is not in the cache, and the number of these keys: <c>[sequences + 1]</c>. In self-attention the same as <see cref="Starts"/>.</summary>
    public ReadOnlySpan<int> KeyStarts => CollectionsMarshal.AsSpan(_keyStarts);

    /// <summary>Keys of a sequence, cached ones included.</summary>
    public int KeyCount(int sequence) => _past[sequence] + _keyStarts[sequence + 1] - _keyStarts[sequence];

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
            _keyStarts.Add(batch.Starts[s + 1]);
        }
    }

    /// <summary>Plans nothing yet: sequences follow by <see cref="AddSequence"/>.</summary>
    public void Clear()
    {
        _first.Clear();
        _end.Clear();
        _past.Clear();
        _starts.Clear();
        _keyStarts.Clear();
        _starts.Add(0);
        _keyStarts.Add(0);
    }

    /// <summary>Adds a sequence of queries with keys of its own, which need not be as many; the queries follow by <see cref="AddQueries"/>.</summary>
    /// <param name="past">Its keys that are in the cache.</param>
    /// <param name="keys">Its keys that are not.</param>
    public void AddSequence(int past, int keys)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(past);
        ArgumentOutOfRangeException.ThrowIfNegative(keys);
        _past.Add(past);
        _starts.Add(_starts[^1]);
        _keyStarts.Add(checked(_keyStarts[^1] + keys));
    }

    /// <summary>Adds queries of the latest sequence that see the same of its keys.</summary>
    /// <param name="count">How many.</param>
    /// <param name="first">The first key they see.</param>
    /// <param name="end">The end of the keys they see.</param>
    public void AddQueries(int count, int first, int end)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfNegative(first);
        ArgumentOutOfRangeException.ThrowIfLessThan(end, first);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, KeyCount(_past.Count - 1));
        for (int i = 0; i < count; i++)
        {
            _first.Add(first);
            _end.Add(end);
        }

        _starts[^1] += count;
    }
}
