using Puna.Tensors;
using Puna.Tensors.Kernels.Cpu;

namespace Puna.Models.Tests;

/// <summary>Runs a model the ways it can be run.</summary>
internal static class Runner
{
    /// <summary>One pass over all tokens; logits of each.</summary>
    public static float[] Whole(Llama model, ReadOnlySpan<int> ids, int threads = 2, Action<Tensor>? hidden = null, CpuPath? path = null)
    {
        using var cpu = new CpuOps(threads, path);
        IOps ops = hidden is null ? cpu : new Tap(cpu, hidden);
        var batch = new Batch();
        batch.Add(ids, 0, BatchOutputs.All);
        return Read(cpu, model.Forward(ops, batch, new ForwardContext()));
    }

    /// <summary>With a cache, in chunks of some size; logits of each token.</summary>
    public static float[] Chunked(Llama model, ReadOnlySpan<int> ids, int chunk, int threads = 1, DType kv = DType.F32)
    {
        using var ops = new CpuOps(threads);
        using KvCache cache = model.CreateCache(kv);
        KvSequence[] sequence = [cache.CreateSequence()];
        var context = new ForwardContext();
        var logits = new List<float>();
        var batch = new Batch();
        for (int at = 0; at < ids.Length; at += chunk)
        {
            ArenaMark mark = ops.Mark();
            batch.Clear();
            batch.Add(ids.Slice(at, Math.Min(chunk, ids.Length - at)), at, BatchOutputs.All);
            logits.AddRange(Read(ops, model.Forward(ops, batch, context, sequence)));
            ops.Release(mark);
        }

        return [.. logits];
    }

    /// <summary>Several sequences side by side, each in chunks of its own size; logits of each token of each sequence.</summary>
    public static float[][] Ragged(Llama model, int[][] sequences, int[] chunks, int threads, DType kv = DType.F32)
    {
        using var ops = new CpuOps(threads);
        using KvCache cache = model.CreateCache(kv);
        KvSequence[] cached = [.. sequences.Select(_ => cache.CreateSequence())];
        var logits = sequences.Select(_ => new List<float>()).ToArray();
        var context = new ForwardContext();
        var batch = new Batch();
        int vocab = model.Output.Weight.Out;
        while (true)
        {
            batch.Clear();
            var members = new List<int>();
            for (int s = 0; s < sequences.Length; s++)
            {
                int at = cached[s].Length;
                int count = Math.Min(chunks[s], sequences[s].Length - at);
                if (count > 0)
                {
                    batch.Add(sequences[s].AsSpan(at, count), at, BatchOutputs.All);
                    members.Add(s);
                }
            }

            if (members.Count == 0)
            {
                return [.. logits.Select(l => l.ToArray())];
            }

            ArenaMark mark = ops.Mark();
            float[] all = Read(ops, model.Forward(ops, batch, context, [.. members.Select(m => cached[m])]));
            ops.Release(mark);
            for (int m = 0; m < members.Count; m++)
            {
                logits[members[m]].AddRange(all.AsSpan(batch.Starts[m] * vocab, (batch.Starts[m + 1] - batch.Starts[m]) * vocab));
            }
        }
    }

    /// <summary>Greedy continuation; with a cache, or every time anew.</summary>
    public static int[] Greedy(Llama model, int[] ids, int count, bool cached)
    {
        using var ops = new CpuOps(2);
        using KvCache cache = model.CreateCache();
        KvSequence[] sequence = [cache.CreateSequence()];
        var all = new List<int>(ids);
        int[] fresh = ids;
        var context = new ForwardContext();
        var batch = new Batch();
        for (int i = 0; i < count; i++)
        {
            ArenaMark mark = ops.Mark();
            batch.Clear();
            batch.Add(cached ? fresh : [.. all], cached ? all.Count - fresh.Length : 0, BatchOutputs.Last);
            float[] logits = Read(ops, model.Forward(ops, batch, context, cached ? sequence : null));
            ops.Release(mark);
            int best = Array.IndexOf(logits, logits.Max());
            all.Add(best);
            fresh = [best];
        }

        return [.. all];
    }

