namespace Puna.Tensors.Kernels.Cpu;

/// <summary>Rows of a batch that go into one tile of a sequence.</summary>
internal unsafe struct KvStoreItem
{
    /// <summary>The tiles of the layer, one per key-value head.</summary>
    public byte* Tiles;

    /// <summary>First row of the batch.</summary>
    public int FirstRow;

    /// <summary>Number of rows.</summary>
    public int Rows;

    /// <summary>Place of the first row's token in the tile.</summary>
    public int FirstSlot;
}
