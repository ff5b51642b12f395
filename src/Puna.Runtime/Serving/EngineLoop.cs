using System.Collections.Concurrent;
using Puna.Models;
using Puna.Models.Adapters;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Tensors;

namespace Puna.Runtime.Serving;

/// <summary>
/// What an engine's thread does, step by step (spec serving.md 6.1): each step is one pass over a token of every text that is being generated and a piece of every prompt
/// that is being read, as far as there is room. Everything here belongs to that thread, except where it says otherwise.
/// </summary>
internal sealed partial class EngineLoop : IDisposable
{
    /// <summary>A request set back as often as this is computed alone, so that it comes to an end.</summary>
    private const int MostPreemptions = 3;

    /// <summary>Tokens of prompts that a pass reads however slow passes are, so that a prompt comes to an end.</summary>
    private const int LeastPiece = 4;

    /// <summary>Texts that are generated together however slow passes are.</summary>
    private const int LeastSequences = 4;

    /// <summary>Passes that fail one after the other before the engine gives up.</summary>
    private const int MostFailures = 3;

    private readonly LanguageModel _model;
    private readonly CpuOps _ops;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly KvCache _cache;
    private readonly PrefixCache? _prefix;
    private readonly DraftModel? _draft;
    private readonly StepPacer _pacer;
    private readonly WaitingQueue _waiting = new();
    private readonly List<ActiveRequest> _running = [];
    private readonly List<ActiveSequence> _planned = [];
    private readonly List<ActiveSequence> _guessing = [];
    private readonly List<KvSequence> _caches = [];
    private readonly List<EmbeddingJob> _embedding = [];
    private readonly Batch _batch = new();
    private readonly ForwardContext _context = new();
    private readonly List<UnmergedAdapter?> _sequenceAdapters = [];
    private readonly AdapterBatch _adapters = new();
    private readonly SamplerScratch _scratch;
    private readonly TokenChoice _choice;
    private readonly int[] _stopIds;
    private readonly int _limit;
    private readonly bool _isDynamic;
    private int[] _rowTokens = [];
    private float[] _logits = [];
    private long _turns;
    private int _failures;
    private int _draftFailures;

    public EngineLoop(LanguageModel model, CpuOps ops, EngineOptions options, LanguageModel? draft, TimeProvider time, Action wake)
    {
        (_model, _ops, _options, _time) = (model, ops, options, time);
        _pacer = new StepPacer(options.Slowdown);
        _cache = model.Llama.CreateCache(options.CacheType);
        Capacity = BlocksFor(options, _cache, model.Llama.Config);
        _isDynamic = model.Llama.Config.RopeScaling is RopeScaling.Dynamic;

        // With a rotary base that depends on the length of the whole text, what one text computed is of no use to another.
        _prefix = options.PrefixCache && !_isDynamic ? new PrefixCache() : null;
        int vocabulary = Math.Min((int)model.Llama.Output.Weight.Out, model.Tokenizer?.VocabularySize ?? int.MaxValue);
        _scratch = new SamplerScratch(vocabulary);
        _choice = new TokenChoice(vocabulary, _scratch);
        _stopIds = [.. model.StopIds];
        _limit = ContextOf(model.Llama.Config);
        Counters = new EngineCounters(Capacity);
        Images = model.Llama.Config.SeesImages ? new ImageStore(model, ops, options.ImageBytesOrDefault, _cache.Type, wake) : null;
        if (draft is not null)
        {
            _draft = new DraftModel(draft, model, ops, vocabulary, options.MaxBatchedTokens);
        }
    }

    /// <summary>Blocks of keys and values there may be.</summary>
    public int Capacity { get; }

    /// <summary>What was done; any thread.</summary>
    public EngineCounters Counters { get; }

    /// <summary>Requests that have come; any thread adds.</summary>
    public ConcurrentQueue<ActiveRequest> Arrivals { get; } = new();

    /// <summary>Texts to be embedded that have come; any thread adds.</summary>
    public ConcurrentQueue<EmbeddingJob> EmbeddingArrivals { get; } = new();

    /// <summary>Whether nothing is left to do.</summary>
    public bool IsIdle => _running.Count == 0 && _waiting.Count == 0 && _embedding.Count == 0 && Arrivals.IsEmpty && EmbeddingArrivals.IsEmpty;

    /// <summary>Told of every request that is over.</summary>
    public required Action<ActiveRequest> Ended { get; init; }

    /// <summary>Tokens after which a text is full.</summary>
    public static int ContextOf(LlamaConfig config) =>
        config.RopeScaling is RopeScaling.Dynamic dynamic ? (int)Math.Min(dynamic.Factor * config.ContextLength, int.MaxValue) : config.TokenLimit;

