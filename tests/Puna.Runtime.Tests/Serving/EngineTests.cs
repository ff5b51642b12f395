using Puna.Runtime.Constraints;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Serving;

/// <summary>The oracle is a <see cref="Session"/>, which makes one text at a time: the engine must give the same tokens whatever else it computes.</summary>
public sealed class EngineTests : IDisposable
{
    private static readonly string[] Prompts =
    [
        "Once upon a time", "One morning, Rosa", "The storm", "Pedro had 7 bags of salt in the barn. He gave 3 bags to his aunt.", "A llama", "In the village", "When the rain came, the herders", "Once upon a time there was",
    ];

    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.TrainedTiny);
    private readonly CpuOps _ops = new(2);

    public void Dispose()
    {
        _ops.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData(16, 256, 64, 0)]
    [InlineData(3, 5, 2, 0)]
    [InlineData(16, 256, 64, 4)]
    [InlineData(2, 7, 3, 16)]
    public async Task ManyTogetherGiveWhatEachGivesAlone(int sequences, int batched, int chunk, int lookup)
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { MaxSequences = sequences, MaxBatchedTokens = batched, PrefillChunk = chunk, GuessTokens = lookup });
        GenerationRequest[] requests = [.. Prompts.Select((p, i) => Request(p, i % 2 == 0 ? SamplingOptions.Greedy : new SamplingOptions { Temperature = 0.9, TopP = 0.95, RepetitionPenalty = 1.1, Seed = i }, 40))];
        GenerationHandle[] handles = [.. requests.Select(r => engine.Submit(r, TestContext.Current.CancellationToken))];
        for (int i = 0; i < requests.Length; i++)
        {
            List<TokenEvent> events = await Read(handles[i]);
            (int[] tokens, string text) = Alone(_model, requests[i]);
            Assert.Equal(tokens, events.Select(static e => e.Token));
            Assert.Equal(text, string.Concat(events.Select(static e => e.Text)));
            Assert.Equal(tokens.Length, handles[i].Usage.GeneratedTokens);
        }
    }

    [Fact]
    public async Task GuessesAreRightWhereATextRepeatsItself()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { GuessTokens = 8 });
        string line = "Rosa walked to the market. Rosa walked to the market. Rosa walked to the market. Rosa walked";
        GenerationRequest request = Request(line, SamplingOptions.Greedy, 60);
        GenerationHandle handle = engine.Submit(request, TestContext.Current.CancellationToken);
        List<TokenEvent> events = await Read(handle);
        Assert.Equal(Alone(_model, request).Tokens, events.Select(static e => e.Token));
        Assert.InRange(handle.Usage.AcceptedTokens, 1, handle.Usage.GuessedTokens);
        Assert.InRange(engine.Statistics().Steps, 1, 59);
    }

    /// <summary>A prompt of which all but the last token is known already is no text that goes on: guesses behind it would stand in the cache as if they were right.</summary>
    [Fact]
    public async Task NothingIsGuessedBehindAPrompt()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { GuessTokens = 8 });
        GenerationRequest request = Request([.. Enumerable.Range(0, KvCache.BlockSize + 1).Select(static i => 5 + (i % 4))], SamplingOptions.Greedy, 20);
        Assert.True(PromptLookup.Guess([.. request.Prompt], new int[8]) > 0);
        for (int i = 0; i < 2; i++)
        {
            GenerationHandle handle = engine.Submit(request, TestContext.Current.CancellationToken);
            List<TokenEvent> events = await Read(handle).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
            Assert.Equal(Alone(_model, request).Tokens, events.Select(static e => e.Token));
            Assert.Equal(i == 0 ? 0 : request.Prompt.Count - 1, handle.Usage.CachedTokens);
        }
    }

    [Theory]
    [InlineData(0, "q8_0.gguf")] // the model itself: every guess is right
    [InlineData(0, "q4_0.gguf")] // the same weights in 4 bits: mostly of the same opinion
    [InlineData(0.9, "q4_0.gguf")]
    public async Task ADraftModelChangesTheStepsAndNotTheText(double temperature, string file)
    {
        using LanguageModel draft = LanguageModel.Open(TestFiles.Golden("trained-tiny", file));
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { GuessTokens = 3 }, draft: draft);
        GenerationRequest[] requests = [.. Prompts.Take(4).Select((p, i) => Request(p, new SamplingOptions { Temperature = temperature, Seed = i }, 50) with { IgnoreStopIds = true, Choices = i == 3 ? 2 : 1 })];
        GenerationHandle[] handles = [.. requests.Select(r => engine.Submit(r, TestContext.Current.CancellationToken))];
        int accepted = 0, guessed = 0;
        for (int i = 0; i < requests.Length; i++)
        {
            List<TokenEvent> events = await Read(handles[i]);
            Assert.Equal(Alone(_model, requests[i] with { StopIds = [] }).Tokens, events.Where(static e => e.Choice == 0).Select(static e => e.Token));
            accepted += handles[i].Usage.AcceptedTokens;
            guessed += handles[i].Usage.GuessedTokens;
        }

        // Most guesses are right, so that a text takes fewer steps than it has tokens.
        Assert.InRange(accepted, guessed / 2, guessed);
        Assert.InRange(engine.Statistics().Steps, 1, 45);
    }

    [Fact]
    public void ADraftModelOfAnotherVocabularyIsRefused()
    {
        using LanguageModel other = LanguageModel.Open(TestFiles.EmbeddedModel);
        Assert.Contains("expected the vocabulary of", Assert.Throws<PunaException>(() => Engine.Start(_model, _ops, draft: other)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ChoicesShareThePromptAndDifferByTheirNumber()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        GenerationRequest request = Request(Prompts[3], new SamplingOptions { Temperature = 1, Seed = 5 }, 30) with { Choices = 3 };
        GenerationHandle handle = engine.Submit(request, TestContext.Current.CancellationToken);
        List<TokenEvent> events = await Read(handle);
        int[][] texts = [.. Enumerable.Range(0, 3).Select(c => events.Where(e => e.Choice == c).Select(static e => e.Token).ToArray())];
        Assert.Equal(Alone(_model, request).Tokens, texts[0]);
        Assert.NotEqual(texts[0], texts[1]);
        Assert.NotEqual(texts[1], texts[2]);
        Assert.Equal(3, events.Count(static e => e.Finish is not null));

        // The same among others, and in small pieces.
        await using Engine small = Engine.Start(_model, _ops, new EngineOptions { MaxBatchedTokens = 4, PrefillChunk = 3 });
        GenerationHandle other = small.Submit(Request(Prompts[0], SamplingOptions.Greedy, 50), TestContext.Current.CancellationToken);
        List<TokenEvent> again = await Read(small.Submit(request, TestContext.Current.CancellationToken));
        for (int c = 0; c < 3; c++)
        {
            Assert.Equal(texts[c], again.Where(e => e.Choice == c).Select(static e => e.Token));
        }

        await Read(other);
    }

    [Fact]
    public async Task WhatPromptsShareIsComputedOnce()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        int[] story = [.. _model.Tokenizer!.EncodePrompt(string.Join(' ', Prompts) + " " + string.Join(' ', Prompts)).Take(100)];
        GenerationRequest first = Request(story, SamplingOptions.Greedy, 10), second = first with { Prompt = [.. story, .. story[..3]] };
        GenerationHandle cold = engine.Submit(first, TestContext.Current.CancellationToken);
        await Read(cold);
        GenerationHandle warm = engine.Submit(second, TestContext.Current.CancellationToken);
        Assert.Equal(Alone(_model, second).Tokens, (await Read(warm)).Select(static e => e.Token));
        Assert.Equal(0, cold.Usage.CachedTokens);
        Assert.Equal(96, warm.Usage.CachedTokens); // three blocks of 32
        GenerationHandle salted = engine.Submit(second with { CacheSalt = "another tenant" }, TestContext.Current.CancellationToken);
        Assert.Equal(Alone(_model, second).Tokens, (await Read(salted)).Select(static e => e.Token));
        Assert.Equal(0, salted.Usage.CachedTokens);
        Assert.Equal(96, engine.Statistics().PrefixHits);
    }

    [Fact]
    public async Task GeneratedTokensAreCachedForTheNextTurn()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        GenerationRequest first = Request(Prompts[0], SamplingOptions.Greedy, 60);
        List<TokenEvent> reply = await Read(engine.Submit(first, TestContext.Current.CancellationToken));
        GenerationRequest next = first with { Prompt = [.. first.Prompt, .. reply.Select(static e => e.Token), .. first.Prompt] };
        GenerationHandle handle = engine.Submit(next, TestContext.Current.CancellationToken);
        Assert.Equal(Alone(_model, next).Tokens, (await Read(handle)).Select(static e => e.Token));
        Assert.Equal((first.Prompt.Count + reply.Count - 1) / 32 * 32, handle.Usage.CachedTokens);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RequestsThatDoNotFitTogetherAreSetBackAndGiveTheSame(bool prefix)
    {
        // Six blocks of 32 tokens for eight texts of up to 100 tokens.
        using KvCache measure = _model.Llama.CreateCache();
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { CacheBytes = 6 * measure.BlockBytes, PrefixCache = prefix });
        GenerationRequest[] requests = [.. Prompts.Select((p, i) => Request(p, new SamplingOptions { Temperature = 0.8, Seed = i }, 80) with { IgnoreStopIds = true, Choices = i == 2 ? 2 : 1 })];
        GenerationHandle[] handles = [.. requests.Select(r => engine.Submit(r, TestContext.Current.CancellationToken))];
        for (int i = 0; i < requests.Length; i++)
        {
            List<TokenEvent> events = await Read(handles[i]);
            Assert.Equal(Alone(_model, requests[i] with { StopIds = [] }).Tokens, events.Where(static e => e.Choice == 0).Select(static e => e.Token));
            Assert.Equal(requests[i].Choices * 80, events.Count);
        }

        Assert.InRange(engine.Statistics().Preemptions, 1, 100);
        await Eventually(() => engine.Statistics() is { Running: 0, Waiting: 0, CacheUsage: 0 });
    }

    [Fact]
    public async Task ATextThatOutgrowsTheMemoryEndsThere()
    {
        using KvCache measure = _model.Llama.CreateCache();
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { CacheBytes = 3 * measure.BlockBytes });
        Assert.Equal(96, engine.ContextLength);
        GenerationRequest request = Request(Prompts[0], new SamplingOptions { Seed = 3 }, 60) with { IgnoreStopIds = true, Choices = 2 };
        List<TokenEvent> events = await Read(engine.Submit(request, TestContext.Current.CancellationToken));

        // Three blocks for two texts: the first to need a fourth ends, and the other goes on with what that gave back.
        Assert.Equal(2, events.Count(static e => e.Finish is not null));
        TokenEvent cut = Assert.Single(events, static e => e.Token < 0);
        Assert.Equal(FinishReason.Context, cut.Finish);
        Assert.Equal(Alone(_model, request with { StopIds = [] }).Tokens.Take(events.Count(static e => e is { Choice: 0, Token: >= 0 })), events.Where(static e => e is { Choice: 0, Token: >= 0 }).Select(static e => e.Token));
    }

    [Fact]
    public async Task ACancelledRequestGivesItsMemoryBackAtWhateverToken()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { PrefixCache = false });
        for (int after = 0; after < 12; after++)
        {
            using var cancel = new CancellationTokenSource();
            GenerationHandle handle = engine.Submit(Request(Prompts[0], SamplingOptions.Greedy, 200) with { IgnoreStopIds = true, Choices = 2 }, cancel.Token);
            for (int i = 0; i < after; i++)
            {
                await handle.Events.ReadAsync(TestContext.Current.CancellationToken);
            }

            if (after % 2 == 0)
            {
                await cancel.CancelAsync();
            }
            else
            {
                handle.Dispose();
            }

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Read(handle));
        }

        await Eventually(() => engine.Statistics() is { Running: 0, Waiting: 0, CacheUsage: 0 });
    }

    [Fact]
    public async Task AFullQueueRefusesAndTellsWhen()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { MaxSequences = 2, QueueLimit = 3, KeyLimit = 4 });
        GenerationRequest request = Request(Prompts[0], SamplingOptions.Greedy, 200) with { IgnoreStopIds = true };
        List<GenerationHandle> taken = [.. Enumerable.Range(0, 4).Select(_ => engine.Submit(request with { Key = "a" }, TestContext.Current.CancellationToken))];
        EngineBusyException own = Assert.Throws<EngineBusyException>(() => engine.Submit(request with { Key = "a" }, TestContext.Current.CancellationToken));
        Assert.Equal(EngineBusyReason.KeyLimit, own.Reason);
        Assert.InRange(own.RetryAfter.TotalSeconds, 1, 60);
        taken.Add(engine.Submit(request with { Key = "b" }, TestContext.Current.CancellationToken));
        Assert.Equal(EngineBusyReason.QueueLimit, Assert.Throws<EngineBusyException>(() => engine.Submit(request with { Key = "c" }, TestContext.Current.CancellationToken)).Reason);
        foreach (GenerationHandle handle in taken)
        {
            Assert.Equal(200, (await Read(handle)).Count);
        }

        // The places are free again.
        Assert.Equal(200, (await Read(engine.Submit(request with { Key = "c" }, TestContext.Current.CancellationToken))).Count);
    }

    [Fact]
    public async Task AnEngineThatDrainsFinishesWhatItHasAndTakesNoMore()
    {
        Engine engine = Engine.Start(_model, _ops);
        GenerationHandle handle = engine.Submit(Request(Prompts[0], SamplingOptions.Greedy, 30) with { IgnoreStopIds = true }, TestContext.Current.CancellationToken);
        Task drained = engine.DrainAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(EngineBusyReason.Draining, Assert.Throws<EngineBusyException>(() => engine.Submit(Request(Prompts[1], SamplingOptions.Greedy, 3), TestContext.Current.CancellationToken)).Reason);
        Assert.Equal(30, (await Read(handle)).Count);
        await drained;
    }

    [Fact]
    public async Task WhatIsLeftWhenTheEngineEndsIsCancelled()
    {
        Engine engine = Engine.Start(_model, _ops, new EngineOptions { MaxSequences = 1 });
        GenerationRequest request = Request(Prompts[0], SamplingOptions.Greedy, 400) with { IgnoreStopIds = true };
        GenerationHandle running = engine.Submit(request, TestContext.Current.CancellationToken), waiting = engine.Submit(request, TestContext.Current.CancellationToken);
        await running.Events.ReadAsync(TestContext.Current.CancellationToken);
        await engine.DisposeAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Read(running));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Read(waiting));
    }

    [Fact]
    public async Task ARequestThatWaitsTooLongIsGivenUp()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { MaxSequences = 1, QueueTimeout = TimeSpan.Zero });
        EngineTimeoutException late = await Assert.ThrowsAsync<EngineTimeoutException>(() => Read(engine.Submit(Request(Prompts[0], SamplingOptions.Greedy, 5), TestContext.Current.CancellationToken)));
        Assert.True(late.InQueue);
        await using Engine slow = Engine.Start(_model, _ops, new EngineOptions { RequestTimeout = TimeSpan.FromMilliseconds(1) });
        await Assert.ThrowsAsync<EngineTimeoutException>(() => Read(slow.Submit(Request(Prompts[0], SamplingOptions.Greedy, 400) with { IgnoreStopIds = true }, TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task AConstraintAndALeastLengthAreKept()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        int[] script = _model.Tokenizer!.Encode("the llama is brown");
        GenerationRequest request = Request(Prompts[0], new SamplingOptions { Temperature = 1, Seed = 1 }, 50);
        List<TokenEvent> events = await Read(engine.Submit(request with { Constraint = new Exactly(script) }, TestContext.Current.CancellationToken));
        Assert.Equal(script, events.Select(static e => e.Token));
        Assert.Equal(FinishReason.Stop, events[^1].Finish);

        int natural = (await Read(engine.Submit(Request(Prompts[0], SamplingOptions.Greedy, 300), TestContext.Current.CancellationToken))).Count;
        List<TokenEvent> longer = await Read(engine.Submit(Request(Prompts[0], SamplingOptions.Greedy, 300) with { MinTokens = natural + 5 }, TestContext.Current.CancellationToken));
        Assert.InRange(longer.Count, natural + 5, 300);
    }

    [Fact]
    public async Task AStopStringEndsTheTextAndIsNamed()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        GenerationRequest request = Request(Prompts[0], SamplingOptions.Greedy, 100);
        string whole = Alone(_model, request).Text;
        string stop = whole[20..26];
        List<TokenEvent> events = await Read(engine.Submit(request with { StopStrings = ["never met", stop] }, TestContext.Current.CancellationToken));
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], string.Concat(events.Select(static e => e.Text)));
        Assert.Equal((stop, FinishReason.Stop), (events[^1].StopString, events[^1].Finish));
    }

    [Fact]
    public async Task BadRequestsAreRefusedBeforeTheyReachTheThread()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        GenerationRequest good = Request(Prompts[0], SamplingOptions.Greedy, 5);
        void Refused<T>(GenerationRequest request, string message)
            where T : PunaException => Assert.Contains(message, Assert.Throws<T>(() => engine.Submit(request, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Refused<PunaException>(good with { Prompt = [] }, "at least one token");
        Refused<PunaException>(good with { Prompt = [1, -1] }, "token ids below");
        Refused<PunaException>(good with { MaxTokens = 0 }, "max_tokens");
        Refused<PunaException>(good with { Choices = 17 }, "n: expected at most 16");
        Refused<PunaException>(good with { Sampling = new SamplingOptions { TopP = 2 } }, "top_p");
        Refused<PunaException>(good with { StopStrings = [""] }, "stop string 1");
        Refused<ContextLengthException>(good with { MaxTokens = engine.ContextLength }, "to generate");
        Refused<ContextLengthException>(good with { Prompt = [.. Enumerable.Repeat(1, engine.ContextLength)] }, "fewer tokens");
        Assert.Equal(5, (await Read(engine.Submit(good, TestContext.Current.CancellationToken))).Count);
    }

    [Fact]
    public async Task EmbeddingsArePooledStatesWhateverThePieces()
    {
        IReadOnlyList<int>[] texts = [.. Prompts.Select(p => (IReadOnlyList<int>)_model.Tokenizer!.EncodePrompt(p))];
        await using Engine engine = Engine.Start(_model, _ops);
        await using Engine small = Engine.Start(_model, _ops, new EngineOptions { MaxBatchedTokens = 3 });
        foreach (EmbeddingPooling pooling in Enum.GetValues<EmbeddingPooling>())
        {
            float[][] vectors = await engine.EmbedAsync(texts, pooling, TestContext.Current.CancellationToken);
            Assert.Equal(vectors, await small.EmbedAsync(texts, pooling, TestContext.Current.CancellationToken));
            for (int i = 0; i < texts.Length; i++)
            {
                float[] expected = Pooled([.. texts[i]], pooling);
                Assert.Equal(1, Math.Sqrt(vectors[i].Sum(static v => (double)v * v)), 1e-6);
                for (int d = 0; d < expected.Length; d++)
                {
                    Assert.Equal(expected[d], vectors[i][d], 1e-6f);
                }
            }
        }

        await Assert.ThrowsAsync<PunaException>(() => engine.EmbedAsync([[]], EmbeddingPooling.Mean, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task ALlama4WithChunksGivesTheSame()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel("llama4-scout"));
        int[] prompt = [.. Enumerable.Range(0, 75).Select(i => (i * 37 % 300) + 3)];
        GenerationRequest request = new() { Prompt = prompt, MaxTokens = 20, Sampling = SamplingOptions.Greedy, StopIds = [] };
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { MaxBatchedTokens = 24, PrefillChunk = 7, GuessTokens = 4 });
        int[] expected = Alone(model, request).Tokens;
        GenerationRequest shorter = request with { Prompt = prompt[..70] };
        GenerationHandle[] handles = [engine.Submit(request, TestContext.Current.CancellationToken), engine.Submit(shorter, TestContext.Current.CancellationToken)];
        Assert.Equal(expected, (await Read(handles[0])).Select(static e => e.Token));
        Assert.Equal(Alone(model, shorter).Tokens, (await Read(handles[1])).Select(static e => e.Token));
        GenerationHandle warm = engine.Submit(request, TestContext.Current.CancellationToken);
        Assert.Equal(expected, (await Read(warm)).Select(static e => e.Token));
        Assert.Equal(64, warm.Usage.CachedTokens);
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (int i = 0; i < 1000 && !condition(); i++)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        Assert.True(condition());
    }

    private static async Task<List<TokenEvent>> Read(GenerationHandle handle)
    {
        var events = new List<TokenEvent>();
        await foreach (TokenEvent e in handle.Events.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            events.Add(e);
        }

        return events;
    }

    private GenerationRequest Request(string prompt, SamplingOptions sampling, int tokens) => Request(_model.Tokenizer!.EncodePrompt(prompt), sampling, tokens);

    private static GenerationRequest Request(int[] prompt, SamplingOptions sampling, int tokens) => new() { Prompt = prompt, Sampling = sampling, MaxTokens = tokens };

    private (int[] Tokens, string Text) Alone(LanguageModel model, GenerationRequest request)
    {
        using var session = new Session(model, _ops);
        var options = new GenerationOptions { MaxTokens = request.MaxTokens, Sampling = request.Sampling, StopIds = request.StopIds, StopStrings = request.StopStrings };
        GenerationStep[] steps = [.. session.Generate(request.Prompt, options, TestContext.Current.CancellationToken)];
        return ([.. steps.Select(static s => s.Token)], string.Concat(steps.Select(static s => s.Text)));
    }

    private float[] Pooled(int[] tokens, EmbeddingPooling pooling)
    {
        var batch = new Batch();
        batch.Add(tokens, 0, BatchOutputs.All);
        int width = _model.Llama.Config.Hidden;
        var states = new float[tokens.Length * width];
        lock (_ops.Gate)
        {
            ArenaMark mark = _ops.Mark();
            using KvCache cache = _model.Llama.CreateCache();
            _ops.Read(_model.Llama.Hidden(_ops, batch, new Models.ForwardContext(), [cache.CreateSequence()]), states);
            _ops.Release(mark);
        }

        double[] sum = new double[width];
        for (int t = pooling == EmbeddingPooling.Mean ? 0 : tokens.Length - 1; t < tokens.Length; t++)
        {
            for (int d = 0; d < width; d++)
            {
                sum[d] += states[(t * width) + d];
            }
        }

        double length = Math.Sqrt(sum.Sum(static s => s * s));
        return [.. sum.Select(s => (float)(s / length))];
    }

    /// <summary>Allows one text only.</summary>
    private sealed class Exactly(int[] script) : ITokenConstraint
    {
        public ConstraintState Start() => new State(script, 0);

        private sealed class State(int[] script, int at) : ConstraintState
        {
            private int _at = at;

            public override bool IsAccepting => _at == script.Length;

            public override bool IsFinished => IsAccepting;

            public override ConstraintState Clone() => new State(script, _at);

            public override void FillMask(Span<uint> mask)
            {
                mask.Clear();
                mask[script[_at] / 32] |= 1u << (script[_at] % 32);
            }

            public override bool TryAccept(int token) => _at < script.Length && script[_at] == token && ++_at > 0;
        }
    }
}
