using Puna.Tensors;

namespace Puna.Models.PromptGuard;

/// <summary>
/// A DeBERTa-v3 text classifier, as Llama Prompt Guard 1 and 2 are (spec llama4.md 14): an embedding, layers that see the whole text, and a classifier on the first token. Immutable and shareable.
/// </summary>
public sealed class DebertaClassifier
{
    /// <summary>Most tokens of one text: memory grows with their square.</summary>
    public const int MostTokens = 1 << 15;

    private readonly Linear _pooler;

    private DebertaClassifier(DebertaConfig config, Weight embedding, LayerNorm embeddingNorm, Weight distances, LayerNorm? distanceNorm, DebertaLayer[] layers, Linear pooler, Linear output)
    {
        (Config, Embedding, EmbeddingNorm, Distances, DistanceNorm, Layers, _pooler, Output) = (config, embedding, embeddingNorm, distances, distanceNorm, layers, pooler, output);
    }

    /// <summary>Shape and arithmetic.</summary>
    public DebertaConfig Config { get; }

    /// <summary>Token embedding <c>[vocab, hidden]</c>.</summary>
    public Weight Embedding { get; }

    /// <summary>Norm behind the embedding.</summary>
    public LayerNorm EmbeddingNorm { get; }

    /// <summary>The table of distances <c>[rows, hidden]</c>.</summary>
    public Weight Distances { get; }

    /// <summary>Norm of the table, where it has one.</summary>
    public LayerNorm? DistanceNorm { get; }

    /// <summary>The layers, first to last.</summary>
    public IReadOnlyList<DebertaLayer> Layers { get; }

    /// <summary>The classifier <c>[labels, hidden]</c>.</summary>
    public Linear Output { get; }

    /// <summary>Builds the model.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="weight">Gives the weight of a name, in the shape that <see cref="DebertaConfig.Parameters"/> says.</param>
    public static DebertaClassifier Build(DebertaConfig config, Func<string, Weight> weight)
    {
        Linear Dense(string name) => new BiasedLinear(weight(name + ".weight"), weight(name + ".bias"));
        LayerNorm Norm(string name) => new(weight(name + ".weight"), weight(name + ".bias"), config.NormEpsilon);

        var layers = new DebertaLayer[config.Layers];
        for (int i = 0; i < layers.Length; i++)
        {
            string p = $"deberta.encoder.layer.{i}.";
            layers[i] = new DebertaLayer(
                Dense(p + "attention.self.query_proj"),
                Dense(p + "attention.self.key_proj"),
                Dense(p + "attention.self.value_proj"),
                Dense(p + "attention.output.dense"),
                Norm(p + "attention.output.LayerNorm"),
                Dense(p + "intermediate.dense"),
                Dense(p + "output.dense"),
                Norm(p + "output.LayerNorm"),
                config.HeadDim);
        }

        return new DebertaClassifier(
            config,
            weight("deberta.embeddings.word_embeddings.weight"),
            Norm("deberta.embeddings.LayerNorm"),
            weight("deberta.encoder.rel_embeddings.weight"),
            config.NormsDistances ? Norm("deberta.encoder.LayerNorm") : null,
            layers,
            Dense("pooler.dense"),
            Dense("classifier"));
    }

    /// <summary>One pass over whole texts of any lengths; a text's result has the same bits alone and among others.</summary>
    /// <param name="ops">The device; the result lives in its current scope.</param>
    /// <param name="batch">The texts, each with the tokens around it and from position 0 on. Which outputs it asks for has no meaning here.</param>
    /// <param name="states">Told of the embedding and of each layer's output <c>[tokens, hidden]</c>; may be null.</param>
    /// <returns>Logits <c>[texts, labels]</c> float32.</returns>
    /// <exception cref="PunaException">A token id outside the vocabulary, or a text of more than <see cref="MostTokens"/> tokens.</exception>
    public Tensor Forward(IOps ops, Batch batch, Action<Tensor>? states = null)
    {
        int longest = 1;
        for (int s = 0; s < batch.Sequences; s++)
        {
            longest = Math.Max(longest, batch.Starts[s + 1] - batch.Starts[s]);
        }

        if (longest > MostTokens)
        {
            throw new PunaException($"text: expected at most {MostTokens} tokens, got {longest}");
        }

        int[] all = [.. Enumerable.Range(0, Distances.Out)];
        Tensor distances = ops.Gather(Distances, all);
        distances = DistanceNorm?.Forward(ops, distances) ?? distances;
        var context = new DebertaContext(batch, distances, RelativeBuckets.Rows(Config, longest - 1));
        Tensor x = EmbeddingNorm.Forward(ops, ops.Gather(Embedding, batch.Tokens));
        states?.Invoke(x);
        foreach (DebertaLayer layer in Layers)
        {
            x = ops.Run(layer, x, context);
            states?.Invoke(x);
        }

        Tensor first = ops.SelectRows(x, batch.Starts[..batch.Sequences]);
        return Output.Forward(ops, ops.Gelu(_pooler.Forward(ops, first)));
    }
}
