using System.Collections.Concurrent;
using Puna.Models;
using Puna.Models.Adapters;
using Puna.Runtime.Generation;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>
/// Generates many texts at once on one model: one thread of its own computes a token of every text, and pieces of the prompts of new ones, in each pass. Texts that begin alike are
/// computed once. What a request generates is the same, bit for bit, alone or among others. Thread-safe.
/// </summary>
public sealed class Engine : IAsyncDisposable
{
    private static readonly TimeSpan IdleRound = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan WaitingRound = TimeSpan.FromMilliseconds(50);

    private readonly EngineLoop _loop;
    private readonly TimeProvider _time;
    private readonly Thread _thread;
    private readonly AutoResetEvent _work = new(false);
    private readonly Lock _admission = new();
    private readonly Dictionary<string, int> _perKey = new(StringComparer.Ordinal);
    private readonly TaskCompletionSource _stopped = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<ActiveRequest, bool> _requests = new();
    private readonly ConcurrentDictionary<EmbeddingJob, bool> _jobs = new();
    private readonly ITimer _watch;
    private volatile Exception? _fault;
    private int _active;
    private long _queuedTokens;
    private long _pixelBytes;
    private long _ids;
    private volatile bool _isDraining;
    private volatile bool _isStopping;

    private Engine(LanguageModel model, CpuOps ops, EngineOptions options, LanguageModel? draft, TimeProvider time)
    {
        (Model, Options, _time) = (model, options, time);
        _loop = new EngineLoop(model, ops, options, draft, time, Wake) { Ended = Leave };
        _watch = time.CreateTimer(static state => ((Engine)state!).Watch(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _thread = new Thread(Run) { IsBackground = true, Name = "puna-engine" };
    }

    /// <summary>The model.</summary>
    public LanguageModel Model { get; }

    /// <summary>How it works.</summary>
    public EngineOptions Options { get; }

    /// <summary>Most tokens of a text, prompt included.</summary>
    public int ContextLength => Math.Min(EngineLoop.ContextOf(Model.Llama.Config), _loop.Capacity * KvCache.BlockSize);

    /// <summary>Whether it takes no more requests.</summary>
    public bool IsDraining => _isDraining;

    /// <summary>Whether it has not ended by an error, and its present step has not taken too long.</summary>
    public bool IsWell => _fault is null && !IsStalled;

    private bool IsStalled => _loop.Counters.StepAge(_time) > Options.StallTimeout;

    /// <summary>Starts an engine.</summary>
    /// <param name="model">The model; stays open as long as the engine.</param>
    /// <param name="ops">The device; stays open as long as the engine.</param>
    /// <param name="options">How it works.</param>
    /// <param name="time">The clock; that of the machine where null.</param>
    /// <param name="draft">A smaller model with the same vocabulary that guesses tokens ahead; stays open as long as the engine. Null has none.</param>
    /// <exception cref="PunaException">A model is a classifier, the vocabularies differ, an option is out of range, or there is no memory for one block of keys and values.</exception>
    public static Engine Start(LanguageModel model, CpuOps ops, EngineOptions? options = null, TimeProvider? time = null, LanguageModel? draft = null)
    {
        options ??= new EngineOptions();
        if (draft is not null && options.GuessTokens == 0)
        {
            options = options with { GuessTokens = 4 };
        }

        if (model.Llama.Config.Labels > 0)
        {
            throw new PunaException($"model {model.Checkpoint.Path}: expected a language model, got a classifier, which makes no text");
        }

        AtLeastOne("sequences", options.MaxSequences);
        AtLeastOne("tokens of a pass", options.MaxBatchedTokens);
        AtLeastOne("tokens of a piece of a prompt", options.PrefillChunk);
        AtLeastOne("pictures of a request", options.MaxImages);
        AtLeastOne("requests in the queue", options.QueueLimit);
        AtLeastOne("requests of a key", options.KeyLimit);
        if (options.Slowdown != 0 && !(options.Slowdown >= 1.5))
        {
            throw new PunaException($"slowdown: expected 0 or at least 1.5, got {options.Slowdown}");
        }

        if (options.StallTimeout <= TimeSpan.Zero)
        {
            throw new PunaException($"time of a step: expected more than none, got {options.StallTimeout.TotalSeconds} s");
        }

        if (options.GuessTokens is < 0 or > PromptLookup.Most)
        {
            throw new PunaException($"tokens guessed ahead: expected 0 to {PromptLookup.Most}, got {options.GuessTokens}");
        }

        var engine = new Engine(model, ops, options, draft, time ?? TimeProvider.System);
        engine._loop.Counters.Beat(engine._time);
        engine._thread.Start();
        TimeSpan round = TimeSpan.FromMilliseconds(Math.Clamp(options.StallTimeout.TotalMilliseconds / 4, 10, 1000));
        engine._watch.Change(round, round);
        return engine;
    }

    /// <summary>Takes a request.</summary>
    /// <param name="request">What to generate.</param>
    /// <param name="cancel">Cancels the request.</param>
    /// <returns>Where its tokens come out.</returns>
    /// <exception cref="ContextLengthException">The prompt, or the prompt and <see cref="GenerationRequest.MaxTokens"/>, do not fit.</exception>
    /// <exception cref="EngineBusyException">The queue is full, or the engine is ending.</exception>
    /// <exception cref="PunaException">The request is wrong in another way; the message names it.</exception>
    public GenerationHandle Submit(GenerationRequest request, CancellationToken cancel = default)
    {
        request = request with { Prompt = [.. request.Prompt], Images = [.. request.Images] };
        Check(request);
        RequestImages? images = Look(request);
        ActiveRequest active;
        lock (_admission)
        {
            if (images is not null && _pixelBytes > 0 && _pixelBytes + images.PixelBytes > _loop.Images!.Capacity)
            {
                throw new EngineBusyException($"pictures: expected at most {_loop.Images.Capacity} bytes of them in requests, got more", EngineBusyReason.QueueLimit, RetryAfter());
            }

            Enter(request.Key);
            _queuedTokens += request.Prompt.Count;
            _pixelBytes += images?.PixelBytes ?? 0;
            active = new ActiveRequest(++_ids, request, images, _time, Wake);
            active.CancelWith(cancel);
            _requests[active] = true;
            _loop.Arrivals.Enqueue(active);
        }

        Wake();
        return new GenerationHandle(active);
    }

    /// <summary>Turns texts into vectors: the states behind the last norm, pooled, of length one.</summary>
    /// <param name="prompts">Texts as tokens, at least one token each.</param>
    /// <param name="pooling">How the states of a text become one.</param>
    /// <param name="cancel">Stops the computation.</param>
    /// <param name="key">Whose request it is.</param>
    /// <param name="adapter">As <see cref="GenerationRequest.Adapter"/>.</param>
    /// <returns>A vector <c>[hidden]</c> per text.</returns>
    /// <exception cref="ContextLengthException">A text is longer than the context.</exception>
    /// <exception cref="EngineBusyException">The engine is ending.</exception>
    /// <exception cref="PunaException">A text is empty or has tokens outside the vocabulary.</exception>
    public async Task<float[][]> EmbedAsync(
        IReadOnlyList<IReadOnlyList<int>> prompts, EmbeddingPooling pooling, CancellationToken cancel = default, string key = "", UnmergedAdapter? adapter = null)
    {
        Model.CheckAdapter(adapter);
        if (prompts.Count == 0)
        {
            return [];
        }

        foreach (IReadOnlyList<int> prompt in prompts)
        {
            CheckTokens(prompt, ContextLength + 1, Model.Llama.Config.Vocab);
        }

        var job = new EmbeddingJob([.. prompts.Select(static p => (IReadOnlyList<int>)[.. p])], pooling, adapter, key, _time.GetTimestamp());
        lock (_admission)
        {
            Enter(key);
            _jobs[job] = true;
            _loop.EmbeddingArrivals.Enqueue(job);
        }

        await using CancellationTokenRegistration registration = cancel.UnsafeRegister(
            _ =>
            {
                job.Abandon(new OperationCanceledException(cancel));
                Wake();
            },
            null);
        try
        {
            Wake();
            return await job.Result.ConfigureAwait(false);
        }
        finally
        {
            _jobs.TryRemove(job, out _);
            Leave(key);
        }
    }

    /// <summary>What it has done and is doing.</summary>
    public EngineStatistics Statistics() => _loop.Counters.Read(_time, _loop.Images);

    /// <summary>Takes no more requests, waits for those taken, and cancels what is left then.</summary>
    /// <param name="limit">How long to wait.</param>
    public async Task DrainAsync(TimeSpan limit)
    {
        Close();
        long started = _time.GetTimestamp();
        while (Volatile.Read(ref _active) > 0 && _time.GetElapsedTime(started) < limit)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), _time).ConfigureAwait(false);
        }