    /// <summary>One step.</summary>
    /// <returns>Whether anything was computed.</returns>
    public bool Step()
    {
        TakeArrivals();
        DropEnded();
        Admit();
        OpenEncoded();
        Plan();
        bool computed = _planned.Count > 0;
        if (computed)
        {
            Compute();
        }

        computed |= Embed();

        Counters.Set(_running.Count, _waiting.Count);
        if (!computed || Counters.IsUsageOld(_time))
        {
            Counters.SetUsage(_cache.UsedBlocks - (_prefix?.CountUnused() ?? 0), _time);
        }

        return computed;
    }

    /// <summary>Ends every request.</summary>
    public void FailAll(Func<Exception> why)
    {
        TakeArrivals();
        foreach (ActiveRequest request in _waiting.All())
        {
            _waiting.Take(request);
            End(request, why());
        }

        foreach (ActiveRequest request in _running.ToArray())
        {
            End(request, why());
        }

        foreach (EmbeddingJob job in _embedding)
        {
            job.Fail(why());
        }

        _embedding.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Images?.Dispose();
        _prefix?.Dispose();
        _draft?.Dispose();
        _cache.Dispose();
    }

    private static int BlocksFor(EngineOptions options, KvCache cache, LlamaConfig config)
    {
        long contexts = checked((long)options.MaxSequences * ((ContextOf(config) / KvCache.BlockSize) + 1));
        long bytes = options.CacheBytes ?? Math.Min(contexts * cache.BlockBytes, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4);
        long blocks = Math.Min(bytes / cache.BlockBytes, int.MaxValue);
        return blocks >= 1 ? (int)blocks : throw new PunaException($"memory for keys and values: expected at least {cache.BlockBytes} bytes (one block), got {bytes}");
    }

    private void TakeArrivals()
    {
        while (Arrivals.TryDequeue(out ActiveRequest? request))
        {
            _waiting.Add(request);
        }

        while (EmbeddingArrivals.TryDequeue(out EmbeddingJob? job))
        {
            _embedding.Add(job);
        }
    }

    private void DropEnded()
    {
        for (int i = _running.Count - 1; i >= 0; i--)
        {
            ActiveRequest request = _running[i];
            if (Over(request) is { } error)
            {
                End(request, error);
            }
        }

        if (_waiting.Count > 0)
        {
            foreach (ActiveRequest request in _waiting.All())
            {
                if (Over(request) is { } error)
                {
                    _waiting.Take(request);
                    End(request, error);
                }
            }
        }

        DropEndedJobs();
    }

    private Exception? Over(ActiveRequest request) =>
        request.IsCancelled ? new OperationCanceledException("the request was cancelled") : TooLate(request.Arrived, isNew: request.Admitted == 0);

    private EngineTimeoutException? TooLate(long arrived, bool isNew)
    {
        TimeSpan age = _time.GetElapsedTime(arrived);
        return isNew && age > _options.QueueTimeout ? new EngineTimeoutException($"request: expected to be taken up within {_options.QueueTimeout.TotalSeconds:0} s, got a longer queue", inQueue: true)
            : age > _options.RequestTimeout ? new EngineTimeoutException($"request: expected to end within {_options.RequestTimeout.TotalSeconds:0} s, got a longer one", inQueue: isNew)
            : null;
    }

    private void Admit()
    {
        while (_waiting.Peek() is { } request)
        {
            int sequences = _running.Sum(static r => r.Sequences.Length);
            bool isAlone = _running.Count == 0;
            if (!isAlone && (sequences + request.Request.Choices > MostSequences() || request.Preemptions >= MostPreemptions || _running[^1].Preemptions >= MostPreemptions))
            {
                return;
            }

            // Room for its first piece, and a block for each text that may need one soon.
            int piece = Math.Min(request.Request.Prompt.Count, _options.PrefillChunk);
            if (!MakeRoom(BlocksOf(piece) + sequences + (Capacity / 100)) && !isAlone)
            {
                return;
            }

            if (request.Images is { } images && !Images!.TryTake(images))
            {
                return;
            }

            _waiting.Take(request);
            Begin(request);
        }
    }

    private void Begin(ActiveRequest request)
    {
        if (request.Admitted == 0)
        {
            try
            {
                request.Begin(_model, _scratch);
            }
            catch (Exception e)
            {
                End(request, Failure(e));
                return;
            }

            request.Admitted = _time.GetTimestamp();
        }

        request.Turn = ++_turns;
        _running.Add(request);
        request.IsEncoding = request.Images is not null;
        if (!request.IsEncoding)
        {
            Open(request);
        }
    }

