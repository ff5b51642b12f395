namespace Puna.Tensors.Kernels.Cpu;

/// <summary>A tile of query rows of one sequence, for one key-value head.</summary>
internal struct AttentionItem
{
    public int FirstRow;
    public int Rows;
    public int Sequence;
    public int KvHead;
}
