namespace Puna.Tensors;

/// <summary>Memory for the tokens of one block in all layers of a kind, and how many sequences and pages hold it.</summary>
internal sealed class KvBlock(NativeStorage storage)
{
    public NativeStorage Storage { get; } = storage;

    public int Holders { get; set; }
}
