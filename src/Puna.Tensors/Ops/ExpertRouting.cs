namespace Puna.Tensors;

/// <summary>
/// Which rows of a batch go to which expert, grouped by expert and in the order of the batch within each. Reused from layer to layer and pass to pass without allocating.
/// </summary>
public sealed class ExpertRouting
{
    private float[] _logits = [];
    private int[] _chosen = [];
    private int[] _starts = [0];
    private int[] _rows = [];
    private Tensor[] _outputs = [];

    /// <summary>Number of experts.</summary>
    public int Experts { get; private set; }

    /// <summary>Number of rows that were routed; each goes to as many experts as <see cref="Assign(IOps, Tensor, int)"/> was told, fewer where one had no room.</summary>
    public int Tokens { get; private set; }

    /// <summary>Per expert, what it makes of its rows: to be filled in by whoever runs the experts, for <see cref="IOps.AddExperts"/>. Experts without rows have none.</summary>
    public Span<Tensor> Outputs => _outputs.AsSpan(0, Experts);

    /// <summary>The rows that go to an expert, ascending.</summary>
    public ReadOnlySpan<int> Rows(int expert) => _rows.AsSpan(_starts[expert], _starts[expert + 1] - _starts[expert]);

    /// <summary>Sends every row to the experts with its largest scores; of equal ones the first.</summary>
    /// <param name="ops">The device that has the scores.</param>
    /// <param name="logits">Router scores <c>[tokens, experts]</c>.</param>
    /// <param name="perToken">Experts per row.</param>
    public void Assign(IOps ops, Tensor logits, int perToken)
    {
        int tokens = checked((int)logits.Rows);
        int experts = checked((int)logits.Columns);
        if (_logits.Length < logits.Shape.Count)
        {
            _logits = new float[logits.Shape.Count];
        }

        Span<float> host = _logits.AsSpan(0, tokens * experts);
        ops.Read(logits, host);
        Assign(host, experts, perToken);
    }

    /// <inheritdoc cref="Assign(IOps, Tensor, int)" path="/summary"/>
    /// <param name="logits">Router scores, row after row.</param>
    /// <param name="experts">Scores per row.</param>
    /// <param name="perToken">Experts per row.</param>
    /// <param name="capacity">Rows that an expert takes at most; the later ones of the batch go without it.</param>
    public void Assign(ReadOnlySpan<float> logits, int experts, int perToken, int capacity = int.MaxValue)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(experts, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)(perToken - 1), (uint)(experts - 1), nameof(perToken));
        (Experts, Tokens) = (experts, logits.Length / experts);
        Reserve(perToken);
        Span<int> starts = _starts.AsSpan(0, experts + 1);
        starts.Clear();
        for (int t = 0; t < Tokens; t++)
        {
            Span<int> chosen = _chosen.AsSpan(t * perToken, perToken);
            Choose(logits.Slice(t * experts, experts), chosen);
            foreach (ref int e in chosen)
            {
                if (starts[e + 1] == capacity)
                {
                    e = -1;
                }
                else
                {
                    starts[e + 1]++;
                }
            }
        }

        for (int e = 0; e < experts; e++)
        {
            starts[e + 1] += starts[e];
        }

        int kept = starts[experts];

        // Filled from behind, so that the starts end where they belong: each was the end of the expert before.
        for (int i = (Tokens * perToken) - 1; i >= 0; i--)
        {
            int e = _chosen[i];
            if (e >= 0)
            {
                _rows[--starts[e + 1]] = i / perToken;
            }
        }

        for (int e = 0; e < experts; e++)
        {
            starts[e] = starts[e + 1];
        }

        starts[experts] = kept;
        Outputs.Clear();
    }

    private static void Choose(ReadOnlySpan<float> logits, Span<int> chosen)
    {
        for (int k = 0; k < chosen.Length; k++)
        {
            int best = -1;
            for (int e = 0; e < logits.Length; e++)
            {
                if ((best < 0 || logits[e] > logits[best]) && !chosen[..k].Contains(e))
                {
                    best = e;
                }
            }

            chosen[k] = best;
        }
    }

    private void Reserve(int perToken)
    {
        if (_outputs.Length < Experts)
        {
            _outputs = new Tensor[Experts];
            _starts = new int[Experts + 1];
        }

        if (_rows.Length < Tokens * perToken)
        {
            _rows = new int[Tokens * perToken];
            _chosen = new int[Tokens * perToken];
        }
    }
}
