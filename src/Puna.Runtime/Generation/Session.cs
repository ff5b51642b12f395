using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Puna.Models;
using Puna.Models.Adapters;
using Puna.Models.Vision;
using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Runtime.Generation;

/// <summary>
/// One growing text: its tokens and what the model remembers of them. What two prompts have in common at the beginning is computed once. Sessions may share a model
/// and a device, also from several threads (their passes then take turns); one session belongs to one thread at a time and makes one text at a time.
/// </summary>
public sealed class Session : IDisposable
{
    /// <summary>Tokens per pass while a prompt is read: bounds scratch memory, and lets a cancellation be noticed.</summary>
    public const int PrefillChunk = 512;

    private readonly LanguageModel _model;
    private readonly CpuOps _ops;
    private readonly KvCache _cache;
    private readonly KvSequence[] _sequence;
    private readonly SessionImages _images = new();
    private readonly Batch _batch = new();
    private readonly ForwardContext _context = new();
    private readonly UnmergedAdapter?[] _adapter;
    private readonly AdapterBatch _adapters = new();
    private readonly List<int> _tokens = [];
    private readonly float[] _logits;
    private SamplerScratch? _scratch;
    private int _generation;
    private bool _disposed;

    /// <summary>Starts an empty session.</summary>
    /// <param name="model">The model; stays open as long as the session.</param>
    /// <param name="ops">The device; stays open as long as the session.</param>
    /// <param name="cacheType">Type of the cached keys and values: float32, float16 or q8_0; null means <see cref="Llama.CacheType"/>.</param>
    /// <param name="adapter">An adapter beside the model's weights, or null.</param>
    /// <exception cref="PunaException">The model is a classifier, the adapter is that of another model, or there is no such cache.</exception>
    public Session(LanguageModel model, CpuOps ops, DType? cacheType = null, UnmergedAdapter? adapter = null)
    {
        if (model.Llama.Config.Labels > 0)
        {
            throw new PunaException($"model {model.Checkpoint.Path}: expected a language model, got a classifier, which makes no text");
        }

        model.CheckAdapter(adapter);
        _adapter = [adapter];
        _model = model;
        _ops = ops;
        _cache = model.Llama.CreateCache(cacheType);
        _sequence = [_cache.CreateSequence()];
        _logits = new float[model.Llama.Output.Weight.Out];
    }

    /// <summary>Prompt and generated tokens so far.</summary>
    public IReadOnlyList<int> Tokens => _tokens;

    /// <summary>Tokens of the latest prompt whose computation was spared, because they were in the cache.</summary>
    public int ReusedTokens { get; private set; }

    /// <summary>Bytes of cached keys and values, those of images included.</summary>
    public long CacheBytes => _cache.ByteLength + _images.ByteLength;

    /// <summary>Frees the cached keys and values, after the pass under way.</summary>
    public void Dispose()
    {
        lock (_ops.Gate)
        {
            _disposed = true;
            _cache.Dispose();
            _images.Dispose();
        }
    }

    /// <summary>Continues a prompt.</summary>
    /// <param name="prompt">The whole text so far as tokens; at least one. What it shares with the session's tokens is not computed again.</param>
    /// <param name="options">How.</param>
    /// <param name="cancel">Ends the generation between tokens, and between chunks of the prompt; the session stays usable.</param>
    /// <exception cref="PunaException">The prompt is empty or leaves no room in the context; an option is out of range.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="InvalidOperationException">The enumeration goes on after another one has begun: the session has moved on to that text.</exception>
    /// <exception cref="ObjectDisposedException">The session, its model or its device is closed.</exception>
    /// <returns>The steps, each computed when it is asked for. An enumeration may be left at any step; enumerating again begins again.</returns>
    public IEnumerable<GenerationStep> Generate(IReadOnlyList<int> prompt, GenerationOptions options, CancellationToken cancel = default) => Generate(prompt, [], options, cancel);

    /// <summary>Continues a prompt with images in it.</summary>
    /// <param name="prompt">The whole text so far as tokens; at least one. What it shares with the session's tokens, up to an image that is another one, is not computed again.</param>
    /// <param name="images">The images in the order of their tokens in the prompt, one for every image token (Llama 3.2 Vision) or for every run of patch tokens (Llama 4); none is text alone. Images that stay the same are not looked at again.</param>
    /// <param name="options">How.</param>
    /// <param name="cancel">Ends the generation between tokens, and between chunks of the prompt; the session stays usable.</param>
    /// <exception cref="PunaException">As without images; or, at the first step: the model does not see, an image does not fit it, or there are more or fewer than tokens for them.</exception>
    /// <returns>The steps, as without images.</returns>
    public IEnumerable<GenerationStep> Generate(IReadOnlyList<int> prompt, IReadOnlyList<TiledImage> images, GenerationOptions options, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
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

        if (options.StopStrings.Count > 0 && _model.Tokenizer is null)
        {
            throw new PunaException($"stop strings: expected a model with a tokenizer, got {_model.Checkpoint.Path} without one");
        }

        // A copy, because the session's own tokens may be what is given.
        return Steps([.. prompt], [.. images], options, cancel);
    }

