using Puna.Tensors;

namespace Puna.Models;

/// <summary>
/// A Llama of any generation: an embedding, blocks, a norm and an output layer. Immutable and shareable; what changes during a pass is in the ops, the
/// batch and the cache that the caller brings, and in a <see cref="ForwardContext"/> of its own.
/// </summary>
public sealed class Llama
{
    private Llama(LlamaConfig config, Weight embedding, TransformerBlock[] blocks, Weight norm, Linear output) =>
        (Config, Embedding, Blocks, Norm, Output) = (config, embedding, blocks, norm, output);

    /// <summary>Shape and arithmetic.</summary>
    public LlamaConfig Config { get; }

    /// <summary>Token embedding <c>[vocab, hidden]</c>.</summary>
    public Weight Embedding { get; }

    /// <summary>The blocks, first to last.</summary>
    public IReadOnlyList<TransformerBlock> Blocks { get; }

    /// <summary>Final norm <c>[hidden]</c>.</summary>
    public Weight Norm { get; }

    /// <summary>Output layer <c>[vocab, hidden]</c> (the embedding itself where tied), or a classifier's <c>[labels, hidden]</c>.</summary>
    public Linear Output { get; }

    /// <summary>Builds a model from its config and a source of weights under canonical names.</summary>
    /// <param name="config">The shape.</param>
    /// <param name="layout">Which rows of wq and wk turn together.</param>
    /// <param name="weight">Gives the weight of a name, in the shape that <see cref="LlamaConfig.Parameters"/> says.</param>
    public static Llama Build(LlamaConfig config, RopeLayout layout, Func<string, Weight> weight)
    {
        Linear Layer(string name, bool bias = false) =>
            bias ? new BiasedLinear(weight(name + ".weight"), weight(name + ".bias")) : new Linear(weight(name + ".weight"));

        FeedForward Gated(string p, bool bias = false)
        {
            Linear w1 = Layer(p + "w1", bias), w3 = Layer(p + "w3", bias);
            return new FeedForward(w1, Layer(p + "w2", bias), w3);
        }

        MixtureOfExperts Experts(string p, Llama4Config four)
        {
            Linear router = Layer(p + "router");
            FeedForward shared = Gated(p + "shared_expert.");
            return new MixtureOfExperts(router, shared, [.. Enumerable.Range(0, four.Experts).Select(e => Gated($"{p}experts.{e}."))], four.ExpertsPerToken);
        }

        Weight embedding = weight("tok_embeddings.weight");
        var blocks = new TransformerBlock[config.Layers];
        for (int i = 0; i < blocks.Length; i++)
        {
            string p = $"layers.{i}.";
            Weight attentionNorm = weight(p + "attention_norm.weight");
            var attention = new Attention(
                Layer(p + "attention.wq", config.QkvBias),
                Layer(p + "attention.wk", config.QkvBias),
                Layer(p + "attention.wv", config.QkvBias),
                Layer(p + "attention.wo", config.AttentionOutputBias),
                config.HeadDim,
                layout,
                AttentionOptions.Of(config, i));
            Weight ffnNorm = weight(p + "ffn_norm.weight");
            MixtureOfExperts? experts = config.Llama4 is { } four && four.HasExperts[i] ? Experts(p + "feed_forward.", four) : null;
            FeedForward feedForward = experts?.Shared ?? Gated(p + "feed_forward.", config.MlpBias);
            blocks[i] = new TransformerBlock(i, config.NormEpsilon, attentionNorm, attention, ffnNorm, feedForward, experts);
        }

        Linear output = config.Labels > 0 ? Layer("score") : config.TiedEmbeddings ? new Linear(embedding) : Layer("output");
        return new Llama(config, embedding, blocks, weight("norm.weight"), output);
    }

    /// <summary>The cache's type where nobody asks for another: float16 where weights of the blocks are quantised in blocks, else float32.</summary>
    public DType CacheType => Blocks.Any(static b => b.IsQuantized) ? DType.F16 : DType.F32;

    /// <summary>
    /// The same model with its weights as a device wants them: packed for its kernels, the pages of a mapped file given back as that proceeds. The results have the same
    /// bits, and the checkpoint may be closed afterwards.
    /// </summary>
    /// <param name="ops">The device.</param>
    /// <param name="progress">Told of every weight that is done, with its size as it was; may be null.</param>
    public Llama PackFor(IOps ops, Action<Weight>? progress = null)
    {
        Weight Pack(Weight weight)
        {
            Weight packed = ops.Pack(weight);
            progress?.Invoke(weight);
            return packed;
        }

        // A tied output layer is the embedding itself and must be packed once.
        Weight embedding = Pack(Embedding);
        Linear output = Output.Weight == Embedding ? Output.With(_ => embedding) : Output.With(Pack);
        return new Llama(Config, embedding, [.. Blocks.Select(block => block.With(Pack))], Pack(Norm), output);
    }

    /// <summary>An empty cache of this model's shape.</summary>
    /// <param name="type">What keys and values are rounded to: float32, float16 or q8_0; null means <see cref="CacheType"/>.</param>
    /// <exception cref="PunaException">Another type.</exception>
    public KvCache CreateCache(DType? type = null) => 
        new(Config.Layers, Config.KvHeads, Config.HeadDim, type ?? CacheType, Config.Llama4?.IsLocal, Config.Llama4 is { ChunkSize: > 0 } four ? four.ChunkSize : int.MaxValue);

