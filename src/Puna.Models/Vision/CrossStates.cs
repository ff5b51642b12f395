using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>
/// The images of one text as its tokens meet them: who sees what, and the keys and values of every cross-attention layer, computed once (or, where a pass is gone back through, what they are computed from). Immutable;
/// dispose it after the last pass over the text.
/// </summary>
public sealed class CrossStates : IDisposable
{
    private readonly KvCache? _cache;
    private readonly KvSequence[]? _sequences;

    private CrossStates(CrossMask mask, KvCache? cache, KvSequence[]? sequences, Tensor features, int firstImage)
    {
        (Mask, _cache, _sequences, Features, FirstImage) = (mask, cache, sequences, features, firstImage);
    }

    /// <summary>Who sees what.</summary>
    public CrossMask Mask { get; }

    /// <summary>Bytes of keys and values.</summary>
    public long ByteLength => _cache?.ByteLength ?? 0;

    /// <summary>Whether keys and values were computed before.</summary>
    internal bool IsCached => _sequences is not null;

    /// <summary>What the layers' keys and values are computed from, where they are not cached <c>[images * maxTiles * tileTokens, hidden]</c>.</summary>
    internal Tensor Features { get; }

    /// <summary>This text's first image in <see cref="Features"/>.</summary>
    internal int FirstImage { get; }

    /// <summary>Images whose keys and values every pass computes anew, so that it can be gone back through.</summary>
    /// <param name="mask">Who sees what.</param>
    /// <param name="features">What <see cref="MllamaVision.Forward"/> gave; the same tensor for all texts of a batch.</param>
    /// <param name="firstImage">The text's first image in it.</param>
    public static CrossStates Of(CrossMask mask, Tensor features, int firstImage = 0) => new(mask, null, null, features, firstImage);

    /// <summary>Encodes images and keeps the keys and values of every cross-attention layer. An image that no token sees is left out.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ops">The device.</param>
    /// <param name="images">The text's images.</param>
    /// <param name="mask">Who sees what.</param>
    /// <param name="type">What keys and values are rounded to; null means <see cref="Llama.CacheType"/>.</param>
    /// <exception cref="PunaException">The model does not see; an image does not fit it.</exception>
    public static CrossStates Compute(Llama model, IOps ops, IReadOnlyList<MllamaImage> images, CrossMask mask, DType? type = null)
    {
        MllamaVision vision = model.Vision ?? throw new PunaException($"images: expected a model that sees, got {model.Config.Name}");
        return Compute(model, ops, images.Count, image => vision.Forward(ops, [images[image]], shareEmpty: true), mask, type);
    }

    /// <summary>Keeps the keys and values of every cross-attention layer for images that were encoded before.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ops">The device.</param>
    /// <param name="features">Per image what <see cref="MllamaVision.Forward"/> gave for it, at least the tile slots up to the last one that is seen <c>[tiles * tileTokens, hidden]</c>.</param>
    /// <param name="mask">Who sees what.</param>
    /// <param name="type">What keys and values are rounded to; null means <see cref="Llama.CacheType"/>.</param>
    /// <exception cref="PunaException">The model does not see; there are more or fewer images than the mask has.</exception>
    public static CrossStates Compute(Llama model, IOps ops, IReadOnlyList<Tensor> features, CrossMask mask, DType? type = null) => Compute(model, ops, features.Count, image => features[image], mask, type);

    /// <summary>Bytes of the keys and values that <see cref="Compute(Llama, IOps, IReadOnlyList{Tensor}, CrossMask, DType?)"/> would keep.</summary>
    /// <param name="model">A model that sees.</param>
    /// <param name="mask">Who sees what.</param>
    /// <param name="type">What keys and values are rounded to.</param>
    public static long Measure(Llama model, CrossMask mask, DType type)
    {
        using KvCache cache = CreateCache(model, type);
        long bytes = 0;
        foreach (IReadOnlyList<int> set in mask.Sets)
        {
            bytes = checked(bytes + (((((long)set.Count * model.Vision!.Config.TileTokens) + KvCache.BlockSize - 1) / KvCache.BlockSize) * cache.BlockBytes));
        }

        return bytes;
    }

    private static KvCache CreateCache(Llama model, DType type) => new(model.CrossBlocks.Count, model.Config.KvHeads, model.Config.HeadDim, type);