    private void Open(ActiveRequest request)
    {
        foreach (ActiveSequence sequence in request.Sequences)
        {
            if (!sequence.IsDone && (sequence.Choice == 0 || request.IsForked))
            {
                Open(sequence, isFirst: request.Preemptions == 0);
            }
        }
    }

    private void Open(ActiveSequence sequence, bool isFirst)
    {
        sequence.Cache = _cache.CreateSequence();
        bool isLookedUp = _prefix is not null && !sequence.Owner.NeedsPromptLogProbs;
        int found = isLookedUp ? _prefix!.Restore(sequence) : sequence.Prefix.Committed = 0;
        if (isFirst)
        {
            sequence.Owner.CachedTokens = found;
            Counters.AddPrompt(sequence.Count, found, isLookedUp);
        }
    }

    private void SetBack(ActiveRequest request)
    {
        request.Preemptions++;
        Counters.AddPreemption();
        foreach (ActiveSequence sequence in request.Sequences)
        {
            sequence.Release();
        }

        Close(request);
        _running.Remove(request);
        _waiting.PutBack(request);
    }

    private void CutShort(ActiveSequence sequence)
    {
        ActiveRequest request = sequence.Owner;

        // Choices that have not begun have nothing to end with.
        if (request.GeneratedTokens == 0 || !request.IsForked)
        {
            End(request, new PunaException($"request: expected to fit into {Capacity} blocks of {KvCache.BlockSize} tokens for keys and values, got more"));
            return;
        }

        request.Events.Writer.TryWrite(sequence.CutShort());
        sequence.Release();
        EndIfDone(request);
    }

    private void Compute()
    {
        long started = _time.GetTimestamp();
        FillBatch();
        try
        {
            Forward();
        }
        catch (Exception e)
        {
            // Whatever it is, memory included: these requests fail, and the others go on.
            FailPlanned(e);
            if (++_failures < MostFailures)
            {
                return;
            }

            throw new EngineFaultException($"engine: {MostFailures} passes in a row failed: {e.Message}", e);
        }

        _failures = 0;

        Counters.AddStep(_batch.Count, _time.GetElapsedTime(started));
        int row = 0;
        foreach (ActiveSequence sequence in _planned)
        {
            // A text that fails takes the others of its request with it; whose rows are whose stays as it was.
            (int prompt, int drawn) = (sequence.PromptRows, sequence.DrawnRows);
            TakePrompt(sequence, row, prompt);
            Finish(sequence, row + prompt, drawn);
            row += prompt + drawn;
        }

        // With the choice of tokens, which takes its time too where vocabularies are large.
        _pacer.Add(_batch.Count, _time.GetElapsedTime(started).TotalSeconds);
    }

    private void FillBatch()
    {
        _batch.Clear();
        _caches.Clear();
        _soft.Clear();
        _crossed.Clear();
        _isCrossed = false;
        _sequenceAdapters.Clear();
        foreach (ActiveSequence sequence in _planned)
        {
            int first = sequence.Cache!.Length, own = sequence.PlannedTokens, count = own + sequence.GuessCount;
            if (_rowTokens.Length < count)
            {
                _rowTokens = new int[Math.Max(count, 2 * _rowTokens.Length)];
            }

            sequence.Tokens.Slice(first, own).CopyTo(_rowTokens);
            sequence.Guesses.AsSpan(0, sequence.GuessCount).CopyTo(_rowTokens.AsSpan(own));
            sequence.WantsLogits = first + own == sequence.Count;
            int at = _batch.Count;
            _batch.Add(_rowTokens.AsSpan(0, count), first, BatchOutputs.None);
            sequence.PromptRows = AddPromptRows(sequence, at, first, own);
            sequence.DrawnRows = sequence.WantsLogits ? 1 + sequence.GuessCount : 0;
            for (int i = own - 1; sequence.WantsLogits && i < count; i++)
            {
                _batch.AddOutput(at + i);
            }

            _caches.Add(sequence.Cache);
            AddImages(sequence, at, first, own);
            _sequenceAdapters.Add(sequence.Owner.Request.Adapter);
        }

        _context.Adapters = _adapters.Set(_batch, _sequenceAdapters);
    }

