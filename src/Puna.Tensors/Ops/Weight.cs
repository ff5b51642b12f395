namespace Puna.Tensors;

/// <summary>A parameter of a model: its master values and, later, what a kernel makes of them.</summary>
public sealed class Weight
{
    /// <summary>Creates a weight over existing values.</summary>
    /// <param name="name">Name in the checkpoint, for messages.</param>
    /// <param name="master">For a linear layer <c>[out, in]</c>, for an embedding <c>[vocab, hidden]</c>, for a norm or bias <c>[size]</c>.</param>
    public Weight(string name, Tensor master)
    {
        Name = name;
        Master = master;
    }

    /// <summary>Name in the checkpoint.</summary>
    public string Name { get; }

    /// <summary>The values.</summary>
    public Tensor Master { get; }

    /// <summary>Counts changes of the master values, so that whatever was derived from them can be renewed.</summary>
    public int Version { get; private set; }

    /// <summary>Rows of a matrix: the size of a linear layer's output.</summary>
    public int Out => checked((int)Master.Rows);

    /// <summary>Columns: the size of a linear layer's input.</summary>
    public int In => checked((int)Master.Columns);

    /// <summary>To be called after the master values were changed in place.</summary>
    public void Changed() => Version++;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Master.Shape} {Master.DType.Name()}";
}
