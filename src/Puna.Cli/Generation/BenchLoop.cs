using System.Diagnostics;
using Puna.Models;
using Puna.Runtime.Generation;
using Puna.Tensors;

namespace Puna.Cli.Generation;

/// <summary>The passes that <c>puna bench</c> times: several sequences in one ragged batch, random prompts, the most likely token each step.</summary>
internal sealed class BenchLoop(OpenedModel opened, int sequences, CancellationToken token)
{
    private readonly Llama _llama = opened.Llama;
    private readonly CpuOps _ops = opened.Ops;
    private readonly Batch _batch = new();
    private readonly ForwardContext _pass = new();
    private readonly float[] _row = new float[opened.Llama.Output.Weight.Out];

    /// <summary>Bytes of the weights that a decoding step reads: all but an embedding that is not the output layer too, and experts that the token is not sent to.</summary>
    public long WeightBytes
    {
        get
        {
            long bytes = 0;
            foreach ((string name, _) in _llama.Config.Parameters())
            {
                bool isLookup = name == "tok_embeddings.weight" && !_llama.Config.TiedEmbeddings;
                bytes += !isLookup && IsRead(name) && opened.Checkpoint.TryGetInfo(name, out Formats.TensorInfo? info) ? info.ByteLength : 0;
            }

            return bytes;
        }
    }

    /// <summary>
    /// Float operations that a token of a prompt takes in the matrices of the blocks, two per multiply-add; attention's own products, which depend on the
    /// place in the text, and the output layer, which only the last token of a prompt passes, are left out.
    /// </summary>
    public long FlopsPerToken
    {
        get
        {
            long flops = 0;
            foreach ((string name, Shape shape) in _llama.Config.Parameters())
            {
                flops += name.StartsWith("layers.", StringComparison.Ordinal) && IsRead(name) && shape.Rank == 2 ? 2 * shape.Rows * shape.Columns : 0;
            }

            return flops;
        }
    }

    /// <summary>Experts of a layer are alike: the first of them stand for those that a token is sent to.</summary>
    private bool IsRead(string name) => _llama.Config.Llama4 is not { } four || name.Split('.') is not [_, _, _, "experts", string number, ..]
        || int.Parse(number, System.Globalization.CultureInfo.InvariantCulture) < four.ExpertsPerToken;

    /// <summary>Brings code, caches and pages of the model into the state they have in the middle of work.</summary>
    public void WarmUp(int prefill)
    {
        const int Tokens = 64;
        const int Steps = 8;
        int most = _llama.Config.ContextLength;
        int tokens = Math.Min(prefill, Math.Min(Tokens, Math.Max(1, most - Steps)));
        Run(tokens, tokens, Math.Min(Steps, most - tokens));
    }

    /// <summary>Times a prefill and the decoding after it.</summary>
    /// <param name="prefill">Tokens of each prompt.</param>
    /// <param name="before">Tokens in the cache when decoding starts, at least those of the prompt; the rest is filled in between, and is not timed.</param>
    /// <param name="decode">Tokens generated then.</param>
    public (TimeSpan Prefill, TimeSpan Decode) Run(int prefill, int before, int decode)
    {
        using KvCache cache = _llama.CreateCache(opened.CacheType);
        var cached = new KvSequence[sequences];
        var next = new int[sequences];
        var prompts = new int[sequences][];
        var random = new Random(1); // the same tokens every time
        for (int s = 0; s < sequences; s++)
        {
            cached[s] = cache.CreateSequence();
            prompts[s] = new int[before];
            for (int i = 0; i < before; i++)
            {
                prompts[s][i] = random.Next(_llama.Config.Vocab);
            }
        }

        long start = Stopwatch.GetTimestamp();
        Read(prompts, cached, 0, prefill, next);
        TimeSpan prefillTime = Stopwatch.GetElapsedTime(start);
        Read(prompts, cached, prefill, before, next);
        start = Stopwatch.GetTimestamp();
        for (int i = 0; i < decode; i++)
        {
            _batch.Clear();
            for (int s = 0; s < sequences; s++)
            {
                _batch.Add([next[s]], before + i, BatchOutputs.Last);
            }

            Forward(cached, next);
        }

        return (prefillTime, Stopwatch.GetElapsedTime(start));
    }

    /// <summary>Reads the prompts from one place to another, in chunks as they are when text is made.</summary>
    private void Read(int[][] prompts, KvSequence[] cached, int from, int to, int[] next)
    {
        int chunk = _llama.Config.RopeScaling is RopeScaling.Dynamic ? Math.Max(1, to - from) : Math.Max(1, Session.PrefillChunk / sequences);
        for (int at = from; at < to; at += chunk)
        {
            int count = Math.Min(chunk, to - at);
            bool isLast = at + count == to;
            _batch.Clear();
            for (int s = 0; s < sequences; s++)
            {
                _batch.Add(prompts[s].AsSpan(at, count), at, isLast ? BatchOutputs.Last : BatchOutputs.None);
            }

            Forward(cached, isLast ? next : []);
        }
    }

    private void Forward(KvSequence[] cached, Span<int> next)
    {
        token.ThrowIfCancellationRequested();
        ArenaMark mark = _ops.Mark();
        Tensor logits = _llama.Forward(_ops, _batch, _pass, cached);
        for (int s = 0; s < next.Length; s++)
        {
            _ops.Read(logits.Slice(s, 1), _row);
            next[s] = Largest(_row);
        }

        _ops.Release(mark);
    }

    private static int Largest(ReadOnlySpan<float> values)
    {
        int best = 0;
        for (int i = 1; i < values.Length; i++)
        {
            best = values[i] > values[best] ? i : best;
        }

        return best;
    }
}
