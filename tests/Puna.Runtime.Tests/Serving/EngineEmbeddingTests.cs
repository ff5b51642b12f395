using Puna.Models;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Serving;

/// <summary>Texts that become vectors beside others and beside texts that are generated: who goes first, who gives memory back, and how they end.</summary>
public sealed class EngineEmbeddingTests : IDisposable
{
    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.TrainedTiny);
    private readonly CpuOps _ops = new(1);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _ops.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(7)]
    public async Task ATextAsLongAsAllMemoryFits(int batched)
    {
        await using Engine engine = Engine.Start(_model, _ops, Tight(batched));
        Assert.Equal(4 * KvCache.BlockSize, engine.ContextLength);
        int[] text = Text(engine.ContextLength, 1);
        float[] vector = (await engine.EmbedAsync([text], EmbeddingPooling.Mean, Cancel))[0];
        await using Engine large = Engine.Start(_model, _ops);
        Assert.Equal((await large.EmbedAsync([text], EmbeddingPooling.Mean, Cancel))[0], vector);
    }

    [Fact]
    public async Task WhatIsGeneratedTakesTheirMemoryAndTheyGoOnLater()
    {
        await using Engine engine = Engine.Start(_model, _ops, Tight(8));
        int[][] texts = [.. Enumerable.Range(0, 12).Select(i => Text(120, i))];
        Task<float[][]> vectors = engine.EmbedAsync(texts, EmbeddingPooling.Last, Cancel);
        for (int i = 0; i < 3; i++)
        {
            var request = new GenerationRequest { Prompt = Text(90, 50 + i), MaxTokens = 30, IgnoreStopIds = true, CacheSalt = $"{i}" };
            int tokens = 0;
            await foreach (TokenEvent e in engine.Submit(request, Cancel).Events.ReadAllAsync(Cancel))
            {
                tokens++;
            }

            Assert.Equal(30, tokens);
        }

        await using Engine large = Engine.Start(_model, _ops);
        Assert.Equal(await large.EmbedAsync(texts, EmbeddingPooling.Last, Cancel), await vectors);
    }

    [Fact]
    public async Task KeysTakeTurns()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { MaxBatchedTokens = 8 });
        Task<float[][]> many = engine.EmbedAsync([.. Enumerable.Range(0, 300).Select(i => Text(100, i))], EmbeddingPooling.Mean, Cancel, "many");
        Assert.Single(await engine.EmbedAsync([Text(20, 7)], EmbeddingPooling.Mean, Cancel, "one"));
        Assert.False(many.IsCompleted);
        Assert.Equal(300, (await many).Length);
    }

    [Fact]
    public async Task WhoStopsWaitingIsGoneAtOnceAlsoBehindOthers()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { MaxBatchedTokens = 8, KeyLimit = 1 });
        Task<float[][]> many = engine.EmbedAsync([.. Enumerable.Range(0, 300).Select(i => Text(100, i))], EmbeddingPooling.Mean, Cancel, "many");
        for (int i = 0; i < 3; i++)
        {
            // Each has the only place of its key, so the next is taken only because it has left.
            using var source = new CancellationTokenSource();
            Task<float[][]> waiting = engine.EmbedAsync([.. Enumerable.Range(0, 300).Select(j => Text(100, j))], EmbeddingPooling.Mean, source.Token, "other");
            source.Cancel();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        }

        Assert.False(many.IsCompleted);
        await many;
    }

    [Fact]
    public async Task TheyTimeOutAsOtherRequestsDo()
    {
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions { MaxBatchedTokens = 4, RequestTimeout = TimeSpan.FromSeconds(2), QueueTimeout = TimeSpan.FromMilliseconds(50) });
        int[][] texts = [.. Enumerable.Repeat(Text(100, 1), 20_000)];
        Task<float[][]> Embed() => engine.EmbedAsync(texts, EmbeddingPooling.Mean, Cancel);
        Task<float[][]> first = Embed(), second = Embed();
        Assert.True((await Assert.ThrowsAsync<EngineTimeoutException>(() => second)).InQueue);
        Assert.False((await Assert.ThrowsAsync<EngineTimeoutException>(() => first)).InQueue);
        Assert.Single(await engine.EmbedAsync([[1]], EmbeddingPooling.Mean, Cancel));
    }

    private static int[] Text(int tokens, int seed) => [1, .. Enumerable.Range(1, tokens - 1).Select(i => 5 + (((i * 7) + (seed * 13)) % 200))];

    /// <summary>Memory of four blocks.</summary>
    private EngineOptions Tight(int batched)
    {
        using KvCache measure = _model.Llama.CreateCache();
        return new EngineOptions { MaxBatchedTokens = batched, CacheBytes = 4 * measure.BlockBytes, PrefixCache = false };
    }
}