        await DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>Cancels all requests and ends the thread; where its present step takes longer than <see cref="EngineOptions.StallTimeout"/>, without waiting for that.</summary>
    public async ValueTask DisposeAsync()
    {
        Close();
        _isStopping = true;
        Wake();

        // A step that does not end is not waited for longer than one may take: who waits for what is under way is told, and the thread ends when it can.
        while (!_stopped.Task.IsCompleted && !IsStalled)
        {
            await Task.WhenAny(_stopped.Task, Task.Delay(WaitingRound, _time)).ConfigureAwait(false);
        }

        Watch();
    }

    private static void AtLeastOne(string what, int value)
    {
        if (value < 1)
        {
            throw new PunaException($"{what}: expected 1 or more, got {value}");
        }
    }

    private void Check(GenerationRequest request)
    {
        request.Sampling.Validate();
        Model.CheckAdapter(request.Adapter);
        CheckTokens(request.Prompt, ContextLength, request.Images.Count > 0 ? Model.Llama.Config.InputVocab : Model.Llama.Config.Vocab);
        AtLeastOne("max_tokens", request.MaxTokens is 0 && request.PromptLogProbs is not null ? 1 : request.MaxTokens ?? 1);
        AtLeastOne("n", request.Choices);
        if (request.Choices > Options.MaxSequences)
        {
            throw new PunaException($"n: expected at most {Options.MaxSequences} choices, got {request.Choices}");
        }

        if (request.PromptLogProbs is int top && (top < 0 || request.Images.Count > 0 || Model.Llama.Config.RopeScaling is RopeScaling.Dynamic))
        {
            throw new PunaException($"log-probabilities of the prompt: expected {(top < 0 ? $"0 or more, got {top}"
                : request.Images.Count > 0 ? "a prompt without pictures, got one with" : "a model whose rotary base is fixed, got one whose base follows the length of the text")}");
        }

