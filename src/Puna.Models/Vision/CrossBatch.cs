using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>The tokens of a batch that see images, and what they see. Reused from pass to pass; a pass over text alone finds it empty and never meets a cross-attention layer.</summary>
public sealed class CrossBatch
{
    private readonly List<int> _rows = [];
    private readonly List<KvSequence> _keys = [];
    private readonly List<int> _featureRows = [];
    private int _batchRows;

    /// <summary>Rows of the batch that see an image, ascending.</summary>
    public ReadOnlySpan<int> Rows => CollectionsMarshal.AsSpan(_rows);

    /// <summary>Whether no token sees an image.</summary>
    public bool IsEmpty => _rows.Count == 0;

    /// <summary>Whether every token sees an image.</summary>
    public bool IsWhole => _rows.Count == _batchRows;

    /// <summary>Which keys each of these rows sees: a run of tokens of one text that see the same is a sequence of the plan.</summary>
    public AttentionPlan Plan { get; } = new();

    /// <summary>Cached keys and values, one sequence per sequence of the plan; null where layers compute theirs from <see cref="Features"/>.</summary>
    public IReadOnlyList<KvSequence>? Keys => _keys.Count > 0 ? _keys : null;

    /// <summary>What keys and values are computed from <c>[keys, hidden]</c>.</summary>
    public Tensor Features { get; private set; }

    /// <summary>Prepares a pass.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="batch">The tokens.</param>
    /// <param name="states">The images of each sequence of the batch, null for text alone; or null where no sequence has any.</param>
    /// <param name="tileTokens">Tokens of a tile.</param>
    internal void Set(IOps ops, Batch batch, IReadOnlyList<CrossStates?>? states, int tileTokens)
    {
        _rows.Clear();
        _keys.Clear();
        _featureRows.Clear();
        Plan.Clear();
        Features = default;
        _batchRows = batch.Count;
        if (states is null)
        {
            return;
        }

        if (states.Count != batch.Sequences)
        {
            throw new InvalidOperationException($"images: expected those of {batch.Sequences} sequences, got {states.Count}");
        }

        Tensor? features = null;
        for (int s = 0; s < batch.Sequences; s++)
        {
            if (states[s] is not { } seen)
            {
                continue;
            }

            if ((_keys.Count > 0 && !seen.IsCached) || (features is not null && (seen.IsCached || features != seen.Features)))
            {
                throw new InvalidOperationException($"images of sequence {s}: expected one tensor of image features for all sequences, or cached keys and values for all");
            }

            features = seen.IsCached ? null : seen.Features;
            Add(batch, s, seen, tileTokens);
        }

        if (features is Tensor all && _rows.Count > 0)
        {
            Features = ops.SelectRows(all, CollectionsMarshal.AsSpan(_featureRows));
        }
    }

    private void Add(Batch batch, int sequence, CrossStates seen, int tileTokens)
    {
        int latest = -1;
        for (int row = batch.Starts[sequence]; row < batch.Starts[sequence + 1]; row++)
        {
            int set = seen.Mask.SetAt(batch.Positions[row]);
            if (set >= 0)
            {
                int count = seen.Mask.Sets[set].Count * tileTokens;
                if (set != latest)
                {
                    Plan.AddSequence(seen.IsCached ? count : 0, seen.IsCached ? 0 : count);
                    AddKeys(seen, set, tileTokens);
                }

                _rows.Add(row);
                Plan.AddQueries(1, 0, count);
            }

            latest = set;
        }
    }

    private void AddKeys(CrossStates seen, int set, int tileTokens)
    {
        if (seen.IsCached)
        {
            _keys.Add(seen.Keys(set));
            return;
        }

        foreach (int column in seen.Mask.Sets[set])
        {
            int first = ((seen.FirstImage * seen.Mask.MaxTiles) + column) * tileTokens;
            for (int t = 0; t < tileTokens; t++)
            {
                _featureRows.Add(first + t);
            }
        }
    }
}