    private static float[] Read(CpuOps ops, Tensor x)
    {
        var values = new float[x.Shape.Count];
        ops.Read(x, values);
        return values;
    }

    /// <summary>Sees the residual stream without the model knowing: an example of a decorator of ops.</summary>
    internal sealed class Tap(IOps ops, Action<Tensor> hidden) : IOps
    {
        private int _depth;

        public Weight Pack(Weight weight) => ops.Pack(weight);

        public Tensor Allocate(Shape shape) => ops.Allocate(shape);

        public Tensor Gather(Weight table, ReadOnlySpan<int> rows)
        {
            Tensor y = ops.Gather(table, rows);
            hidden(y);
            return y;
        }

        public Tensor SelectRows(Tensor x, ReadOnlySpan<int> rows) => ops.SelectRows(x, rows);

        public void MatMul(Tensor x, ReadOnlySpan<Weight> w, Span<Tensor> y) => ops.MatMul(x, w, y);

        public void NormMatMul(Tensor x, Weight norm, float epsilon, ReadOnlySpan<Weight> w, Span<Tensor> y) => ops.NormMatMul(x, norm, epsilon, w, y);

        public Tensor RmsNorm(Tensor x, Weight norm, float epsilon)
        {
            Tensor y = ops.RmsNorm(x, norm, epsilon);
            if (_depth == 0)
            {
                hidden(y); // behind the blocks: this is the final norm
            }

            return y;
        }

        public Tensor LayerNorm(Tensor x, Weight norm, Weight bias, float epsilon) => ops.LayerNorm(x, norm, bias, epsilon);

        public Tensor Gelu(Tensor x) => ops.Gelu(x);

        public Tensor DisentangledAttention(Tensor q, Tensor k, Tensor v, Tensor relativeQ, Tensor relativeK, ReadOnlySpan<int> starts, ReadOnlySpan<int> distanceRows, int headDim) =>
            ops.DisentangledAttention(q, k, v, relativeQ, relativeK, starts, distanceRows, headDim);

        public Tensor Add(Tensor a, Tensor b) => ops.Add(a, b);

        public Tensor AddBias(Tensor x, Weight bias) => ops.AddBias(x, bias);

        public Tensor SwiGlu(Tensor gate, Tensor up) => ops.SwiGlu(gate, up);

        public Tensor Rope(Tensor x, Tensor cos, Tensor sin, RopeLayout layout) => ops.Rope(x, cos, sin, layout);

        public Tensor HeadNorm(Tensor x, int headDim, float epsilon) => ops.HeadNorm(x, headDim, epsilon);

        public Tensor ScaleRows(Tensor x, Tensor scales) => ops.ScaleRows(x, scales);

        public Tensor GateScores(Tensor logits, ReadOnlySpan<int> rows, int expert) => ops.GateScores(logits, rows, expert);

        public Tensor AddExperts(Tensor shared, ExpertRouting routing) => ops.AddExperts(shared, routing);

        public Tensor TanhGate(Tensor x, Weight gate, bool isComplement = false) => ops.TanhGate(x, gate, isComplement);

        public Tensor AddRows(Tensor x, Tensor y, ReadOnlySpan<int> rows) => ops.AddRows(x, y, rows);

        public Tensor ScaleColumns(Tensor x, Weight scales, ReadOnlySpan<int> rows) => ops.ScaleColumns(x, scales, rows);

        public Tensor ConcatColumns(Tensor first, ReadOnlySpan<Tensor> others) => ops.ConcatColumns(first, others);

        public Tensor Attention(Tensor q, Tensor k, Tensor v, KvView? cache, AttentionPlan plan, int headDim) => ops.Attention(q, k, v, cache, plan, headDim);

        public void Append(KvView cache, Tensor k, Tensor v, Batch batch) => ops.Append(cache, k, v, batch);

        public Tensor Run<TContext>(IBlock<TContext> block, Tensor x, TContext context, IOps? outer = null)
        {
            _depth++;
            Tensor y = ops.Run(block, x, context, outer ?? this);
            _depth--;
            hidden(y);
            return y;
        }

        public void Read(Tensor x, Span<float> host) => ops.Read(x, host);
    }
}
