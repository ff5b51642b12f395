using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Runtime.Generation;

/// <summary>
/// The pictures of a prompt and the tokens that stand for them, checked against the model. Llama 3.2 Vision has one token for a picture, and all later tokens look at it through
/// cross-attention; Llama 4 has a token for every patch of every tile, whose embedding the patch takes. Immutable.
/// </summary>
internal sealed class PromptImages
{
    // Tokens that stand for pictures, ascending; and per picture the first of them, with the end behind the last picture.
    private readonly int[] _positions;
    private readonly int[] _starts;

    private PromptImages(IReadOnlyList<TiledImage> images, int[] positions, int[] starts, CrossMask? mask) => (Images, _positions, _starts, Mask) = (images, positions, starts, mask);

    /// <summary>The pictures, in the order of their tokens.</summary>
    public IReadOnlyList<TiledImage> Images { get; }

    /// <summary>Llama 3.2 Vision: which tiles each token sees.</summary>
    public CrossMask? Mask { get; }

    /// <summary>Checks a prompt and its pictures.</summary>
    /// <param name="config">The model.</param>
    /// <param name="prompt">The prompt.</param>
    /// <param name="images">Its pictures.</param>
    /// <returns>Null where there are none.</returns>
    /// <exception cref="PunaException">The model does not see, a picture does not fit it, or the prompt has more or fewer tokens for pictures than there are pictures.</exception>
    public static PromptImages? Of(LlamaConfig config, ReadOnlySpan<int> prompt, IReadOnlyList<TiledImage> images)
    {
        if (images.Count == 0)
        {
            return null;
        }

        if (config.Vision is { } crossed)
        {
            MllamaImage[] tiles = [.. images.Select(image => InTiles(crossed, image))];
            CrossMask mask = CrossMask.Of(prompt, crossed.ImageToken, [.. tiles.Select(static image => image.IsUsed)], crossed.MaxTiles);
            return new PromptImages(images, Find(prompt, crossed.ImageToken), [.. Enumerable.Range(0, images.Count + 1)], mask);
        }

        Llama4VisionConfig fused = config.Llama4?.Vision ?? throw new PunaException($"images: expected a model that sees them, got {config.Name}");
        var starts = new int[images.Count + 1];
        for (int i = 0; i < images.Count; i++)
        {
            long tile = 3L * fused.ImageSize * fused.ImageSize;
            if (images[i].Side != fused.ImageSize || images[i].Tiles < 1 || images[i].Pixels.Length != images[i].Tiles * tile)
            {
                throw new PunaException($"image {i + 1}: expected tiles of 3 x {fused.ImageSize} x {fused.ImageSize} values, got {images[i].Tiles} of side {images[i].Side} with {images[i].Pixels.Length} values");
            }

            starts[i + 1] = checked(starts[i] + (images[i].Tiles * fused.TokensPerTile));
        }

        int[] positions = Find(prompt, fused.PatchToken);
        return positions.Length == starts[^1]
            ? new PromptImages(images, positions, starts, null)
            : throw new PunaException($"images: expected {starts[^1]} of the patch token {fused.PatchToken} in the prompt for {images.Sum(static i => i.Tiles)} tiles, got {positions.Length}");
    }

    /// <summary>A picture as the encoder of Llama 3.2 Vision is given it.</summary>
    public static MllamaImage InTiles(MllamaConfig config, TiledImage image) => MllamaImage.Of(config, image.Pixels, image.Grid.Rows, image.Grid.Columns);

    /// <summary>How much of a text that begins as another one did can be kept: up to the first token of a picture that is another one now.</summary>
    /// <param name="same">Tokens that both begin with.</param>
    /// <param name="sameImages">Pictures that both begin with.</param>
    public int Reusable(int same, int sameImages) => sameImages < Images.Count ? Math.Min(same, _positions[_starts[sameImages]]) : same;

    /// <summary>The pictures that some tokens stand for, in order, each once.</summary>
    /// <param name="first">First of the tokens.</param>
    /// <param name="end">Behind the last of them.</param>
    /// <param name="found">Filled with their numbers.</param>
    public void FindIn(int first, int end, List<int> found)
    {
        found.Clear();
        for (int i = From(first); i < _positions.Length && _positions[i] < end; i++)
        {
            int image = ImageOf(i);
            if (found.Count == 0 || found[^1] != image)
            {
                found.Add(image);
            }
        }
    }

    /// <summary>Llama 4: adds the rows of a pass that take embeddings of patches.</summary>
    /// <param name="soft">What to add to.</param>
    /// <param name="row">Row of the first token in the pass.</param>
    /// <param name="first">First token of the text in the pass.</param>
    /// <param name="count">Number of tokens.</param>
    /// <param name="values">Per picture the embeddings of its patches.</param>
    public void AddSoft(SoftRows soft, int row, int first, int count, IReadOnlyList<Tensor> values)
    {
        for (int i = From(first); i < _positions.Length && _positions[i] < first + count; i++)
        {
            int image = ImageOf(i);
            soft.Add(row + _positions[i] - first, values[image], i - _starts[image]);
        }
    }

    private static int[] Find(ReadOnlySpan<int> prompt, int token)
    {
        var positions = new List<int>();
        for (int t = 0; t < prompt.Length; t++)
        {
            if (prompt[t] == token)
            {
                positions.Add(t);
            }
        }

        return [.. positions];
    }

    private int From(int token)
    {
        int at = Array.BinarySearch(_positions, token);
        return at < 0 ? ~at : at;
    }

    private int ImageOf(int place)
    {
        int at = Array.BinarySearch(_starts, place);
        return at < 0 ? ~at - 1 : at;
    }
}
