using Puna.Models;
using Puna.Runtime.Sampling;
using Puna.Runtime.Text;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Runtime.Generation;

/// <summary>
/// One growing text: its tokens and what the model remembers of them. What two prompts have in common at the beginning is computed once. Not thread-safe.
/// </summary>
public sealed class Session : IDisposable
{
    /// <summary>Tokens per pass while a prompt is read: bounds scratch memory, and lets a cancellation be noticed.</summary>
    public const int PrefillChunk = 512;

    private readonly LanguageModel _model;
    private readonly CpuOps _ops;
    private readonly KvCache _cache;
    private readonly KvSequence[] _sequence;
    private readonly Batch _batch = new();
    private readonly ForwardContext _context = new();
    private readonly List<int> _tokens = [];
    private readonly float[] _logits;

    /// <summary>Starts an empty session.</summary>
    /// <param name="model">The model; stays open as long as the session.</param>
    /// <param name="ops">The device; used by one session at a time.</param>
    public Session(LanguageModel model, CpuOps ops)
    {
        _model = model;
        _ops = ops;
        _cache = model.Llama.CreateCache();
        _sequence = [_cache.CreateSequence()];
        _logits = new float[model.Llama.Output.Weight.Out];
    }

    /// <summary>Prompt and generated tokens so far.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>Tokens of the latest prompt whose computation was spared, because they were in the cache.</summary>
    public int ReusedTokens { get; private set; }

    /// <summary>Bytes of cached keys and values.</summary>
    public long CacheBytes => _cache.ByteLength;

    /// <inheritdoc/>
    public void Dispose() => _cache.Dispose();

    /// <summary>Continues a prompt.</summary>
    /// <param name="prompt">The whole text so far as tokens; at least one. What it shares with the session's tokens is not computed again.</param>
    /// <param name="options">How.</param>
    /// <param name="cancel">Ends the generation between tokens, and between chunks of the prompt; the session stays usable.</param>
    /// <exception cref="PunaException">The prompt is empty or leaves no room in the context; an option is out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IEnumerable<GenerationStep> Generate(IReadOnlyList<int> prompt, GenerationOptions options, CancellationToken cancel = default)
    {
        options.Sampling.Validate();
        int context = _model.Llama.Config.TokenLimit;
        if (prompt.Count == 0)
        {
            throw new PunaException("prompt: expected at least one token, got none (the model has no token that begins a text)");
        }

        if (prompt.Count >= context && !(prompt.Count == context && options.MaxTokens == 0))
        {
            throw new PunaException($"prompt: expected fewer tokens than the context of {context}, got {prompt.Count}");
        }

        if (options.MaxTokens is < 0)
        {
            throw new PunaException($"max tokens: expected 0 or more, got {options.MaxTokens}");
        }

        return Steps(prompt, options, cancel);
    }

    private IEnumerable<GenerationStep> Steps(IReadOnlyList<int> prompt, GenerationOptions options, CancellationToken cancel)
    {
        if (options.MaxTokens == 0)
        {
            yield break;
        }

        Prefill(prompt, cancel);
        int context = _model.Llama.Config.TokenLimit;
        var sampler = new Sampler(options.Sampling, _logits.Length);
        IncrementalDecoder? decoder = _model.Tokenizer?.CreateDecoder(!options.ShowSpecialTokens);
        StartDecoder(decoder, prompt);
        var stops = new StopStringMatcher(options.StopStrings);
        IReadOnlyList<int> stopIds = options.StopIds ?? _model.StopIds;
        int promptLength = _tokens.Count;
        for (int generated = 1; ; generated++)
        {
            cancel.ThrowIfCancellationRequested();
            int token = sampler.Sample(_logits, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_tokens), promptLength);
            TokenLogProbs? logProbs = options.Sampling.LogProbs is int top ? TokenLogProbs.Compute(_logits, token, top) : null;
            _tokens.Add(token);
            bool ended = stopIds.Contains(token);
            string text = decoder is null ? "" : stops.Push(ended && !options.ShowSpecialTokens ? "" : decoder.Push(token));
            FinishReason? finish = ended || stops.IsStopped ? FinishReason.Stop
                : generated == options.MaxTokens ? FinishReason.Length
                : _tokens.Count >= context ? FinishReason.Context
                : null;
            if (finish is not null)
            {
                if (!stops.IsStopped && decoder is not null)
                {
                    text += stops.Push(decoder.Flush());
                    text += stops.Flush();
                }

                yield return new GenerationStep(token, text, logProbs, finish);
                yield break;
            }

            yield return new GenerationStep(token, text, logProbs, null);
            Forward(_tokens.Count - 1, 1, last: true);
        }
    }

    /// <summary>
    /// A continuation is shown as it stands behind the prompt: a decoder that starts afresh would drop the leading space of a SentencePiece token. So it is shown
    /// the prompt's last tokens first.
    /// </summary>
    private static void StartDecoder(IncrementalDecoder? decoder, IReadOnlyList<int> prompt)
    {
        const int Enough = 8;
        for (int i = Math.Max(0, prompt.Count - Enough); i < prompt.Count && decoder is not null; i++)
        {
            decoder.Push(prompt[i]);
        }
    }

    private void Prefill(IReadOnlyList<int> prompt, CancellationToken cancel)
    {
        int same = 0;
        int reusable = Math.Min(_sequence[0].Length, prompt.Count - 1);
        while (same < reusable && _tokens[same] == prompt[same])
        {
            same++;
        }

        bool dynamic = _model.Llama.Config.RopeScaling is RopeScaling.Dynamic;
        ReusedTokens = same = dynamic ? 0 : same;
        _sequence[0].Truncate(same);
        _tokens.RemoveRange(same, _tokens.Count - same);
        for (int i = same; i < prompt.Count; i++)
        {
            _tokens.Add(prompt[i]);
        }

        // With a base that depends on the length there is one answer per length only, so the prompt is read at once.
        int chunk = dynamic ? int.MaxValue : PrefillChunk;
        for (int at = same; at < prompt.Count;)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(chunk, prompt.Count - at);
            Forward(at, count, at + count == prompt.Count);
            at += count;
        }
    }

    private void Forward(int first, int count, bool last)
    {
        ArenaMark mark = _ops.Mark();
        _batch.Clear();
        _batch.Add(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_tokens).Slice(first, count), first, last ? BatchOutputs.Last : BatchOutputs.None);
        try
        {
            Tensor logits = _model.Llama.Forward(_ops, _batch, _context, _sequence);
            if (last)
            {
                _ops.Read(logits, _logits);
            }
        }
        finally
        {
            _ops.Release(mark);
        }
    }
}