    /// <summary>
    /// Writes what the model remembers of the text to a file, in whole blocks: what is left of the text behind them is computed again. The file is there as a whole or not at all.
    /// </summary>
    /// <param name="path">The file; one that exists is replaced.</param>
    /// <exception cref="PunaException">It cannot be written.</exception>
    public void Save(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (_images.Any)
        {
            throw new PunaException($"session {path}: expected a text without images, which are not kept, got one with some");
        }

        SessionFile.Write(path, Fingerprint(), _sequence[0], CollectionsMarshal.AsSpan(_tokens));
    }

    /// <summary>Takes up a text where <see cref="Save"/> left it, in place of the session's own. Nothing changes where an exception is thrown.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="PunaException">It is damaged, or of another model or another type of cache.</exception>
    public void Restore(string path)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        KvSequence sequence = SessionFile.Read(path, Fingerprint(), _cache, _model.Llama.Config, out int[] tokens);
        ++_generation;
        _sequence[0].Dispose();
        _sequence[0] = sequence;
        _images.Dispose();
        _tokens.Clear();
        _tokens.AddRange(tokens);
    }

    /// <summary>What tells this model from every other, adapters included: what it says of a fixed text.</summary>
    private byte[] Fingerprint()
    {
        Span<int> text = stackalloc int[8];
        for (int i = 0; i < text.Length; i++)
        {
            text[i] = (i * 7919) % _model.Llama.Config.Vocab;
        }

        lock (_ops.Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _model.EnterPass();
            ArenaMark mark = _ops.Mark();
            try
            {
                _batch.Clear();
                _batch.Add(text[..Math.Min(text.Length, _model.Llama.Config.ContextLength)], 0, BatchOutputs.Last);
                _context.Adapters = _adapters.Set(_batch, _adapter);
                var logits = new float[_logits.Length];
                _ops.Read(_model.Llama.Forward(_ops, _batch, _context), logits);
                return SHA256.HashData(MemoryMarshal.AsBytes<float>(logits));
            }
            finally
            {
                _ops.Release(mark);
                _model.ExitPass();
            }
        }
    }

    /// <summary>How likely each of some tokens is as the next one. The text is computed as by <see cref="Generate(IReadOnlyList{int}, GenerationOptions, CancellationToken)"/>, and kept for it.</summary>
    /// <param name="prompt">The text so far; at least one token, fewer than the context.</param>
    /// <param name="tokens">Ids of the vocabulary.</param>
    /// <param name="cancel">As for <see cref="Generate(IReadOnlyList{int}, GenerationOptions, CancellationToken)"/>.</param>
    /// <returns>Natural logarithms of the probabilities, at temperature one.</returns>
    /// <exception cref="PunaException">The prompt is empty or leaves no room in the context.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public float[] LogProbabilities(IReadOnlyList<int> prompt, IReadOnlyList<int> tokens, CancellationToken cancel = default) => LogProbabilities(prompt, [], tokens, cancel);

    /// <summary>As without images, behind a text with some in it.</summary>
    /// <param name="prompt">The text so far; at least one token, fewer than the context.</param>
    /// <param name="images">As for <see cref="Generate(IReadOnlyList{int}, IReadOnlyList{TiledImage}, GenerationOptions, CancellationToken)"/>.</param>
    /// <param name="tokens">Ids of the vocabulary.</param>
    /// <param name="cancel">As for <see cref="Generate(IReadOnlyList{int}, GenerationOptions, CancellationToken)"/>.</param>
    /// <returns>Natural logarithms of the probabilities, at temperature one.</returns>
    /// <exception cref="PunaException">The prompt is empty or leaves no room in the context; the model does not see, or the images do not fit the prompt.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public float[] LogProbabilities(IReadOnlyList<int> prompt, IReadOnlyList<TiledImage> images, IReadOnlyList<int> tokens, CancellationToken cancel = default)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        if (prompt.Count == 0 || prompt.Count >= _model.Llama.Config.TokenLimit)
        {
            throw new PunaException($"prompt: expected 1 to {_model.Llama.Config.TokenLimit - 1} tokens, got {prompt.Count}");
        }

        ++_generation;
        Prefill([.. prompt], [.. images], cancel);

        // Rows beyond the vocabulary are padding of the matrix, not tokens.
        ReadOnlySpan<float> logits = _logits.AsSpan(0, Math.Min(_logits.Length, _model.Tokenizer?.VocabularySize ?? int.MaxValue));
        var result = new float[tokens.Count];
        for (int i = 0; i < result.Length; i++)
        {
            result[i] = TokenLogProbs.LogProbability(logits, tokens[i]);
        }

        return result;
    }

    private IEnumerable<GenerationStep> Steps(int[] prompt, TiledImage[] images, GenerationOptions options, CancellationToken cancel)
    {
        if (options.MaxTokens == 0)
        {
            yield break;
        }

        int generation = ++_generation;
        Prefill(prompt, images, cancel);
        int context = End(options, prompt.Length);
        // Rows beyond the vocabulary are padding of the matrix, not tokens.
        int vocabulary = Math.Min(_logits.Length, _model.Tokenizer?.VocabularySize ?? int.MaxValue);
        var sampler = new Sampler(options.Sampling, vocabulary, scratch: _scratch ??= new SamplerScratch(vocabulary));
        var reply = new ReplyText(_model.Tokenizer, prompt, options.StopStrings, options.ShowSpecialTokens);
        IReadOnlyList<int> stopIds = options.StopIds ?? _model.StopIds;
        int promptLength = _tokens.Count;
        for (int generated = 1; ; generated++)
        {
            cancel.ThrowIfCancellationRequested();
            int token = sampler.Sample(_logits.AsSpan(0, vocabulary), CollectionsMarshal.AsSpan(_tokens), promptLength);
            TokenLogProbs? logProbs = options.Sampling.LogProbs is int top ? TokenLogProbs.Compute(_logits.AsSpan(0, vocabulary), token, top, _scratch) : null;
            _tokens.Add(token);
            bool ended = stopIds.Contains(token);
            string text = reply.Push(token, ended);
            FinishReason? finish = ended || reply.IsStopped ? FinishReason.Stop
                : generated == options.MaxTokens ? FinishReason.Length
                : _tokens.Count >= context ? FinishReason.Context
                : null;
            if (finish is not null)
            {
                yield return new GenerationStep(token, text + reply.Finish(), logProbs, finish);
                yield break;
            }

            yield return new GenerationStep(token, text, logProbs, null);
            if (generation != _generation)
            {
                throw new InvalidOperationException("session: expected one generation at a time, got one that goes on after another has begun");
            }

            Forward(_tokens.Count - 1, 1, last: true);
        }
    }

    /// <summary>Tokens at which a generation ends by itself. A dynamic rotary base has no end, so one is set where nothing else bounds the text.</summary>
    private int End(GenerationOptions options, int promptLength)
    {
        LlamaConfig config = _model.Llama.Config;
        return config.RopeScaling is RopeScaling.Dynamic dynamic && options.MaxTokens is null
            ? (int)Math.Clamp(dynamic.Factor * config.ContextLength, promptLength + 1L, int.MaxValue)
            : config.TokenLimit;
    }

    private void Prefill(int[] prompt, TiledImage[] images, CancellationToken cancel)
    {
        int same = 0;
        int reusable = Math.Min(_sequence[0].Length, prompt.Length - 1);
        while (same < reusable && _tokens[same] == prompt[same])
        {
            same++;
        }

        PromptImages? seen = PromptImages.Of(_model.Llama.Config, prompt, images);
        same = _images.Reusable(same, seen);
        Look(seen, cancel);
        bool dynamic = _model.Llama.Config.RopeScaling is RopeScaling.Dynamic;
        ReusedTokens = same = dynamic ? 0 : _sequence[0].Restorable(same);
        _sequence[0].Truncate(same);
        _tokens.RemoveRange(same, _tokens.Count - same);
        for (int i = same; i < prompt.Length; i++)
        {
            _tokens.Add(prompt[i]);
        }

        // With a base that depends on the length there is one answer per length only, so the prompt is read at once.
        int chunk = dynamic ? int.MaxValue : PrefillChunk;
        for (int at = same; at < prompt.Length;)
        {
            cancel.ThrowIfCancellationRequested();
            int count = Math.Min(chunk, prompt.Length - at);
            Forward(at, count, at + count == prompt.Length);
            at += count;
        }
    }

    /// <summary>Takes the prompt's images.</summary>
    private void Look(PromptImages? images, CancellationToken cancel)
    {
        lock (_ops.Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _model.EnterPass();
            ArenaMark mark = _ops.Mark();
            try
            {
                _images.Set(_model, _ops, images, _cache.Type, cancel);
            }
            finally
            {
                _ops.Release(mark);
                _model.ExitPass();
            }
        }
    }

    private void Forward(int first, int count, bool last)
    {
        lock (_ops.Gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _model.EnterPass();
            ArenaMark mark = _ops.Mark();
            try
            {
                _batch.Clear();
                _batch.Add(CollectionsMarshal.AsSpan(_tokens).Slice(first, count), first, last ? BatchOutputs.Last : BatchOutputs.None);
                _context.Soft = _images.Soft(_ops, first, count);
                _context.Adapters = _adapters.Set(_batch, _adapter);
                Tensor logits = _model.Llama.Forward(_ops, _batch, _context, _sequence, _images.States);
                if (last)
                {
                    _ops.Read(logits, _logits);
                }
            }
            finally
            {
                _context.Soft = null;
                _ops.Release(mark);
                _model.ExitPass();
            }
        }
    }
}
