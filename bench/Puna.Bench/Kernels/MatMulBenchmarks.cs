using BenchmarkDotNet.Attributes;
using Puna.Tensors;
using Puna.Tensors.Kernels.Cpu;

namespace Puna.Bench.Kernels;

/// <summary>A feed-forward matrix of a 1B model times one token and times many: <c>--filter *MatMul*</c>.</summary>
public class MatMulBenchmarks
{
    private const int Out = 8192;
    private const int In = 2048;

    private CpuOps _ops = null!;
    private Weight _weight = null!;
    private Tensor _input;

    /// <summary>Type of the weight.</summary>
    [Params(DType.F32, DType.BF16, DType.Q8_0, DType.Q4_0, DType.Q4_K)]
    public DType Type { get; set; }

    /// <summary>Input rows.</summary>
    [Params(1, 128)]
    public int Tokens { get; set; }

    /// <summary>Kernels.</summary>
    [Params(CpuPath.Avx2, CpuPath.Avx512)]
    public CpuPath Path { get; set; }

    /// <summary>Fills weight and input.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        _ops = new CpuOps(0, Path);
        Tensor weight = Tensor.Create(new Shape(Out, In), Type);
        var row = new float[In];
        for (int r = 0; r < Out; r++)
        {
            for (int i = 0; i < In; i++)
            {
                row[i] = (float)(random.NextDouble() - 0.5);
            }

            Tensors.Quantization.Quantizer.Quantize(Type, row, weight.Row<byte>(r));
        }

        _weight = new Weight("weight", weight);
        _input = Tensor.From([.. Enumerable.Range(0, Tokens * In).Select(_ => (float)(random.NextDouble() - 0.5))], new Shape(Tokens, In));
    }

    /// <summary>Ends the threads.</summary>
    [GlobalCleanup]
    public void Cleanup() => _ops.Dispose();

    /// <summary>The product.</summary>
    [Benchmark]
    public void MatMul()
    {
        ArenaMark mark = _ops.Mark();
        Tensor y = default;
        _ops.MatMul(_input, [_weight], new Span<Tensor>(ref y));
        _ops.Release(mark);
    }
}
