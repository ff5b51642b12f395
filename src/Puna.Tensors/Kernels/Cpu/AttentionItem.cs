namespace Puna.Tensors.Kernels.Cpu;

/// <summary>A tile of query rows of one sequence, for one key-value head, over a range of spans of keys.</summary>
internal struct AttentionItem
{
    public int FirstRow;
    public int Rows;
    public int Sequence;
    public int KvHead;

    /// <summary>First span of keys.</summary>
    public int FirstSpan;

    /// <summary>End of the spans of keys.</summary>
    public int EndSpan;

    /// <summary>Index of the partial state of the first span, where the spans of a tile are shared between threads; -1 where one thread does all of them.</summary>
    public int Partial;
}
