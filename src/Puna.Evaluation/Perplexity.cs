using Puna.Models;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Evaluation;

/// <summary>
/// Perplexity over independent texts: each is read as BOS, its tokens and EOS (where the tokenizer has them), and every token after the first is predicted. A text
/// that is longer than the context is cut into windows that are read independently.
/// </summary>
public sealed class Perplexity
{
    /// <summary>Most logits held at a time: 64 MB.</summary>
    private const int LogitsAtOnce = 1 << 24;

    private readonly LanguageModel _model;
    private readonly Tokenizer _tokenizer;
    private readonly CpuOps _ops;
    private readonly DType? _cacheType;

    /// <summary>Prepares a measurement.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ops">The device.</param>
    /// <param name="cacheType">Type of the cached keys and values: float32, float16 or q8_0; null means <see cref="Models.Llama.CacheType"/>.</param>
    /// <exception cref="PunaException">The model has no tokenizer, or is a classifier.</exception>
    public Perplexity(LanguageModel model, CpuOps ops, DType? cacheType = null)
    {
        if (model.Llama.Config.Labels > 0 || model.Llama.Config.ContextLength < 2)
        {
            throw new PunaException($"model {model.Checkpoint.Path}: expected a language model with a context of two tokens or more");
        }

        _model = model;
        _ops = ops;
        _cacheType = cacheType;
        _tokenizer = model.Tokenizer ?? throw new PunaException($"model {model.Checkpoint.Path}: expected a tokenizer, got none");
    }

    /// <summary>Scores texts one after the other.</summary>
    /// <param name="texts">The texts; empty ones are passed over.</param>
    /// <param name="progress">Told the result so far after each text, or null.</param>
    /// <param name="cancel">Ends the measurement between passes.</param>
    public PerplexityResult Score(IEnumerable<string> texts, Action<PerplexityResult>? progress = null, CancellationToken cancel = default)
    {
        var result = default(PerplexityResult);
        using KvCache cache = _model.Llama.CreateCache(_cacheType);
        using KvSequence sequence = cache.CreateSequence();
        foreach (string text in texts)
        {
            if (text.Length == 0)
            {
                continue;
            }

            int[] ids = Ids(text);
            result = result with { Texts = result.Texts + 1 };
            int context = _model.Llama.Config.ContextLength;
            for (int at = 0; at < ids.Length - 1; at += context - 1)
            {
                // Windows overlap by one token, so that the first token of each but the first is the last one predicted before.
                ReadOnlySpan<int> window = ids.AsSpan(at, Math.Min(context, ids.Length - at));
                sequence.Truncate(0);
                result = result with { Tokens = result.Tokens + window.Length - 1, TotalNll = result.TotalNll + Window(window, sequence, cancel) };
            }

            progress?.Invoke(result);
        }

        return result;
    }

    private int[] Ids(string text)
    {
        var ids = new List<int>();
        if (_tokenizer.BosId is int bos)
        {
            ids.Add(bos);
        }

        _tokenizer.Encode(text, ids);
        if (_tokenizer.EosId is int eos)
        {
            ids.Add(eos);
        }

        return [.. ids];
    }

    private double Window(ReadOnlySpan<int> ids, KvSequence sequence, CancellationToken cancel)
    {
        int vocab = _model.Llama.Output.Weight.Out;
        int chunk = Math.Clamp(LogitsAtOnce / vocab, 1, Session.PrefillChunk);
        var batch = new Batch();
        var context = new ForwardContext();
        var row = new float[vocab];
        KvSequence[] sequences = [sequence];
        double nll = 0;
        // The last token predicts nothing.
        for (int at = 0; at < ids.Length - 1; at += chunk)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(chunk, ids.Length - 1 - at);
            lock (_ops.Gate)
            {
                ArenaMark mark = _ops.Mark();
                try
                {
                    batch.Clear();
                    batch.Add(ids.Slice(at, count), at, BatchOutputs.All);
                    Tensor logits = _model.Llama.Forward(_ops, batch, context, sequences);
                    for (int i = 0; i < count; i++)
                    {
                        _ops.Read(logits.Slice(i, 1), row);
                        nll -= TokenLogProbs.LogProbability(row, ids[at + i + 1]);
                    }
                }
                finally
                {
                    _ops.Release(mark);
                }
            }
        }

        return nll;
    }
}
