using Puna.Models;

namespace Puna.Training.Planning;

/// <summary>
/// Bytes that <see cref="Core.Trainer"/> holds: goes through a pass as the tape does and counts what is asked of scratch memory and of the pool of gradients, without a model.
/// </summary>
internal sealed class CpuMemory
{
    // Sizes that the attention kernels work in.
    private const int KeyTile = 32;
    private const int QueryTile = 48;
    private const long GemmBlockFloats = 96 * 256;

    private readonly LlamaConfig _model;
    private readonly ArenaSize _arena = new();
    private readonly PoolSize _pool = new();
    private readonly bool _checkpoints;
    private readonly int _threads;
    private readonly int _sequence;
    private readonly long _tokens;
    private readonly long _rows;
    private readonly long _q;
    private readonly long _kv;

    private CpuMemory(PlanLayout layout)
    {
        _model = layout.Model;
        _checkpoints = layout.Options.Checkpointing == PlanCheckpointing.Full;
        _threads = layout.Options.Threads;
        _sequence = layout.Sequence;
        _tokens = (long)layout.Sequence * layout.Options.MicroBatch;
        _rows = _tokens - layout.Options.MicroBatch; // the last token of a sequence has no target
        (_q, _kv) = ((long)_model.Heads * _model.HeadDim, (long)_model.KvHeads * _model.HeadDim);
    }

    /// <summary>The bytes of a step.</summary>
    public static MemoryPlan Estimate(PlanLayout layout)
    {
        var memory = new CpuMemory(layout);
        (long activations, long recomputed, long logits) = memory.Pass(layout.LossRows);
        double parameters = (double)memory._model.ParameterCount * sizeof(float);
        return new MemoryPlan
        {
            Parameters = parameters,
            Gradients = parameters,
            Optimizer = 2 * parameters,
            Activations = activations,
            Recomputed = recomputed,
            ActivationGradients = memory._pool.Bytes,
            Logits = logits,
            Workspace = memory._arena.Bytes - activations - recomputed - logits,
        };
    }

    private (long Activations, long Recomputed, long Logits) Pass(int lossRows)
    {
        long d = _model.Hidden, start = _arena.Used, recomputed = 0;
        _arena.Allocate(_tokens * _model.HeadDim / 2);
        _arena.Allocate(_tokens * _model.HeadDim / 2);
        _arena.Allocate(_tokens * d);
        for (int layer = 0; layer < _model.Layers; layer++)
        {
            if (_checkpoints)
            {
                _arena.Allocate(_tokens * d);
                recomputed = _arena.Scope(Block);
            }
            else
            {
                Block();
            }
        }

        _arena.Allocate(_rows * d);
        _arena.Allocate(_rows * d);
        long activations = _arena.Used - start;

        // The loss: logits of some rows at a time, and the output layer packed beside them.
        long chunk = Math.Min(lossRows, _rows), vocab = _model.Vocab, logits = chunk * vocab;
        object hidden = _pool.Rent(_rows * d);
        _arena.Scope(() =>
        {
            _arena.Allocate(logits);
            Packed(d, vocab);
            Packed(vocab, d);
            Packed(chunk, d, byColumns: true);
        });

        object normed = _pool.Rent(_rows * d);
        _pool.Return(hidden);
        object stream = _pool.Rent(_tokens * d);
        _pool.Return(normed);
        for (int layer = 0; layer < _model.Layers; layer++)
        {
            _arena.Scope(() =>
            {
                object? outside = _checkpoints ? stream : null;
                if (_checkpoints)
                {
                    Block();
                    stream = _pool.Rent(_tokens * d);
                }

                stream = Back(stream);
                if (outside is not null)
                {
                    _pool.Return(outside);
                }
            });
        }

        // A block that is run again lives where the logits were, so the larger of the two counts.
        long loss = logits * sizeof(float);
        return recomputed > loss ? (activations, recomputed, 0) : (activations, 0, loss);
    }

