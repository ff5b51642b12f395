using BenchmarkDotNet.Attributes;
using Puna.Tensors;

namespace Puna.Bench.Kernels;

/// <summary>One layer's attention of a 1B model, as prefill and as one token behind a long text: <c>--filter *Attention*</c>.</summary>
public class AttentionBenchmarks
{
    private const int Heads = 32;
    private const int KvHeads = 8;
    private const int HeadDim = 64;

    private readonly Batch _batch = new();
    private readonly AttentionPlan _plan = new();
    private CpuOps _ops = null!;
    private KvCache _cache = null!;
    private KvView _view;
    private Tensor _q;
    private Tensor _k;

    /// <summary>Keys that the last query sees.</summary>
    [Params(512, 4096)]
    public int Length { get; set; }

    /// <summary>Query rows: one, or all.</summary>
    [Params(true, false)]
    public bool Decode { get; set; }

    /// <summary>Type of the cache.</summary>
    [Params(DType.F32, DType.F16, DType.Q8_0)]
    public DType Type { get; set; }

    /// <summary>Fills the cache.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _ops = new CpuOps();
        _cache = new KvCache(1, KvHeads, HeadDim, Type);
        KvSequence sequence = _cache.CreateSequence();
        _view = new KvView([sequence], 0);
        int tokens = Decode ? 1 : Length;
        int past = Length - tokens;
        sequence.Reserve(Length);
        var filled = new Batch();
        filled.Add(new int[Length], 0, BatchOutputs.None);
        Tensor keys = Random(Length, KvHeads * HeadDim);
        _ops.Append(_view, keys, keys, filled);
        sequence.Advance(past);

        _batch.Add(new int[tokens], past, BatchOutputs.None);
        _plan.SetCausal(_batch);
        _q = Random(tokens, Heads * HeadDim);
        _k = Random(tokens, KvHeads * HeadDim);
    }

    /// <summary>Gives everything back.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _cache.Dispose();
        _ops.Dispose();
    }

    /// <summary>The attention.</summary>
    [Benchmark]
    public void Attention()
    {
        ArenaMark mark = _ops.Mark();
        _ops.Attention(_q, _k, _k, _view, _plan, HeadDim);
        _ops.Release(mark);
    }

    private static Tensor Random(int rows, int columns)
    {
        var random = new Random(2);
        return Tensor.From([.. Enumerable.Range(0, rows * columns).Select(_ => (float)(random.NextDouble() - 0.5))], new Shape(rows, columns));
    }
}
