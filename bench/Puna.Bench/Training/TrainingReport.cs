using System.Diagnostics;
using System.Globalization;
using Puna.Models;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Data;

namespace Puna.Bench.Training;

/// <summary>Training steps of a small model: tokens per second and the share of the rate of a large product that is measured in between.</summary>
internal static class TrainingReport
{
    public static int Run(string[] options)
    {
        bool json = options.Contains("--json");
        options = [.. options.Where(static o => o != "--json")];
        TextWriter text = json ? TextWriter.Null : Console.Out;
        int rounds = options.Length > 0 ? int.Parse(options[0], CultureInfo.InvariantCulture) : 5;
        int rows = options.Length > 1 ? int.Parse(options[1], CultureInfo.InvariantCulture) : 8;
        const int Length = 512;
        var config = new LlamaConfig { Hidden = 288, Ffn = 768, Layers = 6, Heads = 6, KvHeads = 6, HeadDim = 48, Vocab = 4096, ContextLength = Length, NormEpsilon = 1e-5f };
        using var ops = new CpuOps();
        TrainableModel model = TrainableModel.Create(config, 1);
        using var trainer = new Trainer(ops, model, new AdamWOptions());
        var batch = new TrainingBatch();
        for (int r = 0; r < rows; r++)
        {
            int[] ids = [.. Enumerable.Range(0, Length).Select(i => ((i * 7919) + (r * 104729)) % config.Vocab)];
            batch.Add(ids, [.. Enumerable.Repeat(1f, Length)]);
        }

        double flops = FlopCount.Training(config, batch.Batch);
        text.WriteLine(FormattableString.Invariant($"{config.ParameterCount / 1e6:F1} million parameters, {batch.Batch.Count} tokens per step, {flops / 1e9:F1} GFLOP per step, {ops.Threads} threads, {ops.Path}"));
        trainer.Step([batch], 1e-3);
        var shares = new List<double>();
        var rates = new List<double>();
        double product = 0;
        for (int i = 0; i < rounds; i++)
        {
            double peak = ComputePeak.Measure(ops);
            long start = Stopwatch.GetTimestamp();
            trainer.Step([batch], 1e-3);
            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            shares.Add(flops / seconds / peak);
            rates.Add(batch.Batch.Count / seconds);
            product = Math.Max(product, peak);
            text.WriteLine(FormattableString.Invariant($"product {peak / 1e9,6:F1} GFLOP/s, step {flops / seconds / 1e9,6:F1} GFLOP/s, {batch.Batch.Count / seconds,7:F0} tokens/s, share {shares[^1]:P1}"));
        }

        shares.Sort();
        rates.Sort();
        text.WriteLine(FormattableString.Invariant($"median share {shares[shares.Count / 2]:P1}"));
        if (json)
        {
            Console.WriteLine(FormattableString.Invariant($$"""{"product": {{product:F0}}, "tokens_per_second": {{rates[rates.Count / 2]:F1}}, "share": {{shares[shares.Count / 2]:F4}}}"""));
        }

        return 0;
    }
}
