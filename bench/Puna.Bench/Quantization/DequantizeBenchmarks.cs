using BenchmarkDotNet.Attributes;
using Puna.Tensors;
using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Quantization;

namespace Puna.Bench.Quantization;

/// <summary>Decoding a row that stays in the first-level cache, scalar twin against vectors: <c>--filter *Dequantize*</c>.</summary>
public unsafe class DequantizeBenchmarks : IDisposable
{
    private const int Columns = 4096;
    private readonly NativeStorage _source = new(Columns * sizeof(float));
    private readonly NativeStorage _destination = new(Columns * sizeof(float));

    /// <summary>The storage type.</summary>
    [Params(DType.F16, DType.BF16, DType.Q4_0, DType.Q8_0, DType.Q4_K, DType.Q6_K)]
    public DType Type { get; set; }

    /// <summary>Fills the row with blocks of ordinary scales.</summary>
    [GlobalSetup]
    public void Setup() => RandomBlocks.Fill(Type, _source.Span<byte>(0, (int)Type.RowBytes(Columns)), seed: 1);

    /// <summary>The definition.</summary>
    [Benchmark(Baseline = true, OperationsPerInvoke = Columns)]
    public void Scalar() => DequantizeKernels.DequantizeRow(Type, CpuPath.Scalar, (byte*)_source.Address, (float*)_destination.Address, Columns);

    /// <summary>What a matrix product calls.</summary>
    [Benchmark(OperationsPerInvoke = Columns)]
    public void Vector() => DequantizeKernels.DequantizeRow(Type, (byte*)_source.Address, (float*)_destination.Address, Columns);

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _destination.Dispose();
        GC.SuppressFinalize(this);
    }
}
