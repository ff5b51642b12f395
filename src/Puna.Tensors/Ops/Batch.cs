using System.Runtime.InteropServices;

namespace Puna.Tensors;

/// <summary>
/// A ragged batch: a flat list of tokens with their positions and the boundaries of the sequences they belong to. Prompts of different lengths, one token each
/// of many sequences, packed training documents: all are this. Nothing is padded. Reusable: <see cref="Clear"/> and fill again without allocating.
/// </summary>
public sealed class Batch
{
    private readonly List<int> _tokens = [];
    private readonly List<int> _positions = [];
    private readonly List<int> _starts = [0];
    private readonly List<int> _outputs = [];

    /// <summary>Token ids, sequence after sequence.</summary>
    public ReadOnlySpan<int> Tokens => CollectionsMarshal.AsSpan(_tokens);

    /// <summary>Position of each token in its sequence.</summary>
    public ReadOnlySpan<int> Positions => CollectionsMarshal.AsSpan(_positions);

    /// <summary>Row of each sequence's first token, and the number of rows: <c>[sequences + 1]</c>.</summary>
    public ReadOnlySpan<int> Starts => CollectionsMarshal.AsSpan(_starts);

    /// <summary>Rows whose logits are wanted, ascending.</summary>
    public ReadOnlySpan<int> Outputs => CollectionsMarshal.AsSpan(_outputs);

    /// <summary>Number of tokens.</summary>
    public int Count => _tokens.Count;

    /// <summary>Number of sequences.</summary>
    public int Sequences => _starts.Count - 1;

    /// <summary>Empties the batch.</summary>
    public void Clear()
    {
        _tokens.Clear();
        _positions.Clear();
        _starts.Clear();
        _starts.Add(0);
        _outputs.Clear();
    }

    /// <summary>Adds consecutive tokens of one sequence.</summary>
    /// <param name="tokens">At least one token id.</param>
    /// <param name="firstPosition">Position of the first: how many tokens of the sequence the cache holds already.</param>
    /// <param name="outputs">Which rows' logits are wanted.</param>
    /// <returns>Index of the sequence in this batch.</returns>
    public int Add(ReadOnlySpan<int> tokens, int firstPosition, BatchOutputs outputs)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstPosition);
        if (tokens.IsEmpty)
        {
            throw new ArgumentException("a sequence of a batch has at least one token", nameof(tokens));
        }

        for (int i = 0; i < tokens.Length; i++)
        {
            if (outputs == BatchOutputs.All || (outputs == BatchOutputs.Last && i == tokens.Length - 1))
            {
                _outputs.Add(_tokens.Count);
            }

            _tokens.Add(tokens[i]);
            _positions.Add(checked(firstPosition + i));
        }

        _starts.Add(_tokens.Count);
        return Sequences - 1;
    }

    /// <summary>Asks for the logits of one more row, behind those asked for so far.</summary>
    /// <param name="row">A row of this batch.</param>
    public void AddOutput(int row)
    {
        if (row >= Count || row < 0 || (_outputs.Count > 0 && row <= _outputs[^1]))
        {
            throw new ArgumentOutOfRangeException(nameof(row), row, $"expected a row of {Count} behind the last output");
        }

        _outputs.Add(row);
    }
}
