using System.Diagnostics;
using System.Globalization;
using Puna.Tensors;

namespace Puna.Bench.Kernels;

/// <summary>
/// How fast attention of 1B and 8B shapes is: one token behind a long text, in GB/s of keys and values read, and prompts, in GFLOP/s: <c>attention [threads] [f32|f16|q8_0]...</c>. Each step
/// goes through as many layers as fill 256 MB, so that the cache comes from memory as it does in a model. Types take turns; the best of seven rounds is shown. With a number of threads in
/// front, that many compute; with 1, rates are those of processor time, which others on the machine disturb less.
/// </summary>
internal static class AttentionReport
{
    private const int Rounds = 7;
    private const long WorkingSet = 256L << 20;

    /// <summary>Runs the report.</summary>
    /// <param name="args">Perhaps a number of threads, then names of cache types; none means all.</param>
    public static int Run(string[] args)
    {
        int threads = args.Length > 0 && int.TryParse(args[0], NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
        string[] types = args[(threads > 0 ? 1 : 0)..];
        DType[] all = types.Length == 0 ? [DType.F32, DType.F16, DType.Q8_0] : [.. types.Select(static t => DTypes.TryParse(t, out DType type) ? type : throw new PunaException($"type {t}: expected f32, f16 or q8_0"))];
        using var ops = new CpuOps(threads);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{ops.Threads} threads, kernels {ops.Path.ToString().ToLowerInvariant()}"));
        foreach ((int heads, int kvHeads, int headDim) in new[] { (32, 8, 64), (32, 8, 128), (32, 1, 64), (32, 32, 128) })
        {
            foreach (int keys in new[] { 512, 4096, 16384 })
            {
                Measure(ops, all, heads, kvHeads, headDim, keys, 1);
            }

            Measure(ops, all, heads, kvHeads, headDim, 512, 512);
            Measure(ops, all, heads, kvHeads, headDim, 2048, 512);
        }

        return 0;
    }

    private static void Measure(CpuOps ops, DType[] types, int heads, int kvHeads, int headDim, int keys, int rows)
    {
        var runs = types.Select(type => new LayerStack(ops, type, heads, kvHeads, headDim, keys, rows, WorkingSet)).ToArray();
        var best = new double[runs.Length];
        Array.Fill(best, double.MaxValue);
        for (int round = 0; round <= Rounds; round++)
        {
            for (int i = 0; i < runs.Length; i++)
            {
                TimeSpan before = Environment.CpuUsage.TotalTime;
                long start = Stopwatch.GetTimestamp();
                int layers = runs[i].Step();
                TimeSpan time = ops.Threads == 1 ? Environment.CpuUsage.TotalTime - before : Stopwatch.GetElapsedTime(start);
                double seconds = time.TotalSeconds / layers;
                best[i] = round == 0 ? best[i] : Math.Min(best[i], seconds);
            }
        }

        for (int i = 0; i < runs.Length; i++)
        {
            double pairs = (rows * (double)(keys - rows)) + (rows * (rows + 1) / 2.0);
            string rate = rows == 1
                ? $"{runs[i].KeyBytes / best[i] / 1e9,6:F1} GB/s"
                : $"{4 * pairs * heads * headDim / best[i] / 1e9,6:F1} GFLOP/s";
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{heads}/{kvHeads}/{headDim} {types[i].Name(),-5} {rows,4} rows {keys,6} keys {best[i] * 1e6,9:F1} us per layer {rate}"));
            runs[i].Dispose();
        }
    }
}
