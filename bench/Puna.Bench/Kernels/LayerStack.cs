using Puna.Tensors;

namespace Puna.Bench.Kernels;

/// <summary>The attention of several layers behind one text.</summary>
internal sealed class LayerStack : IDisposable
{
    private readonly CpuOps _ops;
    private readonly KvCache _cache;
    private readonly KvSequence[] _sequences;
    private readonly Batch _batch = new();
    private readonly AttentionPlan _plan = new();
    private readonly Tensor _q;
    private readonly Tensor _k;
    private readonly int _headDim;

    /// <summary>Fills a cache.</summary>
    /// <param name="ops">What computes.</param>
    /// <param name="type">Type of the cache.</param>
    /// <param name="heads">Query heads.</param>
    /// <param name="kvHeads">Key-value heads.</param>
    /// <param name="headDim">Values per head.</param>
    /// <param name="keys">Keys that the last query sees.</param>
    /// <param name="rows">Query rows, the last of the text.</param>
    /// <param name="workingSet">Bytes that the keys and values of all layers come to.</param>
    public LayerStack(CpuOps ops, DType type, int heads, int kvHeads, int headDim, int keys, int rows, long workingSet)
    {
        (_ops, _headDim) = (ops, headDim);
        KeyBytes = new KvCache(1, kvHeads, headDim, type).BytesPerToken * keys;
        Layers = (int)Math.Clamp(workingSet / KeyBytes, 1, rows == 1 ? 64 : 2);
        _cache = new KvCache(Layers, kvHeads, headDim, type);
        KvSequence sequence = _cache.CreateSequence();
        _sequences = [sequence];
        sequence.Reserve(keys);
        _batch.Add(new int[keys], 0, BatchOutputs.None);
        Tensor all = Random(keys, kvHeads * headDim);
        for (int layer = 0; layer < Layers; layer++)
        {
            ops.Append(new KvView(_sequences, layer), all, all, _batch);
        }

        sequence.Advance(keys - rows);
        _batch.Clear();
        _batch.Add(new int[rows], keys - rows, BatchOutputs.None);
        _plan.SetCausal(_batch);
        _q = Random(rows, heads * headDim);
        _k = Random(rows, kvHeads * headDim);
    }

    /// <summary>Layers that a step goes through.</summary>
    public int Layers { get; }

    /// <summary>Bytes of the keys and values of one layer.</summary>
    public long KeyBytes { get; }

    /// <summary>Computes the attention of every layer.</summary>
    /// <returns>The number of layers.</returns>
    public int Step()
    {
        for (int layer = 0; layer < Layers; layer++)
        {
            ArenaMark mark = _ops.Mark();
            _ops.Attention(_q, _k, _k, new KvView(_sequences, layer), _plan, _headDim);
            _ops.Release(mark);
        }

        return Layers;
    }

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();

    private static Tensor Random(int rows, int columns)
    {
        var random = new Random(2);
        Tensor x = Tensor.Create(new Shape(rows, columns));
        for (int r = 0; r < rows; r++)
        {
            foreach (ref float value in x.Row<float>(r))
            {
                value = (float)(random.NextDouble() - 0.5);
            }
        }

        return x;
    }
}