    /// <summary>The tensors of a block in the order in which the forward pass makes them.</summary>
    private void Block()
    {
        long t = _tokens, d = _model.Hidden, f = _model.Ffn;
        _arena.Allocate(t * d);
        Products(_model.QkvBias, d, _q, _kv, _kv);
        _arena.Allocate(t * _q);
        _arena.Allocate(t * _kv);
        _arena.Allocate(t * _q);
        long tiles = (_sequence + KeyTile - 1) / KeyTile * (t / _sequence);
        _arena.Scope(() => _arena.Allocate(tiles * KeyTile * 2 * _kv));
        Products(_model.AttentionOutputBias, _q, d);
        _arena.Allocate(t * d);
        _arena.Allocate(t * d);
        Products(_model.MlpBias, d, f, f);
        _arena.Allocate(t * f);
        Products(_model.MlpBias, f, d);
        _arena.Allocate(t * d);
    }

    /// <summary>Products of one input with several matrices.</summary>
    private void Products(bool bias, long inputs, params ReadOnlySpan<long> outputs)
    {
        foreach (long output in outputs)
        {
            _arena.Allocate(_tokens * output);
        }

        foreach (long output in outputs)
        {
            Packed(inputs, output);
        }

        for (int i = 0; bias && i < outputs.Length; i++)
        {
            _arena.Allocate(_tokens * outputs[i]);
        }
    }

    /// <summary>A product packs its right side in columns of 16; one that reads its left side by columns copies a block of it per thread.</summary>
    private void Packed(long inner, long columns, bool byColumns = false) => _arena.Scope(() =>
    {
        _arena.Allocate((columns + 15) / 16 * 16 * inner);
        if (byColumns)
        {
            _arena.Allocate(_threads * GemmBlockFloats);
        }
    });

    /// <summary>Back through a block: gradients in the order in which the tape needs them.</summary>
    private object Back(object result)
    {
        long t = _tokens, d = _model.Hidden, f = _model.Ffn;
        object middle = _pool.Rent(t * d), down = _pool.Rent(t * d);
        _pool.Return(result);
        object product = Through(down, f, d, null, _model.MlpBias);
        object gate = _pool.Rent(t * f), up = _pool.Rent(t * f);
        _pool.Return(product);
        object normed = Through(up, d, f, null, _model.MlpBias);
        Through(gate, d, f, normed, _model.MlpBias);
        _pool.Return(normed);
        object input = _pool.Rent(t * d), attended = _pool.Rent(t * d);
        _pool.Return(middle);
        object y = Through(attended, _q, d, null, _model.AttentionOutputBias);
        object turnedQ = _pool.Rent(t * _q), turnedK = _pool.Rent(t * _kv), v = _pool.Rent(t * _kv);
        long keys = (_sequence + 15) / 16 * 16, width = (_model.HeadDim + 15) / 16 * 16;
        _arena.Scope(() => _arena.Allocate(_threads * ((keys * _model.HeadDim * 2) + (keys * width * 3) + (2 * QueryTile * keys) + (2 * QueryTile * width))));
        _pool.Return(y);
        object k = _pool.Rent(t * _kv);
        _pool.Return(turnedK);
        object q = _pool.Rent(t * _q);
        _pool.Return(turnedQ);
        normed = Through(v, d, _kv, null, _model.QkvBias);
        Through(k, d, _kv, normed, _model.QkvBias);
        Through(q, d, _q, normed, _model.QkvBias);
        _pool.Return(normed);
        return input;
    }

    /// <summary>Back through a linear layer; returns the gradient of its input.</summary>
    private object Through(object gradient, long inputs, long outputs, object? input, bool bias)
    {
        if (bias)
        {
            object before = _pool.Rent(_tokens * outputs);
            _pool.Return(gradient);
            gradient = before;
        }

        input ??= _pool.Rent(_tokens * inputs);
        Packed(outputs, inputs);
        Packed(_tokens, inputs, byColumns: true);
        _pool.Return(gradient);
        return input;
    }
}
