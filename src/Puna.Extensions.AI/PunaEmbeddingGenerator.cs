using Microsoft.Extensions.AI;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Text;

namespace Puna.Extensions.AI;

/// <summary>
/// A Llama model as an <see cref="IEmbeddingGenerator{String, Embedding}"/>: the states behind the last norm, pooled, of length one. Thread-safe; owns neither the engine nor the model.
/// </summary>
public sealed class PunaEmbeddingGenerator : IEmbeddingGenerator<string, Embedding<float>>
{
    private readonly Engine _engine;
    private readonly Tokenizer _tokenizer;
    private readonly EmbeddingPooling _pooling;
    private readonly EmbeddingGeneratorMetadata _metadata;
    private readonly TimeProvider _time;

    /// <summary>Creates a generator.</summary>
    /// <param name="engine">The engine; stays open as long as the generator.</param>
    /// <param name="pooling">How the states of a text become one vector.</param>
    /// <param name="modelId">The name of the model in answers; null means that of its file.</param>
    /// <param name="time">The clock; that of the machine where null.</param>
    /// <exception cref="PunaException">The model has no tokenizer.</exception>
    public PunaEmbeddingGenerator(Engine engine, EmbeddingPooling pooling = EmbeddingPooling.Mean, string? modelId = null, TimeProvider? time = null)
    {
        (_engine, _pooling, _time) = (engine, pooling, time ?? TimeProvider.System);
        _tokenizer = engine.Model.Tokenizer ?? throw new PunaException($"model {engine.Model.Checkpoint.Path}: expected a tokenizer, got none");
        _metadata = new EmbeddingGeneratorMetadata("puna", null, modelId ?? ModelName.Of(engine.Model), engine.Model.Llama.Config.Hidden);
    }

    /// <inheritdoc/>
    /// <exception cref="NotSupportedException">Another model, or another number of dimensions, is asked for.</exception>
    public async Task<GeneratedEmbeddings<Embedding<float>>> GenerateAsync(IEnumerable<string> values, EmbeddingGenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(values);
        if (options?.ModelId is { } asked && asked != _metadata.DefaultModelId)
        {
            throw new NotSupportedException($"model: expected {_metadata.DefaultModelId}, got {asked}");
        }

        if (options?.Dimensions is int dimensions && dimensions != _metadata.DefaultModelDimensions)
        {
            throw new NotSupportedException($"dimensions: expected {_metadata.DefaultModelDimensions}, which the model has, got {dimensions}");
        }

        string[] texts = [.. values];
        int[][] prompts = await Task.Run(() => Array.ConvertAll(texts, text => _tokenizer.EncodePrompt(text)), cancellationToken).ConfigureAwait(false);
        float[][] vectors = await _engine.EmbedAsync(prompts, _pooling, cancellationToken).ConfigureAwait(false);
        var embeddings = new GeneratedEmbeddings<Embedding<float>>(vectors.Length);
        DateTimeOffset now = _time.GetUtcNow();
        long tokens = 0;
        for (int i = 0; i < vectors.Length; i++)
        {
            embeddings.Add(new Embedding<float>(vectors[i]) { CreatedAt = now, ModelId = _metadata.DefaultModelId });
            tokens += prompts[i].Length;
        }

        embeddings.Usage = new UsageDetails { InputTokenCount = tokens, TotalTokenCount = tokens };
        return embeddings;
    }

    /// <inheritdoc/>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(EmbeddingGeneratorMetadata) ? _metadata
            : serviceType == typeof(Engine) ? _engine
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Does nothing: the engine belongs to whoever made it.</summary>
    public void Dispose()
    {
    }
}