        if (request.MinTokens < 0)
        {
            throw new PunaException($"min_tokens: expected 0 or more, got {request.MinTokens}");
        }

        if (request.MaxTokens is int most && request.Prompt.Count + (long)most > ContextLength)
        {
            throw new ContextLengthException($"context: expected at most {ContextLength} tokens, got {request.Prompt.Count} of the prompt and {most} to generate");
        }

        if (request.StopStrings.Count > 0 && Model.Tokenizer is null)
        {
            throw new PunaException("stop strings: expected a model with a tokenizer, got one without");
        }

        _ = new Text.StopStringMatcher(request.StopStrings);
    }

    /// <summary>Checks the pictures, and which they are.</summary>
    private RequestImages? Look(GenerationRequest request)
    {
        if (request.Images.Count > Options.MaxImages)
        {
            throw new PunaException($"images: expected at most {Options.MaxImages} in a request, got {request.Images.Count}");
        }

        if (PromptImages.Of(Model.Llama.Config, [.. request.Prompt], request.Images) is not { } prompt)
        {
            return null;
        }

        long bytes = _loop.Images!.Measure(prompt);
        return bytes <= _loop.Images.Capacity
            ? new RequestImages(prompt)
            : throw new PunaException($"images: expected at most {_loop.Images.Capacity} bytes for what the model makes of them, got {bytes}");
    }

    private static void CheckTokens(IReadOnlyList<int> tokens, int end, int vocabulary)
    {
        if (tokens.Count == 0)
        {
            throw new PunaException("prompt: expected at least one token, got none");
        }

        if (tokens.Count >= end)
        {
            throw new ContextLengthException($"prompt: expected fewer tokens than the context of {end}, got {tokens.Count}");
        }

        foreach (int token in tokens)
        {
            if ((uint)token >= (uint)vocabulary)
            {
                throw new PunaException($"prompt: expected token ids below {vocabulary}, got {token}");
            }
        }
    }

    /// <summary>Counts a request in, or refuses it. Within the lock.</summary>
    private void Enter(string key)
    {
        if (_isDraining)
        {
            throw new EngineBusyException("engine: expected a running one, got one that is ending", EngineBusyReason.Draining, TimeSpan.FromSeconds(5));
        }

        if (IsStalled)
        {
            throw Stalled();
        }

        int own = _perKey.GetValueOrDefault(key);
        if (_active >= Options.QueueLimit + Options.MaxSequences)
        {
            throw new EngineBusyException($"queue: expected at most {Options.QueueLimit} requests that wait, got as many", EngineBusyReason.QueueLimit, RetryAfter());
        }

        if (own >= Options.KeyLimit)
        {
            throw new EngineBusyException($"key: expected at most {Options.KeyLimit} requests at once, got as many", EngineBusyReason.KeyLimit, RetryAfter());
        }

        _perKey[key] = own + 1;
        Interlocked.Increment(ref _active);
    }

    private TimeSpan RetryAfter()
    {
        double rate = _loop.Counters.Rate();
        return TimeSpan.FromSeconds(rate == 0 ? 1 : Math.Clamp(Math.Ceiling(_queuedTokens / rate), 1, 60));
    }

    private void Leave(ActiveRequest request)
    {
        _requests.TryRemove(request, out _);
        lock (_admission)
        {
            _queuedTokens -= request.Request.Prompt.Count;
            _pixelBytes -= request.Images?.PixelBytes ?? 0;
        }

        Leave(request.Request.Key);
    }

    private void Leave(string key)
    {
        lock (_admission)
        {
            int own = _perKey[key] - 1;
            if (own == 0)
            {
                _perKey.Remove(key);
            }
            else
            {
                _perKey[key] = own;
            }

            Interlocked.Decrement(ref _active);
        }
    }

    private EngineFaultException Stalled() => new($"engine: a step has taken longer than {Options.StallTimeout.TotalSeconds:0.###} s");

    /// <summary>Looks whether the thread still goes round; where it does not, nobody is to wait for it.</summary>
    private void Watch()
    {
        long step = _loop.Counters.StepStarted;
        if (!IsStalled)
        {
            return;
        }

        // Once that step has ended, all goes on, for those too that came since.
        foreach (ActiveRequest request in _requests.Keys)
        {
            if (_loop.Counters.StepStarted == step)
            {
                request.Abandon(Stalled());
            }
        }

        foreach (EmbeddingJob job in _jobs.Keys)
        {
            if (_loop.Counters.StepStarted == step)
            {
                job.Abandon(Stalled());
            }
        }
    }

    private void Wake() => _work.Set();

    /// <summary>From here on nothing is taken: what was taken before is in the loop's queues already.</summary>
    private void Close()
    {
        lock (_admission)
        {
            _isDraining = true;
        }
    }

    private void Run()
    {
        Exception? fault = null;
        try
        {
            while (!_isStopping)
            {
                _loop.Counters.Beat(_time);
                _loop.Counters.BeginStep(_time);
                bool computed = _loop.Step();
                _loop.Counters.EndStep();
                if (!computed)
                {
                    // Requests that wait for memory or time out need a look now and then.
                    _work.WaitOne(_loop.IsIdle ? IdleRound : WaitingRound);
                }
            }
        }
        catch (Exception e)
        {
            // Whatever it was, nobody may wait for ever.
            _fault = fault = e;
            _loop.Counters.EndStep();
            Close();
        }

        _loop.FailAll(() => fault is null
            ? new OperationCanceledException("the engine has ended")
            : fault as EngineFaultException ?? new EngineFaultException($"engine: ended by an error: {fault.Message}", fault));
        _watch.Dispose();
        _loop.Dispose();
        _stopped.TrySetResult();
    }
}