    private void Forward()
    {
        lock (_ops.Gate)
        {
            _model.EnterPass();
            ArenaMark mark = _ops.Mark();
            try
            {
                _context.Soft = _soft.Gather(_ops);
                Tensor logits = _model.Llama.Forward(_ops, _batch, _context, _caches, _isCrossed ? _crossed : null);
                int count = checked(_batch.Outputs.Length * (int)_model.Llama.Output.Weight.Out);
                if (_logits.Length < count)
                {
                    _logits = new float[count];
                }

                if (count > 0)
                {
                    _ops.Read(logits, _logits.AsSpan(0, count));
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

    /// <summary>Takes what a pass said about a text.</summary>
    private void Finish(ActiveSequence sequence, int row, int rows)
    {
        // Its request may have ended by what another of its texts met.
        if (sequence.Cache is null)
        {
            return;
        }

        ActiveRequest request = sequence.Owner;
        int guesses = sequence.GuessCount;
        _waiting.Charge(request, sequence.PlannedTokens + guesses);
        (sequence.PlannedTokens, sequence.GuessCount) = (0, 0);
        try
        {
            if (rows > 0 && !request.IsForked)
            {
                // The prompt is computed; other choices share it and draw their own first tokens from the same logits.
                for (int i = 1; i < request.Sequences.Length; i++)
                {
                    request.Sequences[i].Cache = sequence.Cache.Fork();
                }

                request.IsForked = true;
                _prefix?.Commit(sequence);
                foreach (ActiveSequence choice in request.Sequences)
                {
                    if (request.Request.MaxTokens == 0)
                    {
                        request.Events.Writer.TryWrite(choice.EndAtOnce());
                    }
                    else
                    {
                        Take(choice, row);
                    }
                }
            }
            else if (rows > 0)
            {
                // What guesses left in the cache behind the last right one is not part of the text. They are counted before the reader can see the token that ends it.
                int right = 0;
                request.GuessedTokens += guesses;
                while (Take(sequence, row + right) is int token && right < guesses && sequence.Guesses[right] == token && !sequence.IsDone)
                {
                    right++;
                    request.AcceptedTokens++;
                }

                sequence.Cache.Truncate(sequence.Cache.Length - guesses + right);
                DraftModel.Keep(sequence, sequence.Cache.Length);
                _prefix?.Commit(sequence);
            }
            else
            {
                _prefix?.Commit(sequence);
            }
        }
        catch (Exception e)
        {
            End(request, Failure(e));
            return;
        }

        foreach (ActiveSequence choice in request.Sequences)
        {
            if (choice.IsDone && choice.Cache is not null)
            {
                _prefix?.Touch(choice, choice.Cache.Length / KvCache.BlockSize);
                choice.Release();
            }
        }

        EndIfDone(request);
    }

    /// <summary>Draws the next token of a text and tells the reader.</summary>
    private int Take(ActiveSequence sequence, int row)
    {
        ActiveRequest request = sequence.Owner;
        int width = (int)_model.Llama.Output.Weight.Out;
        Span<float> logits = _logits.AsSpan(row * width, _scratch.Vocabulary);
        ReadOnlySpan<int> stops = request.StopIds ?? _stopIds;
        int token = _choice.Choose(sequence, logits, stops, out TokenLogProbs? logProbs);
        bool ends = !request.Request.IgnoreStopIds && stops.Contains(token);
        TokenEvent step = sequence.Add(token, logProbs, ends, _limit);
        long now = _time.GetTimestamp();
        request.FirstToken = request.FirstToken == 0 ? now : request.FirstToken;
        request.LastToken = now;
        request.GeneratedTokens++;
        Counters.AddGenerated();
        request.Events.Writer.TryWrite(step);
        return token;
    }

    /// <summary>What a request brought with it, a constraint for example, fails that request only.</summary>
    private static PunaException Failure(Exception e) => e as PunaException ?? new EngineFaultException($"request: failed by an error: {e.Message}", e);

    private void FailPlanned(Exception error)
    {
        PunaException shown = error as PunaException ?? new EngineFaultException($"engine: a pass failed: {error.Message}", error);
        foreach (ActiveRequest request in _planned.Select(static s => s.Owner).Distinct().ToArray())
        {
            End(request, shown);
        }
    }

    private void EndIfDone(ActiveRequest request)
    {
        if (request.IsDone)
        {
            End(request, null);
        }
    }

    private void End(ActiveRequest request, Exception? error)
    {
        _running.Remove(request);
        Close(request);
        request.Complete(error);
        _waiting.Leave(request);
        Ended(request);
    }

    /// <summary>Blocks that tokens take.</summary>
    internal static int BlocksOf(int tokens) => (tokens + KvCache.BlockSize - 1) / KvCache.BlockSize;
}
