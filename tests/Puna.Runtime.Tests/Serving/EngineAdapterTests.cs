using Puna.Models.Adapters;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Serving;

/// <summary>Requests with different adapters and without any in the same passes. The oracle is a <see cref="Session"/> with the same adapter beside the same weights.</summary>
public sealed class EngineAdapterTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("puna-adapter-").FullName;
    private readonly CpuOps _ops = new(2);
    private readonly LanguageModel _model;
    private readonly UnmergedAdapter?[] _adapters;

    public EngineAdapterTests()
    {
        _model = LanguageModel.Open(TestFiles.EmbeddedModel, ops: _ops);
        _adapters = [null, .. Enumerable.Range(0, 3).Select(i => UnmergedAdapter.Open(AdapterFiles.Write(Path.Combine(_folder, $"{i}"), AdapterFiles.EmbeddedModel, i, isDora: i == 2), _model.Checkpoint, _ops))];
    }

    public void Dispose()
    {
        _ops.Dispose();
        _model.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(16, 256, 64, 0, false)]
    [InlineData(3, 5, 2, 0, false)]
    [InlineData(16, 256, 64, 6, false)]
    [InlineData(16, 256, 64, 0, true)]
    public async Task ManyTogetherGiveWhatEachGivesAlone(int sequences, int batched, int chunk, int lookup, bool isTight)
    {
        using KvCache measure = _model.Llama.CreateCache();
        await using Engine engine = Engine.Start(_model, _ops, new EngineOptions
        {
            MaxSequences = sequences, MaxBatchedTokens = batched, PrefillChunk = chunk, GuessTokens = lookup, CacheBytes = isTight ? 4 * measure.BlockBytes : null,
        });
        string[] prompts = ["Once upon a time", "The llama", "Rosa walked to the market. Rosa walked to the market. Rosa walked"];
        GenerationRequest[] requests = [.. Enumerable.Range(0, 8).Select(i => new GenerationRequest
        {
            Prompt = _model.Tokenizer!.EncodePrompt(prompts[i % 3]), MaxTokens = 24, IgnoreStopIds = true, Adapter = _adapters[i % 4], Choices = i == 5 ? 2 : 1,
            Sampling = i % 2 == 0 ? SamplingOptions.Greedy : new SamplingOptions { Temperature = 0.9, Seed = i },
        })];
        GenerationHandle[] handles = [.. requests.Select(r => engine.Submit(r, TestContext.Current.CancellationToken))];
        for (int i = 0; i < requests.Length; i++)
        {
            Assert.Equal(Alone(requests[i]), (await Read(handles[i])).Where(static e => e.Choice == 0).Select(static e => e.Token));
        }

        Assert.True(!isTight || engine.Statistics().Preemptions > 0, "nothing was set back");
        Assert.Equal(4, _adapters.Select(a => string.Join(' ', Alone(requests[0] with { Adapter = a }))).Distinct().Count());
    }

    [Fact]
    public async Task WhatOneAdapterComputedIsOfNoUseToAnother()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        int[] prompt = [.. Enumerable.Range(0, 100).Select(static i => 300 + (i * 7 % 1000))];
        foreach (UnmergedAdapter? adapter in _adapters)
        {
            var request = new GenerationRequest { Prompt = prompt, MaxTokens = 5, Sampling = SamplingOptions.Greedy, Adapter = adapter, IgnoreStopIds = true };
            foreach (int cached in (int[])[0, 96])
            {
                GenerationHandle handle = engine.Submit(request, TestContext.Current.CancellationToken);
                Assert.Equal(Alone(request), (await Read(handle)).Select(static e => e.Token));
                Assert.Equal(cached, handle.Usage.CachedTokens);
            }
        }
    }

    [Fact]
    public async Task EmbeddingsHaveTheirAdapter()
    {
        await using Engine engine = Engine.Start(_model, _ops);
        int[][] texts = [[.. Enumerable.Range(300, 70)], [500]];
        float[][][] vectors = [.. await Task.WhenAll(_adapters.Select(a => engine.EmbedAsync(texts, EmbeddingPooling.Mean, TestContext.Current.CancellationToken, adapter: a)))];
        Assert.Equal(vectors[0], await engine.EmbedAsync(texts, EmbeddingPooling.Mean, TestContext.Current.CancellationToken));
        Assert.Equal(4, vectors.Select(static v => v[0][0]).Distinct().Count());
    }

    [Fact]
    public async Task AnAdapterOfAnotherModelIsRefused()
    {
        using LanguageModel other = LanguageModel.Open(TestFiles.EmbeddedModel);
        await using Engine engine = Engine.Start(other, _ops);
        var request = new GenerationRequest { Prompt = [1], MaxTokens = 1, Adapter = _adapters[1] };
        Assert.Contains("expected one that was opened for", Assert.Throws<PunaException>(() => engine.Submit(request, TestContext.Current.CancellationToken)).Message, StringComparison.Ordinal);
        Assert.Throws<PunaException>(() => new Session(other, _ops, adapter: _adapters[1]));
        await Assert.ThrowsAsync<PunaException>(() => engine.EmbedAsync([[1]], EmbeddingPooling.Mean, TestContext.Current.CancellationToken, adapter: _adapters[1]));
    }

    [Fact]
    public void ASessionIsKeptForItsAdapterOnly()
    {
        string path = Path.Combine(_folder, "session");
        using (var session = new Session(_model, _ops, adapter: _adapters[1]))
        {
            _ = session.Generate([.. Enumerable.Range(300, 40)], new GenerationOptions { MaxTokens = 2 }, TestContext.Current.CancellationToken).Count();
            session.Save(path);
        }

        using var same = new Session(_model, _ops, adapter: _adapters[1]);
        same.Restore(path);
        using var another = new Session(_model, _ops, adapter: _adapters[2]);
        Assert.ThrowsAny<PunaException>(() => another.Restore(path));
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

    private int[] Alone(GenerationRequest request)
    {
        using var session = new Session(_model, _ops, adapter: request.Adapter);
        var options = new GenerationOptions { MaxTokens = request.MaxTokens, Sampling = request.Sampling, StopIds = [] };
        return [.. session.Generate(request.Prompt, options, TestContext.Current.CancellationToken).Select(static s => s.Token)];
    }
}