    private static CrossStates Compute(Llama model, IOps ops, int images, Func<int, Tensor> features, CrossMask mask, DType? type)
    {
        MllamaVision vision = model.Vision ?? throw new PunaException($"images: expected a model that sees, got {model.Config.Name}");
        if (mask.Images != images || mask.MaxTiles != vision.Config.MaxTiles)
        {
            throw new PunaException($"images: expected {mask.Images} with {mask.MaxTiles} tile slots, as the mask has, got {images} with {vision.Config.MaxTiles}");
        }

        KvCache cache = CreateCache(model, type ?? model.CacheType);
        try
        {
            var sequences = new KvSequence[mask.Sets.Count];
            for (int set = 0; set < sequences.Length; set++)
            {
                sequences[set] = cache.CreateSequence();
            }

            for (int i = 0; i < images; i++)
            {
                int image = i;
                if (mask.Sets.Any(set => set.Any(column => column / mask.MaxTiles == image)))
                {
                    ops.Run(new ImageBlock(model, vision, features, mask, sequences), ops.Allocate(new Shape(1, 1)), i);
                }
            }

            return new CrossStates(mask, cache, sequences, default, 0);
        }
        catch
        {
            cache.Dispose();
            throw;
        }
    }

    /// <summary>The same images for a text in which they stand elsewhere; takes this value's place, so that only the result is to be disposed.</summary>
    /// <returns>Null where tokens see other sets of tiles: then keys and values have to be computed anew.</returns>
    public CrossStates? TryMove(CrossMask mask)
    {
        bool isSame = mask.Images == Mask.Images && mask.MaxTiles == Mask.MaxTiles && mask.Sets.Count == Mask.Sets.Count;
        for (int set = 0; isSame && set < mask.Sets.Count; set++)
        {
            isSame = mask.Sets[set].SequenceEqual(Mask.Sets[set]);
        }

        return isSame ? new CrossStates(mask, _cache, _sequences, Features, FirstImage) : null;
    }

    /// <summary>The keys and values of a set.</summary>
    internal KvSequence Keys(int set) => _sequences![set];

    /// <inheritdoc/>
    public void Dispose() => _cache?.Dispose();

    /// <summary>One image in a scope of its own: encodes it where that has not been done, and appends its keys and values to those of every set that sees some of its tiles.</summary>
    private sealed class ImageBlock(Llama model, MllamaVision vision, Func<int, Tensor> image, CrossMask mask, KvSequence[] sequences) : IBlock<int>
    {
        public Tensor Forward(IOps ops, Tensor x, int context)
        {
            int tokens = vision.Config.TileTokens;

            // Keys are computed of the tiles that are seen only.
            int[] tiles = [.. mask.Sets.SelectMany(static set => set).Where(column => column / mask.MaxTiles == context).Select(column => column % mask.MaxTiles).Distinct().Order()];
            Tensor features = ops.SelectRows(image(context), [.. tiles.SelectMany(tile => Enumerable.Range(tile * tokens, tokens))]);
            var parts = new List<(KvSequence Sequence, int[] Rows, Batch Batch)>();
            for (int set = 0; set < sequences.Length; set++)
            {
                var rows = new List<int>();
                foreach (int column in mask.Sets[set])
                {
                    for (int t = 0; t < tokens && column / mask.MaxTiles == context; t++)
                    {
                        rows.Add((Array.IndexOf(tiles, column % mask.MaxTiles) * tokens) + t);
                    }
                }

                if (rows.Count > 0)
                {
                    var batch = new Batch();
                    batch.Add(new int[rows.Count], sequences[set].Length, BatchOutputs.None);
                    sequences[set].Reserve(rows.Count);
                    parts.Add((sequences[set], [.. rows], batch));
                }
            }

            for (int layer = 0; layer < model.CrossBlocks.Count; layer++)
            {
                (Tensor k, Tensor v) = model.CrossBlocks[layer].Attention.KeysAndValues(ops, features);
                foreach ((KvSequence sequence, int[] rows, Batch batch) in parts)
                {
                    ops.Append(new KvView([sequence], layer), ops.SelectRows(k, rows), ops.SelectRows(v, rows), batch);
                }
            }

            foreach ((KvSequence sequence, int[] rows, _) in parts)
            {
                sequence.Advance(rows.Length);
            }

            return x;
        }
    }
}
