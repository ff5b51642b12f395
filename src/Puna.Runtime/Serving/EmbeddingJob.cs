using Puna.Models;
using Puna.Models.Adapters;
using Puna.Runtime.Generation;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>Texts to be turned into vectors, a piece of a text per step of the engine.</summary>
internal sealed class EmbeddingJob(IReadOnlyList<IReadOnlyList<int>> prompts, EmbeddingPooling pooling, UnmergedAdapter? adapter, string key, long arrived)
{
    private readonly TaskCompletionSource<float[][]> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly float[][] _vectors = new float[prompts.Count][];
    private readonly UnmergedAdapter?[] _adapter = [adapter];
    private readonly AdapterBatch _adapters = new();
    private KvSequence? _cache;
    private double[] _sum = [];
    private int _text;
    private volatile bool _isAbandoned;

    /// <summary>The vectors, one per text.</summary>
    public Task<float[][]> Result => _result.Task;

    /// <summary>Whose it is.</summary>
    public string Key => key;

    /// <summary>When it came.</summary>
    public long Arrived => arrived;

    /// <summary>Whether anything of it was computed.</summary>
    public bool HasBegun { get; private set; }

    /// <summary>Whether a text of it is being computed, which holds blocks.</summary>
    public bool HoldsBlocks => _cache is not null;

    /// <summary>Whether nobody waits for it any more.</summary>
    public bool IsAbandoned => _isAbandoned;

    /// <summary>Computes the next piece.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ops">The device.</param>
    /// <param name="cache">Where keys and values go meanwhile.</param>
    /// <param name="batch">To fill.</param>
    /// <param name="context">To use.</param>
    /// <param name="most">Most tokens of a pass.</param>
    /// <param name="makeRoom">Makes room for blocks, or says that there is none now.</param>
    /// <returns>Whether there was room for it. It is over when <see cref="Result"/> is.</returns>
    public bool Step(LanguageModel model, CpuOps ops, KvCache cache, Batch batch, ForwardContext context, int most, Func<int, bool> makeRoom)
    {
        try
        {
            IReadOnlyList<int> text = prompts[_text];
            int first = _cache?.Length ?? 0;
            int count = Math.Min(most, text.Count - first);
            if (!makeRoom(EngineLoop.BlocksOf(first + count) - EngineLoop.BlocksOf(first)))
            {
                return false;
            }

            HasBegun = true;
            _cache ??= cache.CreateSequence();
            Compute(model, ops, batch, context, [.. text.Skip(first).Take(count)], first, first + count == text.Count);
            if (_cache.Length == text.Count)
            {
                _vectors[_text] = Normalised(text.Count);
                GiveBack();
                _text++;
            }

            if (_text == prompts.Count)
            {
                _result.TrySetResult(_vectors);
            }
        }
        catch (Exception e)
        {
            Fail(e);
        }

        return true;
    }

    /// <summary>Gives its blocks back; the text that they are of is computed anew later.</summary>
    public void GiveBack()
    {
        _cache?.Dispose();
        (_cache, _sum) = (null, []);
    }

    /// <summary>Nobody waits for it any more; any thread. The engine's thread drops it when it comes round.</summary>
    public void Abandon(Exception error)
    {
        _isAbandoned = true;
        SetError(error);
    }

    /// <summary>Ends the job.</summary>
    public void Fail(Exception error)
    {
        GiveBack();
        SetError(error);
    }

    private void SetError(Exception error)
    {
        if (error is OperationCanceledException cancelled)
        {
            _result.TrySetCanceled(cancelled.CancellationToken);
        }
        else
        {
            _result.TrySetException(error);
        }
    }

    private void Compute(LanguageModel model, CpuOps ops, Batch batch, ForwardContext context, int[] tokens, int first, bool isLast)
    {
        lock (ops.Gate)
        {
            model.EnterPass();
            ArenaMark mark = ops.Mark();
            try
            {
                batch.Clear();
                batch.Add(tokens, first, pooling == EmbeddingPooling.Mean ? BatchOutputs.All : isLast ? BatchOutputs.Last : BatchOutputs.None);
                context.Adapters = _adapters.Set(batch, _adapter);
                Tensor hidden = model.Llama.Hidden(ops, batch, context, [_cache!]);
                int width = model.Llama.Config.Hidden;
                var values = new float[checked(batch.Outputs.Length * width)];
                if (values.Length > 0)
                {
                    ops.Read(hidden, values);
                }

                // In the order of the tokens, so that pieces make no difference.
                _sum = _sum.Length == 0 ? new double[width] : _sum;
                for (int i = 0; i < values.Length; i++)
                {
                    _sum[i % width] += values[i];
                }
            }
            finally
            {
                ops.Release(mark);
                model.ExitPass();
            }
        }
    }

    private float[] Normalised(int tokens)
    {
        double divisor = pooling == EmbeddingPooling.Mean ? tokens : 1, squares = 0;
        foreach (double value in _sum)
        {
            squares += value / divisor * (value / divisor);
        }

        double length = Math.Sqrt(squares);
        return Array.ConvertAll(_sum, value => (float)(length == 0 ? 0 : value / divisor / length));
    }
}
