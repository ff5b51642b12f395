using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Runtime.Generation;

/// <summary>The images of a session's text, and what the model's layers make of them: computed once, as long as they stay the same.</summary>
internal sealed class SessionImages : IDisposable
{
    private readonly CrossStates?[] _states = [null];
    private IReadOnlyList<TiledImage> _images = [];

    /// <summary>For a forward pass: null where the text has no images.</summary>
    public IReadOnlyList<CrossStates?>? States => _states[0] is null ? null : _states;

    /// <summary>Bytes of keys and values.</summary>
    public long ByteLength => _states[0]?.ByteLength ?? 0;

    /// <summary>Whether the text has images.</summary>
    public bool Any => _states[0] is not null;

    /// <summary>How much of a text that begins as the session's does can be kept: up to the first image that is another one now.</summary>
    /// <param name="prompt">The new text.</param>
    /// <param name="same">Tokens that both begin with.</param>
    /// <param name="images">The new text's images.</param>
    /// <param name="imageToken">The token that stands for an image; null in a model that does not see.</param>
    public int Reusable(ReadOnlySpan<int> prompt, int same, IReadOnlyList<TiledImage> images, int? imageToken)
    {
        int image = 0;
        for (int t = 0; t < same; t++)
        {
            if (prompt[t] == imageToken)
            {
                bool isSame = image < _images.Count && image < images.Count ? Same(_images[image], images[image]) : _images.Count == 0 && images.Count == 0;
                if (!isSame)
                {
                    return t;
                }

                image++;
            }
        }

        return same;
    }

    /// <summary>Takes a text's images. Nothing changes where an exception is thrown.</summary>
    /// <param name="model">The model.</param>
    /// <param name="ops">The device.</param>
    /// <param name="prompt">The text.</param>
    /// <param name="images">Its images, in the order of their tokens.</param>
    /// <param name="type">What keys and values are rounded to.</param>
    /// <exception cref="PunaException">The model does not see, an image does not fit it, or there are more or fewer than image tokens.</exception>
    public void Set(Llama model, IOps ops, ReadOnlySpan<int> prompt, IReadOnlyList<TiledImage> images, DType type)
    {
        CrossStates? next = null;
        if (images.Count > 0)
        {
            MllamaConfig config = model.Config.Vision ?? throw new PunaException($"images: expected a model that sees them, got {model.Config.Name}");
            MllamaImage[] tiles = [.. images.Select(image => MllamaImage.Of(config, image.Pixels, image.Grid.Rows, image.Grid.Columns))];
            CrossMask mask = CrossMask.Of(prompt, config.ImageToken, [.. tiles.Select(static image => image.IsUsed)], config.MaxTiles);
            bool isSame = _states[0] is not null && images.Count == _images.Count && images.Zip(_images).All(static pair => Same(pair.First, pair.Second));
            if (isSame && _states[0]!.TryMove(mask) is { } moved)
            {
                _states[0] = moved;
                return;
            }

            next = CrossStates.Compute(model, ops, tiles, mask, type);
        }

        _states[0]?.Dispose();
        _states[0] = next;
        _images = [.. images];
    }

    /// <summary>Forgets all images.</summary>
    public void Dispose()
    {
        _states[0]?.Dispose();
        _states[0] = null;
        _images = [];
    }

    private static bool Same(TiledImage a, TiledImage b) => ReferenceEquals(a, b) || (a.Grid == b.Grid && a.Pixels.AsSpan().SequenceEqual(b.Pixels));
}
