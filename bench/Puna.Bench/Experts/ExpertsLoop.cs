using System.Diagnostics;
using Puna.Models;
using Puna.Tensors;

namespace Puna.Bench.Experts;

/// <summary>A prompt and tokens behind it, all drawn at random.</summary>
/// <param name="model">The model.</param>
/// <param name="ops">The device.</param>
/// <param name="shelf">Notes which experts are used; null where they are in memory.</param>
internal sealed class ExpertsLoop(Llama model, CpuOps ops, ExpertShelf? shelf)
{
    private readonly Batch _batch = new();
    private readonly ForwardContext _pass = new();
    private readonly float[] _logits = new float[model.Output.Weight.Out];

    /// <summary>Runs them.</summary>
    /// <param name="prefill">Tokens of the prompt, in one pass.</param>
    /// <param name="decode">Tokens behind it, one pass each.</param>
    /// <param name="between">What happens to the experts between passes; not timed.</param>
    public ExpertsResult Run(int prefill, int decode, Action between)
    {
        var random = new Random(7);
        using KvCache cache = model.CreateCache();
        KvSequence[] sequence = [cache.CreateSequence()];
        int[] tokens = [.. Enumerable.Range(0, prefill + decode).Select(_ => random.Next(model.Config.Vocab))];
        double first = Pass(tokens.AsSpan(0, prefill), 0, sequence);
        between();
        var times = new double[decode];
        (long bytes, int used) = (0, 0);
        for (int i = 0; i < decode; i++)
        {
            long before = FilePages.Reads().Bytes;
            times[i] = Pass(tokens.AsSpan(prefill + i, 1), prefill + i, sequence) * 1000;
            bytes += FilePages.Reads().Bytes - before;
            used += shelf?.Used ?? 0;
            between();
        }

        return new ExpertsResult(first, times, bytes, used);
    }

    private double Pass(ReadOnlySpan<int> tokens, int position, KvSequence[] sequence)
    {
        shelf?.Begin();
        _pass.ExpertChoice = shelf;
        _batch.Clear();
        _batch.Add(tokens, position, BatchOutputs.Last);
        long start = Stopwatch.GetTimestamp();
        ArenaMark mark = ops.Mark();
        ops.Read(model.Forward(ops, _batch, _pass, sequence), _logits);
        ops.Release(mark);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
