using Puna.Models.Vision;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Runtime.Tests.Serving;

/// <summary>The store by itself, where something goes wrong on its thread. What it does for requests is in <see cref="EngineImagesTests"/>.</summary>
public sealed class ImageStoreTests : IDisposable
{
    private readonly CpuOps _ops = new(1);

    public void Dispose() => _ops.Dispose();

    [Fact]
    public void WithoutADeviceThePicturesFailAndTheNextOnesTryAgain()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel("llama4-vision"));
        using var done = new SemaphoreSlim(0);
        int opened = 0;
        using var store = new ImageStore(model, _ops, 1 << 30, DType.F32, () => done.Release(), () => ++opened == 1 ? throw new OutOfMemoryException("none left") : new CpuOps(1));
        RequestImages first = Fused(model, 1), second = Fused(model, 2);
        Assert.True(store.TryTake(first));
        Assert.True(done.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Equal("none left", Assert.IsType<OutOfMemoryException>(first.Open()).Message);
        store.Release(first);
        Assert.True(store.TryTake(second));
        Assert.True(done.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.Null(second.Open());
        store.Release(second);
    }

    [Fact]
    public void WhatWasNeededForSomethingElseIsFreedWhereTheStoreIsGone()
    {
        using LanguageModel model = LanguageModel.Open(TestFiles.GoldenModel("llama32-vision"));
        using var done = new ManualResetEventSlim();
        ImageStore? store = null;
        RequestImages images = Crossed(model);
        bool wasThere = false;
        ImageEntry? part = null;
        store = new ImageStore(model, _ops, 1 << 30, DType.F32, () =>
        {
            // On the store's thread: the encoder's result is there, and what is to be computed from it is not.
            part ??= images.Taken[0].Parts.First(static p => p is not null);
            wasThere = part!.IsDone && part.Values.Storage is not null && !images.Taken[0].IsDone;
            store!.Dispose();
            done.Set();
        });
        Assert.True(store.TryTake(images));
        Assert.True(done.Wait(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
        Assert.True(wasThere);
        Assert.Null(part!.Values.Storage);
    }

    private static RequestImages Fused(LanguageModel model, int seed)
    {
        TiledImage image = Picture(56, seed);
        return new RequestImages(PromptImages.Of(model.Llama.Config, [5, .. Enumerable.Repeat(SeeingModels.PatchToken, 4), 7], [image])!);
    }

    private static RequestImages Crossed(LanguageModel model) => new(PromptImages.Of(model.Llama.Config, [5, SeeingModels.ImageToken, 7], [Picture(28, 1)])!);

    private static TiledImage Picture(int side, int seed)
    {
        var random = new Random(seed);
        return new TiledImage(new TileGrid(1, 1), side, 1, [.. Enumerable.Range(0, 3 * side * side).Select(_ => (float)random.NextDouble())]);
    }
}
