using System.Diagnostics;
using System.Globalization;
using Puna.Tensors;
using Puna.Tensors.Kernels.Cpu;
using Puna.Tensors.Kernels.Cpu.Quantization;
using Puna.Tensors.Quantization;

namespace Puna.Bench.Quantization;

/// <summary>A quick table on one core, without BenchmarkDotNet's minutes: <c>-- dequantize [type ...]</c>.</summary>
internal static unsafe class DequantizeReport
{
    private const int Columns = 4096;

    /// <summary>Prints 10^9 values per second, best of a few tries, of a row in the first-level cache.</summary>
    public static int Run(ReadOnlySpan<string> names)
    {
        using var source = new NativeStorage(Columns * sizeof(float));
        using var destination = new NativeStorage(Columns * sizeof(float));
        Console.WriteLine("type      scalar  vector  (10^9 values/s, one core)");
        foreach (DType type in Enum.GetValues<DType>())
        {
            if (!Dequantizer.Supports(type) || (names.Length > 0 && !names.Contains(type.Name())))
            {
                continue;
            }

            RandomBlocks.Fill(type, source.Span<byte>(0, (int)type.RowBytes(Columns)), seed: 1);
            double scalar = Rate(type, CpuPath.Scalar, source, destination);
            double vector = Rate(type, CpuFeatures.Chosen, source, destination);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{type.Name(),-8} {scalar,7:0.00} {vector,7:0.00}"));
        }

        return 0;
    }

    private static double Rate(DType type, CpuPath level, NativeStorage source, NativeStorage destination)
    {
        double best = 0;
        for (int attempt = 0; attempt < 12; attempt++)
        {
            const int Rows = 2000;
            long start = Stopwatch.GetTimestamp();
            for (int row = 0; row < Rows; row++)
            {
                DequantizeKernels.DequantizeRow(type, level, (byte*)source.Address, (float*)destination.Address, Columns);
            }

            best = Math.Max(best, (double)Rows * Columns / Stopwatch.GetElapsedTime(start).TotalSeconds);
        }

        return best / 1e9;
    }
}
