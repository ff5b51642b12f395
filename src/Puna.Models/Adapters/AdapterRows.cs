using System.Runtime.InteropServices;
using Puna.Tensors;

namespace Puna.Models.Adapters;

/// <summary>Rows of activations by the adapter that each has; rows without one are in no list. What is added to a row depends on that row and its adapter alone.</summary>
public sealed class AdapterRows
{
    private readonly List<UnmergedAdapter> _adapters = [];
    private readonly List<List<int>> _rows = [];

    /// <summary>Number of different adapters.</summary>
    public int Count => _adapters.Count;

    /// <summary>Adds to the product of a weight what the rows' adapters say.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="name">Canonical name of the weight.</param>
    /// <param name="x">What the layer read <c>[rows, in]</c>.</param>
    /// <param name="y">The product <c>[rows, out]</c>.</param>
    /// <returns><c>[rows, out]</c>; rows without an adapter of this weight are those of y, bit by bit.</returns>
    public Tensor Add(IOps ops, string name, Tensor x, Tensor y)
    {
        for (int i = 0; i < _adapters.Count; i++)
        {
            if (_adapters[i].Find(name) is { } part)
            {
                ReadOnlySpan<int> rows = CollectionsMarshal.AsSpan(_rows[i]);
                Tensor thin = Product(ops, rows.Length == x.Rows ? x : ops.SelectRows(x, rows), part.A);
                y = ops.AddRows(y, Product(ops, thin, part.B), rows);
                y = part.Factors is null ? y : ops.ScaleColumns(y, part.Factors, rows);
            }
        }

        return y;
    }

    /// <summary>Adds to the embeddings of tokens what the rows' adapters say.</summary>
    /// <param name="ops">The device.</param>
    /// <param name="tokens">The token of each row.</param>
    /// <param name="x">Embeddings <c>[rows, hidden]</c>.</param>
    public Tensor AddEmbedding(IOps ops, ReadOnlySpan<int> tokens, Tensor x)
    {
        for (int i = 0; i < _adapters.Count; i++)
        {
            if (_adapters[i].Find(Llama.EmbeddingName) is { Table: { } table, Columns: { } columns })
            {
                ReadOnlySpan<int> rows = CollectionsMarshal.AsSpan(_rows[i]);
                var own = new int[rows.Length];
                for (int j = 0; j < own.Length; j++)
                {
                    own[j] = tokens[rows[j]];
                }

                x = ops.AddRows(x, Product(ops, ops.Gather(table, own), columns), rows);
            }
        }

        return x;
    }

    internal void Clear()
    {
        _adapters.Clear();
        foreach (List<int> rows in _rows)
        {
            rows.Clear();
        }
    }

    internal void Add(UnmergedAdapter adapter, int row)
    {
        int i = _adapters.IndexOf(adapter);
        if (i < 0)
        {
            i = _adapters.Count;
            _adapters.Add(adapter);
            if (_rows.Count == i)
            {
                _rows.Add([]);
            }
        }

        _rows[i].Add(row);
    }

    private static Tensor Product(IOps ops, Tensor x, Weight w)
    {
        Tensor y = default;
        ops.MatMul(x, [w], new Span<Tensor>(ref y));
        return y;
    }
}
