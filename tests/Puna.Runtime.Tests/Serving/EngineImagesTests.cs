using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Serving;

/// <summary>Requests with pictures, against a <see cref="Session"/>, which makes one text at a time: tokens and their probabilities are the same bits whatever else the engine computes.</summary>
public sealed class EngineImagesTests : IDisposable
{
    private const string Crossed = "llama32-vision";
    private const string Fused = "llama4-vision";

    private readonly CpuOps _ops = new(2);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _ops.Dispose();

    [Theory]
    [InlineData(Crossed, 16, 256, 64, 0)]
    [InlineData(Crossed, 3, 5, 2, 0)]
    [InlineData(Crossed, 16, 64, 16, 6)]
    [InlineData(Fused, 16, 256, 64, 0)]
    [InlineData(Fused, 3, 5, 2, 0)]
    [InlineData(Fused, 16, 64, 16, 6)]
    public async Task ManyTogetherGiveWhatEachGivesAlone(string golden, int sequences, int batched, int chunk, int lookup)
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel(golden));
        TiledImage a = Picture(golden, 1, 3), b = Picture(golden, 2, 1);
        GenerationRequest[] requests =
        [
            Request(golden, [a], 0), Request(golden, [b], 1), Request(golden, [a], 2), Request(golden, [], 3), Request(golden, [a, b], 4), Request(golden, [b, a], 5) with { Choices = 3 },
            Request(golden, [a], 6) with { Sampling = new SamplingOptions { Temperature = 1, Seed = 7, LogProbs = 0 } },
        ];
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { MaxSequences = sequences, MaxBatchedTokens = batched, PrefillChunk = chunk, GuessTokens = lookup });
        GenerationHandle[] handles = [.. requests.Select(r => engine.Submit(r, Cancel))];
        for (int i = 0; i < requests.Length; i++)
        {
            List<TokenEvent> events = await Read(handles[i]);
            for (int c = 0; c < requests[i].Choices; c++)
            {
                // Greedy choices are all the same.
                Assert.Equal(Alone(model, requests[i]), Steps(events, c));
            }

            Assert.Equal(requests[i].Prompt.Count, handles[i].Usage.PromptTokens);
        }

        Assert.NotEqual(Alone(model, requests[0]), Alone(model, requests[0] with { Images = [Picture(golden, 9, 3)] }));

        // Two pictures, however many requests brought them.
        Assert.Equal(2, engine.Statistics().EncodedImages);
        await Eventually(() => engine.Statistics() is { Running: 0, ImageBytes: 0 });
    }

    [Theory]
    [InlineData(Crossed)]
    [InlineData(Fused)]
    public async Task TheSameTokensWithAnotherPictureShareNothingBehindIt(string golden)
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel(golden));
        TiledImage a = Picture(golden, 1, 1), b = Picture(golden, 2, 1);
        int[] start = [.. Enumerable.Range(0, 40).Select(static i => 3 + (i * 7 % 200))], end = [.. Enumerable.Range(0, 60).Select(static i => 3 + (i * 11 % 200))];
        GenerationRequest request = Request(golden, [a], 0) with { Prompt = [.. start, .. Places(golden, a), .. end], MaxTokens = 5 };
        int whole = (request.Prompt.Count - 1) / 32 * 32;
        await using Engine engine = Engine.Start(model, _ops);
        Assert.Equal(0, await Cached(request));
        Assert.Equal(whole, await Cached(request));

        // The first block stands before the picture.
        Assert.Equal(32, await Cached(request with { Images = [b] }));
        Assert.Equal(whole, await Cached(request with { Images = [b] }));
        Assert.Equal(whole, await Cached(request));
        Assert.Equal(whole, await Cached(request with { Images = [new TiledImage(a.Grid, a.Side, a.Tiles, [.. a.Pixels])] }));
        Assert.Equal(0, await Cached(request with { CacheSalt = "another tenant" }));
        if (golden == Fused)
        {
            // Patch tokens without a picture are tokens like others.
            Assert.Equal(32, await Cached(request with { Images = [] }));
        }

        // Two pictures in the same block, and the other way round.
        GenerationRequest two = request with { Prompt = [.. start, .. Places(golden, a), 5, .. Places(golden, b), .. end], Images = [a, b] };
        Assert.Equal(32, await Cached(two));
        Assert.Equal(32, await Cached(two with { Images = [b, a] }));
        Assert.Equal(2, engine.Statistics().EncodedImages);

        async Task<int> Cached(GenerationRequest asked)
        {
            GenerationHandle handle = engine.Submit(asked, Cancel);
            Assert.Equal(Alone(model, asked), Steps(await Read(handle), 0));
            return handle.Usage.CachedTokens;
        }
    }

    [Theory]
    [InlineData(Crossed, true)]
    [InlineData(Crossed, false)]
    [InlineData(Fused, true)]
    [InlineData(Fused, false)]
    public async Task RequestsThatDoNotFitTogetherAreSetBackAndGiveTheSame(string golden, bool prefix)
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel(golden));
        using KvCache measure = model.Llama.CreateCache();
        TiledImage[] pictures = [.. Enumerable.Range(1, 5).Select(i => Picture(golden, i, i % 2 == 0 ? 1 : 3))];

        // Room for the two texts of one request, which are longer where pictures are patches, and not for all.
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { CacheBytes = (golden == Fused ? 9 : 6) * measure.BlockBytes, PrefixCache = prefix });
        GenerationRequest[] requests = [.. pictures.Select((p, i) => Request(golden, [p], i) with { MaxTokens = 80, Choices = i == 2 ? 2 : 1 })];
        GenerationHandle[] handles = [.. requests.Select(r => engine.Submit(r, Cancel))];
        for (int i = 0; i < requests.Length; i++)
        {
            Assert.Equal(Alone(model, requests[i]), Steps(await Read(handles[i]), 0));
        }

        Assert.InRange(engine.Statistics().Preemptions, 1, 100);
        await Eventually(() => engine.Statistics() is { Running: 0, Waiting: 0, CacheUsage: 0, ImageBytes: 0 });
    }

    [Theory]
    [InlineData(Crossed)]
    [InlineData(Fused)]
    public async Task ACancelledRequestGivesBackWhatItsPicturesHold(string golden)
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel(golden));
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { PrefixCache = false });
        for (int after = -1; after < 6; after++)
        {
            // Every time another picture, so that it has to be encoded.
            GenerationHandle handle = engine.Submit(Request(golden, [Picture(golden, 20 + after, 3)], 0) with { MaxTokens = 200, Choices = 2 }, Cancel);
            for (int i = 0; i < after; i++)
            {
                await handle.Events.ReadAsync(Cancel);
            }

            if (after == 0)
            {
                await Eventually(() => engine.Statistics().ImageBytes > 0);
            }

            handle.Dispose();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Read(handle));
        }

        await Eventually(() => engine.Statistics() is { Running: 0, Waiting: 0, CacheUsage: 0, ImageBytes: 0 });
    }

    [Theory]
    [InlineData(Crossed)]
    [InlineData(Fused)]
    public async Task WhatIsMadeOfPicturesIsKeptAsFarAsThereIsRoom(string golden)
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel(golden));
        TiledImage[] pictures = [.. Enumerable.Range(1, 4).Select(i => Picture(golden, i, 3))];
        long one = await Needed(model, golden, pictures[0]);
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { ImageBytes = 2 * one, PrefixCache = false });
        await using Engine large = Engine.Start(model, _ops, new EngineOptions { PrefixCache = false });
        foreach (int i in (int[])[0, 1, 2, 3, 3, 0])
        {
            GenerationRequest request = Request(golden, [pictures[i]], 0);
            Assert.Equal(Alone(model, request), Steps(await Read(engine.Submit(request, Cancel)), 0));
            await Read(large.Submit(request, Cancel));
        }

        // The last one was gone and the one before it was not.
        Assert.Equal(5, engine.Statistics().EncodedImages);
        Assert.Equal(4, large.Statistics().EncodedImages);

        // Together they do not fit: the engine waits with those that come later.
        GenerationRequest[] requests = [.. pictures.Select((p, i) => Request(golden, [p], i))];
        await using Engine tight = Engine.Start(model, _ops, new EngineOptions { ImageBytes = Math.Max(one, 4 * Pixels(pictures[0])) });
        GenerationHandle[] handles = [.. requests.Select(r => tight.Submit(r, Cancel))];
        for (int i = 0; i < requests.Length; i++)
        {
            Assert.Equal(Alone(model, requests[i]), Steps(await Read(handles[i]), 0));
        }
    }

    [Theory]
    [InlineData(Crossed)]
    [InlineData(Fused)]
    public async Task BadPicturesAreRefusedBeforeTheyReachTheThread(string golden)
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel(golden));
        TiledImage picture = Picture(golden, 1, 3);
        GenerationRequest good = Request(golden, [picture], 0);
        long one = await Needed(model, golden, picture);
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { MaxImages = 2, ImageBytes = Math.Max(one, Pixels(picture)) });
        void Refused(GenerationRequest request, string message, Engine? by = null) =>
            Assert.StartsWith(message, Assert.Throws<PunaException>(() => (by ?? engine).Submit(request, Cancel)).Message, StringComparison.Ordinal);
        Refused(good with { Images = [picture, picture, picture] }, "images: expected at most 2 in a request, got 3");
        Refused(good with { Images = [picture, picture] }, "images: expected ");
        Refused(good with { Prompt = [1, 2] }, "images: expected ");
        Refused(good with { Images = [picture with { Pixels = picture.Pixels[1..] }] }, "image");
        using (LanguageModel blind = LanguageModel.Open(TestFiles.TrainedTiny))
        await using (Engine other = Engine.Start(blind, _ops))
        {
            Refused(new GenerationRequest { Prompt = [1, 2], Images = [picture] }, "images: expected a model that sees them, got ", other);
        }

        await using (Engine small = Engine.Start(model, _ops, new EngineOptions { ImageBytes = one - 1 }))
        {
            Refused(good, $"images: expected at most {one - 1} bytes for what the model makes of them, got {one}", small);
        }

        if (golden == Crossed)
        {
            Refused(good with { Images = [] }, "prompt: expected token ids below 320, got 320");
        }

        // Pictures of requests that wait are bounded as well.
        GenerationHandle first = engine.Submit(good with { MaxTokens = 400 }, Cancel);
        Assert.Equal(EngineBusyReason.QueueLimit, Assert.Throws<EngineBusyException>(() => engine.Submit(good, Cancel)).Reason);
        await Read(first);
        await Eventually(() => engine.Statistics().Running == 0);
        Assert.Equal(Alone(model, good), Steps(await Read(engine.Submit(good, Cancel)), 0));
    }

    [Theory]
    [InlineData(Crossed)]
    [InlineData(Fused)]
    public async Task ADraftModelGuessesNothingWhereThereArePictures(string golden)
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel(golden));
        await using Engine engine = Engine.Start(model, _ops, new EngineOptions { GuessTokens = 3 }, draft: model);
        GenerationRequest seeing = Request(golden, [Picture(golden, 1, 3)], 0), blind = Request(golden, [], 1);
        GenerationHandle[] handles = [engine.Submit(seeing, Cancel), engine.Submit(blind, Cancel)];
        Assert.Equal(Alone(model, seeing), Steps(await Read(handles[0]), 0));
        Assert.Equal(Alone(model, blind), Steps(await Read(handles[1]), 0));
        Assert.Equal(0, handles[0].Usage.GuessedTokens);
        Assert.InRange(handles[1].Usage.GuessedTokens, 1, 100);
    }

    /// <summary>What the model makes of a picture, in bytes, as an engine without room for it says.</summary>
    private async Task<long> Needed(LanguageModel model, string golden, TiledImage picture)
    {
        await using Engine none = Engine.Start(model, _ops, new EngineOptions { ImageBytes = 1 });
        return long.Parse(Assert.Throws<PunaException>(() => none.Submit(Request(golden, [picture], 0), Cancel)).Message.Split(' ')[^1]);
    }

    private static long Pixels(TiledImage picture) => sizeof(float) * (long)picture.Pixels.Length;

    /// <summary>A picture of noise. For a Llama 4 several tiles have a thumbnail.</summary>
    private static TiledImage Picture(string golden, int seed, int columns)
    {
        int side = golden == Fused ? 56 : 28, tiles = golden == Fused && columns > 1 ? columns + 1 : columns;
        var random = new Random(seed);
        return new TiledImage(new TileGrid(1, columns), side, tiles, [.. Enumerable.Range(0, tiles * 3 * side * side).Select(_ => (float)((random.NextDouble() * 4) - 2))]);
    }

    private static int[] Places(string golden, TiledImage image) => golden == Fused ? [.. Enumerable.Repeat(SeeingModels.PatchToken, 4 * image.Tiles)] : [SeeingModels.ImageToken];

    private static GenerationRequest Request(string golden, TiledImage[] images, int seed) => new()
    {
        Prompt = [5, 9, 20 + seed, .. images.SelectMany(image => (int[])[.. Places(golden, image), 40 + seed, 7]), 12, 3 + seed],
        Images = images,
        MaxTokens = 24,
        Sampling = SamplingOptions.Greedy with { LogProbs = 0 },
        StopIds = [],
    };

    private static (int, float)[] Steps(List<TokenEvent> events, int choice) => [.. events.Where(e => e.Choice == choice).Select(static e => (e.Token, e.LogProbs!.Chosen.LogProb))];

    private (int, float)[] Alone(LanguageModel model, GenerationRequest request)
    {
        using var session = new Session(model, _ops);
        var options = new GenerationOptions { MaxTokens = request.MaxTokens, Sampling = request.Sampling, StopIds = request.StopIds };
        return [.. session.Generate(request.Prompt, request.Images, options, Cancel).Select(static s => (s.Token, s.LogProbs!.Chosen.LogProb))];
    }

    private static async Task<List<TokenEvent>> Read(GenerationHandle handle)
    {
        var events = new List<TokenEvent>();
        await foreach (TokenEvent e in handle.Events.ReadAllAsync(Cancel))
        {
            events.Add(e);
        }

        return events;
    }

    private static async Task Eventually(Func<bool> condition)
    {
        for (int i = 0; i < 1000 && !condition(); i++)
        {
            await Task.Delay(10, Cancel);
        }

        Assert.True(condition());
    }
}