    /// <summary>One forward pass.</summary>
    /// <param name="ops">The device; the result lives in its current scope.</param>
    /// <param name="batch">Tokens and positions.</param>
    /// <param name="context">Reused from pass to pass.</param>
    /// <param name="cache">One cached sequence per sequence of the batch, whose lengths are the batch's first positions; they grow by the batch's tokens. Null
    /// where every sequence is whole in the batch; keys and values are float32 then.</param>
    /// <returns>Logits of the batch's outputs <c>[outputs, vocab]</c> float32.</returns>
    /// <exception cref="PunaException">A token id outside the vocabulary, or a position outside the context.</exception>
    public Tensor Forward(IOps ops, Batch batch, ForwardContext context, IReadOnlyList<KvSequence>? cache = null)
    {
        Tensor x = Hidden(ops, batch, context, cache);
        return batch.Outputs.IsEmpty ? ops.Allocate(new Shape(0, Output.Weight.Out)) : Output.Forward(ops, x);
    }

    /// <summary>A forward pass without the output layer, for whoever fuses that with a loss.</summary>
    /// <inheritdoc cref="Forward" path="/param"/>
    /// <returns>The normed hidden states of the batch's outputs <c>[outputs, hidden]</c> float32.</returns>
    /// <inheritdoc cref="Forward" path="/exception"/>
    public Tensor Hidden(IOps ops, Batch batch, ForwardContext context, IReadOnlyList<KvSequence>? cache = null)
    {
        Prepare(ops, batch, context, cache);
        Tensor x = Embed(ops, batch, context.Soft);
        for (int i = 0; i < Blocks.Count; i++)
        {
            x = ops.Run(Blocks[i], x, context);
        }

        Advance(batch, cache);
        return batch.Outputs.IsEmpty ? ops.Allocate(new Shape(0, Config.Hidden)) : ops.RmsNorm(ops.SelectRows(x, batch.Outputs), Norm, Config.NormEpsilon);
    }

    /// <summary>Embeddings of the tokens; rows of pictures have their own.</summary>
    private Tensor Embed(IOps ops, Batch batch, SoftTokens? soft)
    {
        Tensor x = ops.Gather(Embedding, batch.Tokens);
        if (soft is null || soft.Rows.Length == 0)
        {
            return x;
        }

        Tensor keeps = ops.Allocate(new Shape(batch.Count, 1));
        for (int row = 0; row < batch.Count; row++)
        {
            keeps.Row<float>(row)[0] = 1;
        }

        foreach (int row in soft.Rows)
        {
            keeps.Row<float>(row)[0] = 0;
        }

        return ops.AddRows(ops.ScaleRows(x, keeps), soft.Values, soft.Rows);
    }

    private static void Advance(Batch batch, IReadOnlyList<KvSequence>? cache)
    {
        for (int s = 0; cache is not null && s < batch.Sequences; s++)
        {
            cache[s].Advance(batch.Starts[s + 1] - batch.Starts[s]);
        }
    }

    private void Prepare(IOps ops, Batch batch, ForwardContext context, IReadOnlyList<KvSequence>? cache)
    {
        if (cache is not null && cache.Count != batch.Sequences)
        {
            throw new InvalidOperationException($"cache: expected {batch.Sequences} sequences, got {cache.Count}");
        }

        for (int s = 0; s < batch.Sequences; s++)
        {
            int first = batch.Positions[batch.Starts[s]];
            int tokens = batch.Starts[s + 1] - batch.Starts[s];
            if (first + (long)tokens > Config.TokenLimit)
            {
                throw new PunaException($"context of {Config.Name}: expected at most {Config.TokenLimit} tokens, got {first + (long)tokens}");
            }

            if ((cache is null ? 0 : cache[s].Length) != first)
            {
                throw new InvalidOperationException($"sequence {s}: expected its first position to be the cached length {cache?[s].Length ?? 0}, got {first}");
            }

            // Twice the same would write two texts into one.
            for (int other = 0; cache is not null && other < s; other++)
            {
                if (ReferenceEquals(cache[other], cache[s]))
                {
                    throw new InvalidOperationException($"cache: expected a sequence of its own for each of the batch, got one for both {other} and {s}");
                }
            }

            cache?[s].Reserve(tokens);
        }

        context.Batch = batch;
        context.Cache = cache;
        context.Plan.SetCausal(batch);
        if (Config.Llama4 is Llama4Config four)
        {
            PrepareLlama4(ops, four, batch, context);
        }
        else
        {
            (context.Cos, context.Sin) = RotaryEmbedding.Angles(ops, Config, batch);
        }
    }

    /// <summary>Angles and plans of both kinds of layers, as far as there are such, and the temperature.</summary>
    private void PrepareLlama4(IOps ops, Llama4Config four, Batch batch, ForwardContext context)
    {
        bool local = false, global = false, temperature = false;
        for (int i = 0; i < four.IsRotary.Count; i++)
        {
            local |= four.IsLocal[i];
            global |= four.IsRotary[i] && !four.IsLocal[i];
            temperature |= four.Temperature && !four.IsRotary[i];
        }

        if (local)
        {
            context.LocalPlan.SetChunked(batch, four.ChunkSize);
            (context.LocalCos, context.LocalSin) = RotaryEmbedding.Angles(ops, Config, batch, four.ChunkSize);
        }

        if (global)
        {
            (context.Cos, context.Sin) = RotaryEmbedding.Angles(ops, Config, batch);
        }

        if (temperature)
        {
            context.Temperature = ops.Allocate(new Shape(batch.Count, 1));
            for (int row = 0; row < batch.Count; row++)
            {
                context.Temperature.Row<float>(row)[0] = four.TemperatureAt(batch.Positions[row]);
            }
        }
    }
}
