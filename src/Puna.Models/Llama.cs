using Puna.Models.Adapters;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models;

/// <summary>
/// A Llama of any generation: an embedding, blocks, a norm and an output layer. Immutable and shareable; what changes during a pass is in the ops, the
/// batch and the cache that the caller brings, and in a <see cref="ForwardContext"/> of its own.
/// </summary>
public sealed class Llama
{
    internal const string EmbeddingName = "tok_embeddings.weight";

    // Blocks and CrossBlocks in the order in which they run.
    private readonly IBlock<ForwardContext>[] _order;

    private Llama(LlamaConfig config, Weight embedding, TransformerBlock[] blocks, CrossAttentionBlock[] crossBlocks, Weight norm, Linear output, MllamaVision? vision)
    {
        (Config, Embedding, Blocks, CrossBlocks, Norm, Output, Vision) = (config, embedding, blocks, crossBlocks, norm, output, vision);
        _order = new IBlock<ForwardContext>[blocks.Length + crossBlocks.Length];
        int crossed = 0;
        for (int i = 0; i < _order.Length; i++)
        {
            _order[i] = config.Vision is { } seen && crossed < crossBlocks.Length && seen.CrossLayers[crossed] == i ? crossBlocks[crossed++] : blocks[i - crossed];
        }
    }

    /// <summary>Shape and arithmetic.</summary>
    public LlamaConfig Config { get; }

    /// <summary>Token embedding <c>[inputVocab, hidden]</c>.</summary>
    public Weight Embedding { get; }

    /// <summary>The blocks, first to last.</summary>
    public IReadOnlyList<TransformerBlock> Blocks { get; }

    /// <summary>The blocks that look at images, first to last; they stand between the others as <see cref="MllamaConfig.CrossLayers"/> says. None in most models.</summary>
    public IReadOnlyList<CrossAttentionBlock> CrossBlocks { get; }

    /// <summary>What makes images into what these blocks look at, or null.</summary>
    public MllamaVision? Vision { get; }

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
            bias ? new BiasedLinear(weight(name + ".weight"), weight(name + ".bias"), name + ".weight") : new Linear(weight(name + ".weight"), name + ".weight");

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

        Weight embedding = weight(EmbeddingName);
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

        Linear output = config.Labels > 0 ? Layer("score") : config.TiedEmbeddings ? new Linear(embedding, EmbeddingName) : Layer("output");
        Weight norm = weight("norm.weight");
        var crossBlocks = new CrossAttentionBlock[config.Vision?.CrossLayers.Count ?? 0];
        for (int j = 0; j < crossBlocks.Length; j++)
        {
            string p = $"cross_attention_layers.{j}.";
            Weight attentionNorm = weight(p + "attention_norm.weight");
            var attention = new CrossAttention(
                Layer(p + "attention.wq"),
                Layer(p + "attention.wk"),
                Layer(p + "attention.wv"),
                Layer(p + "attention.wo"),
                weight(p + "attention.q_norm.weight"),
                weight(p + "attention.k_norm.weight"),
                config.HeadDim,
                config.NormEpsilon);
            Weight attentionGate = weight(p + "gate_attn"), ffnNorm = weight(p + "ffn_norm.weight");
            crossBlocks[j] = new CrossAttentionBlock(j, config.NormEpsilon, attentionNorm, attention, attentionGate, ffnNorm, Gated(p + "feed_forward."), weight(p + "gate_ffwd"));
        }

        return new Llama(config, embedding, blocks, crossBlocks, norm, output, config.Vision is { } vision ? MllamaVision.Build(vision, weight) : null);
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
        return new Llama(Config, embedding, [.. Blocks.Select(block => block.With(Pack))], [.. CrossBlocks.Select(block => block.With(Pack))], Pack(Norm), output, Vision?.With(Pack));
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
    /// <param name="images">The images of each sequence of the batch, null for text alone; or null where no sequence has any.</param>
    /// <returns>Logits of the batch's outputs <c>[outputs, vocab]</c> float32.</returns>
    /// <exception cref="PunaException">A token id outside the vocabulary, or a position outside the context.</exception>
    public Tensor Forward(IOps ops, Batch batch, ForwardContext context, IReadOnlyList<KvSequence>? cache = null, IReadOnlyList<CrossStates?>? images = null)
    {
        Tensor x = Hidden(ops, batch, context, cache, images);
        return batch.Outputs.IsEmpty ? ops.Allocate(new Shape(0, Output.Weight.Out)) : Output.Forward(ops, x, context.Adapters?.OfOutputs);
    }

    /// <summary>A forward pass without the output layer, for whoever fuses that with a loss.</summary>
    /// <inheritdoc cref="Forward" path="/param"/>
    /// <returns>The normed hidden states of the batch's outputs <c>[outputs, hidden]</c> float32.</returns>
    /// <inheritdoc cref="Forward" path="/exception"/>
    public Tensor Hidden(IOps ops, Batch batch, ForwardContext context, IReadOnlyList<KvSequence>? cache = null, IReadOnlyList<CrossStates?>? images = null)
    {
        Prepare(ops, batch, context, cache);
        context.Cross.Set(ops, batch, images, Config.Vision?.TileTokens ?? 0);
        context.Adapters?.Check(batch, Config);
        Tensor x = Embed(ops, batch, context.Adapters, context.Soft);
        foreach (IBlock<ForwardContext> block in _order)
        {
            // Text alone never meets a block that looks at images: it has the bits of the text model.
            x = context.Cross.IsEmpty && block is CrossAttentionBlock ? x : ops.Run(block, x, context);
        }

        Advance(batch, cache);
        return batch.Outputs.IsEmpty ? ops.Allocate(new Shape(0, Config.Hidden)) : ops.RmsNorm(ops.SelectRows(x, batch.Outputs), Norm, Config.NormEpsilon);
    }

    /// <summary>Embeddings of the tokens; rows of pictures have their own.</summary>
    private Tensor Embed(IOps ops, Batch batch, AdapterBatch? adapters, SoftTokens? soft)
    {
        Tensor x = ops.Gather(Embedding, batch.Tokens);
        x = adapters is null ? x : adapters.OfTokens.AddEmbedding(ops, batch.Tokens, x);
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
