using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Serving;

/// <summary>The oracle is a <see cref="Session"/> that is asked for the likelihood of each token behind the tokens before it: the engine must say the same, bit for bit, whatever else it computes.</summary>
public sealed class PromptLogProbsTests : IDisposable
{
    private const string Story = "Once upon a time, a girl named Rosa lived in the village. Rosa had 7 bags of salt in the barn. She gave 3 bags to her aunt, and the aunt was glad.";

    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.TrainedTiny);
    private readonly CpuOps _ops = new(2);
    private readonly int[] _prompt;

    public PromptLogProbsTests() => _prompt = _model.Tokenizer!.EncodePrompt(Story);

    public void Dispose()
    {
        _ops.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData(256, 64, false)]
    [InlineData(7, 3, false)]
    [InlineData(256, 64, true)]
    public async Task EveryPlaceSaysWhatASessionSays(int batched, int chunk, bool isTight)
    {
        using KvCache measure = _model.Llama.CreateCache();
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions
        {
            MaxBatchedTokens = batched, PrefillChunk = chunk, GuessTokens = 4, CacheBytes = isTight ? 6 * measure.BlockBytes : null,
        });

        // The prompt is in the prefix cache, texts are being generated, and two ask for its likelihoods at once.
        await Read(engine.Submit(Request(1) with { PromptLogProbs = null }, TestContext.Current.CancellationToken));
        GenerationHandle[] others = [.. Enumerable.Range(0, 3).Select(i => engine.Submit(
            new GenerationRequest { Prompt = _model.Tokenizer!.EncodePrompt("The storm"), MaxTokens = 40, Sampling = new SamplingOptions { Seed = i } }, TestContext.Current.CancellationToken))];
        GenerationHandle first = engine.Submit(Request(10) with { PromptLogProbs = 3 }, TestContext.Current.CancellationToken);
        GenerationHandle second = engine.Submit(Request(10) with { PromptLogProbs = 0, Choices = 2 }, TestContext.Current.CancellationToken);
        List<TokenEvent> events = await Read(first), choices = await Read(second);
        foreach (GenerationHandle other in others)
        {
            await Read(other);
        }

        AssertSame(first.PromptLogProbs, 3);
        AssertSame(second.PromptLogProbs, 0);
        Assert.Equal((0, 0), (first.Usage.CachedTokens, second.Usage.CachedTokens));

        // The text goes on as it does without.
        using var session = new Session(_model, _ops);
        int[] alone = [.. session.Generate(_prompt, new GenerationOptions { MaxTokens = 10, Sampling = SamplingOptions.Greedy }, TestContext.Current.CancellationToken).Select(static s => s.Token)];
        Assert.Equal(alone, events.Select(static e => e.Token));
        Assert.All([0, 1], c => Assert.Equal(alone, choices.Where(e => e.Choice == c).Select(static e => e.Token)));
    }

    [Fact]
    public async Task NothingNeedsToBeGenerated()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        GenerationHandle handle = engine.Submit(Request(0) with { Choices = 2 }, TestContext.Current.CancellationToken);
        List<TokenEvent> events = await Read(handle);
        Assert.Equal([new TokenEvent(0, -1, "", null, FinishReason.Length, null), new TokenEvent(1, -1, "", null, FinishReason.Length, null)], events);
        AssertSame(handle.PromptLogProbs, 2);
        Assert.Equal((_prompt.Length, 0), (handle.Usage.PromptTokens, handle.Usage.GeneratedTokens));

        // What was computed serves the next request, and a prompt of one token has nothing to tell.
        GenerationHandle next = engine.Submit(Request(1) with { PromptLogProbs = null }, TestContext.Current.CancellationToken);
        await Read(next);
        Assert.Equal((_prompt.Length - 1) / KvCache.BlockSize * KvCache.BlockSize, next.Usage.CachedTokens);
        GenerationHandle one = engine.Submit(Request(0) with { Prompt = [5] }, TestContext.Current.CancellationToken);
        Assert.Single(await Read(one));
        Assert.Empty(one.PromptLogProbs);
        Assert.Equal(0, engine.Statistics().Running);
    }

    /// <summary>However many ask, a pass gives logits of a bounded number of places.</summary>
    [Fact]
    public async Task APassGivesLogitsOfABoundedNumberOfPlaces()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { Slowdown = 0, MaxBatchedTokens = 1024 });
        int[] prompt = [.. Enumerable.Range(0, 100).Select(i => 5 + (i * 7 % 200))];
        GenerationHandle[] handles = [.. Enumerable.Range(0, 4).Select(_ => engine.Submit(Request(0) with { Prompt = prompt }, TestContext.Current.CancellationToken))];
        foreach (GenerationHandle handle in handles)
        {
            await Read(handle);
            Assert.Equal(handles[0].PromptLogProbs.Select(static p => p.Chosen), handle.PromptLogProbs.Select(static p => p.Chosen));
        }

        // 400 tokens, 64 of them in a pass.
        Assert.InRange(engine.Statistics().Steps, 7, 20);
    }

    [Fact]
    public async Task WhatCannotBeIsRefused()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        string Refusal(GenerationRequest request) => Assert.Throws<PunaException>(() => engine.Submit(request, TestContext.Current.CancellationToken)).Message;
        Assert.Equal("log-probabilities of the prompt: expected 0 or more, got -1", Refusal(Request(1) with { PromptLogProbs = -1 }));
        Assert.StartsWith("max_tokens: ", Refusal(Request(0) with { PromptLogProbs = null }), StringComparison.Ordinal);
        Assert.StartsWith("max_tokens: ", Refusal(Request(-1)), StringComparison.Ordinal);
    }

    private void AssertSame(IReadOnlyList<TokenLogProbs> found, int top)
    {
        using var session = new Session(_model, _ops);
        int[] all = [.. Enumerable.Range(0, _model.Tokenizer!.VocabularySize)];
        Assert.Equal(_prompt.Length - 1, found.Count);
        for (int i = 1; i < _prompt.Length; i++)
        {
            float[] expected = session.LogProbabilities(_prompt[..i], all, TestContext.Current.CancellationToken);
            Assert.Equal(new TokenLogProb(_prompt[i], expected[_prompt[i]]), found[i - 1].Chosen);
            Assert.Equal(all.OrderByDescending(t => expected[t]).ThenBy(static t => t).Take(top).Select(t => new TokenLogProb(t, expected[t])), found[i - 1].Top);
        }
    }

    private GenerationRequest Request(int tokens) => new() { Prompt = _prompt, MaxTokens = tokens, Sampling = SamplingOptions.Greedy, PromptLogProbs = 2 };

    private static async Task<List<TokenEvent>> Read(GenerationHandle handle)
    {
        var events = new List<TokenEvent>();
        await foreach (TokenEvent e in handle.Events.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            events.Add(e);
        }

        return events;
    }
}
