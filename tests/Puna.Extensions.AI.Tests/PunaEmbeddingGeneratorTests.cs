using System.Numerics.Tensors;
using Microsoft.Extensions.AI;
using Puna.Runtime.Serving;

namespace Puna.Extensions.AI.Tests;

public sealed class PunaEmbeddingGeneratorTests(EmbeddedEngine embedded) : IClassFixture<EmbeddedEngine>
{
    private static readonly string[] Texts = ["Once upon a time", "Pedro had 7 bags of salt", "Once upon a time", ""];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task VectorsAreThoseOfTheEngineInOrder()
    {
        using var generator = new PunaEmbeddingGenerator(embedded.Engine, EmbeddingPooling.Mean, "puna-tiny");
        GeneratedEmbeddings<Embedding<float>> embeddings = await generator.GenerateAsync(Texts, cancellationToken: Cancel);
        int[][] prompts = [.. Texts.Select(text => embedded.Engine.Model.Tokenizer!.EncodePrompt(text))];
        float[][] expected = await embedded.Engine.EmbedAsync(prompts, EmbeddingPooling.Mean, cancel: Cancel);
        Assert.Equal(expected, embeddings.Select(static e => e.Vector.ToArray()));
        Assert.Equal(embeddings[0].Vector.ToArray(), embeddings[2].Vector.ToArray());
        // Length one, to rounding of float32.
        Assert.All(embeddings, static e => Assert.Equal(1, TensorPrimitives.Norm(e.Vector.Span), 5));
        Assert.All(embeddings, static e => Assert.Equal("puna-tiny", e.ModelId));
        Assert.Equal(prompts.Sum(static p => p.Length), embeddings.Usage!.InputTokenCount);
        Assert.Empty(await generator.GenerateAsync([], cancellationToken: Cancel));
    }

    [Fact]
    public async Task WhatCannotBeDoneIsNamed()
    {
        using var generator = new PunaEmbeddingGenerator(embedded.Engine, modelId: "m");
        Assert.Equal("dimensions: expected 256, which the model has, got 8", (await Assert.ThrowsAsync<NotSupportedException>(() => generator.GenerateAsync(Texts, new() { Dimensions = 8 }, Cancel))).Message);
        Assert.Equal("model: expected m, got n", (await Assert.ThrowsAsync<NotSupportedException>(() => generator.GenerateAsync(Texts, new() { ModelId = "n" }, Cancel))).Message);
        Assert.Equal(4, (await generator.GenerateAsync(Texts, new() { Dimensions = 256, ModelId = "m" }, Cancel)).Count);
        var metadata = (EmbeddingGeneratorMetadata)generator.GetService(typeof(EmbeddingGeneratorMetadata))!;
        Assert.Equal(("m", 256), (metadata.DefaultModelId, metadata.DefaultModelDimensions));
        Assert.Null(generator.GetService(typeof(Engine), 1));
    }
}
