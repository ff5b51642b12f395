namespace Puna.Tensors;

/// <summary>A parameter of a model: its values as they are in a file or as training changes them, or packed for a kernel.</summary>
public sealed class Weight
{
    private readonly Tensor? _master;

    /// <summary>Creates a weight over existing values.</summary>
    /// <param name="name">Name in the checkpoint, for messages.</param>
    /// <param name="master">For a linear layer <c>[out, in]</c>, for an embedding <c>[vocab, hidden]</c>, for a norm or bias <c>[size]</c>.</param>
    public Weight(string name, Tensor master)
    {
        Name = name;
        _master = master;
        (Out, In, DType, Shape) = (checked((int)master.Rows), checked((int)master.Columns), master.DType, master.Shape);
    }

    /// <summary>Creates a weight that exists in packed form only.</summary>
    /// <param name="name">Name in the checkpoint, for messages.</param>
    /// <param name="packed">The matrix.</param>
    public Weight(string name, PackedMatrix packed)
    {
        Name = name;
        Packed = packed;
        (Out, In, DType, Shape) = (packed.Rows, packed.Columns, packed.Type, new Shape(packed.Rows, packed.Columns));
    }

    /// <summary>Name in the checkpoint.</summary>
    public string Name { get; }

    /// <summary>The values in row order.</summary>
    /// <exception cref="InvalidOperationException">The weight exists in packed form only.</exception>
    public Tensor Master => _master ?? throw new InvalidOperationException($"weight {Name}: expected values in row order, got a packed matrix");

    /// <summary>What a kernel made of the values, or null.</summary>
    public PackedMatrix? Packed { get; }

    /// <summary>Type of the values.</summary>
    public DType DType { get; }

    /// <summary>Sizes, outermost first.</summary>
    public Shape Shape { get; }

    /// <summary>Counts changes of the master values, so that whatever was derived from them can be renewed.</summary>
    public int Version { get; private set; }

    /// <summary>Rows of a matrix: the size of a linear layer's output.</summary>
    public int Out { get; }

    /// <summary>Columns: the size of a linear layer's input.</summary>
    public int In { get; }

    /// <summary>Says that the weight will be read soon: one that is left in a mapped file begins to be fetched.</summary>
    public void Expect() => _master?.Storage.Expect(_master.Value.Offset, checked((nint)_master.Value.ByteLength));

    /// <summary>To be called after the master values were changed in place.</summary>
    public void Changed() => Version++;

    /// <inheritdoc/>
    public override string ToString() => $"{Name} {Shape} {DType.Name()}";
}
