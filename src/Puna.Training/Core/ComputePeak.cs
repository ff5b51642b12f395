using System.Diagnostics;
using Puna.Tensors;

namespace Puna.Training.Core;

/// <summary>What the machine can do at best: the rate of a large float32 product, against which a training step is measured.</summary>
public static class ComputePeak
{
    private const int Size = 1024;

    /// <summary>The best of several products of two matrices of 1024 x 1024, in operations per second (two per multiply-add).</summary>
    /// <param name="ops">The device.</param>
    /// <param name="rounds">Products.</param>
    public static double Measure(CpuOps ops, int rounds = 8)
    {
        Tensor x = Tensor.Create(new Shape(Size, Size));
        var w = new Weight("peak", Tensor.Create(new Shape(Size, Size)));
        Initialization.Normal(x.Storage.Span<float>(0, Size * Size), 1, 1, 0, 1);
        Initialization.Normal(w.Master.Storage.Span<float>(0, Size * Size), 1, 2, 0, 1);
        double best = double.MaxValue;
        for (int i = 0; i < rounds; i++)
        {
            ArenaMark mark = ops.Mark();
            Tensor y = default;
            long start = Stopwatch.GetTimestamp();
            ops.MatMul(x, [w], new Span<Tensor>(ref y));
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            ops.Release(mark);
        }

        x.Storage.Dispose();
        w.Master.Storage.Dispose();
        return 2.0 * Size * Size * Size / best;
    }
}
