using Puna.Models;
using Puna.Tensors;

namespace Puna.Runtime.Generation;

/// <summary>The rows of a pass that take embeddings of pictures, and where these are. Reused from pass to pass.</summary>
internal sealed class SoftRows
{
    private readonly List<int> _rows = [];
    private readonly List<(Tensor Values, int Row)> _sources = [];

    /// <summary>Forgets the pass before.</summary>
    public void Clear()
    {
        _rows.Clear();
        _sources.Clear();
    }

    /// <summary>Adds a row; they come in ascending order.</summary>
    /// <param name="row">Row of the batch.</param>
    /// <param name="values">Embeddings of a picture.</param>
    /// <param name="from">Which of them.</param>
    public void Add(int row, Tensor values, int from)
    {
        _rows.Add(row);
        _sources.Add((values, from));
    }

    /// <summary>The embeddings side by side, in the current scope of a device; null where there are none.</summary>
    public SoftTokens? Gather(IOps ops)
    {
        if (_rows.Count == 0)
        {
            return null;
        }

        Tensor values = ops.Allocate(new Shape(_rows.Count, _sources[0].Values.Columns));
        for (int i = 0; i < _rows.Count; i++)
        {
            _sources[i].Values.Row<float>(_sources[i].Row).CopyTo(values.Row<float>(i));
        }

        return new SoftTokens([.. _rows], values);
    }
}
