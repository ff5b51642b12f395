using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>An image as Llama 3.2 Vision's encoder is given it.</summary>
/// <param name="Pixels">Tiles, resized and normalised <c>[tiles, 3, side, side]</c> float32: those in use or all slots; slots that are missing are zeros.</param>
/// <param name="AspectRatio">Id of the layout of its tiles: 1 plus its place in <see cref="MllamaConfig.AspectRatios"/>; 0 is an image that is not there.</param>
/// <param name="IsUsed">Per tile slot, whether there is a tile.</param>
public sealed record MllamaImage(ReadOnlyMemory<float> Pixels, int AspectRatio, IReadOnlyList<bool> IsUsed)
{
    /// <summary>An image whose tiles fill its layout.</summary>
    /// <param name="config">The encoder.</param>
    /// <param name="pixels">As <see cref="Pixels"/>.</param>
    /// <param name="height">Rows of tiles.</param>
    /// <param name="width">Columns of tiles.</param>
    /// <exception cref="PunaException">The encoder does not know that layout.</exception>
    public static MllamaImage Of(MllamaConfig config, ReadOnlyMemory<float> pixels, int height, int width)
    {
        for (int i = 0; i < config.AspectRatios.Count; i++)
        {
            if (config.AspectRatios[i] == (height, width))
            {
                return new MllamaImage(pixels, i + 1, [.. Enumerable.Range(0, config.MaxTiles).Select(t => t < height * width)]).Check(config);
            }
        }

        throw new PunaException($"image: expected tiles in one of the layouts {string.Join(", ", config.AspectRatios.Select(static r => $"{r.Height}x{r.Width}"))}, got {height}x{width}");
    }

    /// <summary>Checks that it fits an encoder.</summary>
    /// <returns>This value.</returns>
    /// <exception cref="PunaException">Names what does not.</exception>
    public MllamaImage Check(MllamaConfig config)
    {
        long tile = MllamaConfig.Channels * (long)config.ImageSize * config.ImageSize;
        int used = 0;
        for (int t = 0; t < IsUsed.Count; t++)
        {
            used = IsUsed[t] ? t + 1 : used;
        }

        return Pixels.Length % tile != 0 || Pixels.Length / tile < used || Pixels.Length / tile > config.MaxTiles
            ? throw new PunaException($"image: expected {used} to {config.MaxTiles} tiles of 3 x {config.ImageSize} x {config.ImageSize} values, got {Pixels.Length} values")
            : IsUsed.Count != config.MaxTiles || used == 0 ? throw new PunaException($"image: expected a mask of {config.MaxTiles} tile slots with a tile in it, got [{string.Join(", ", IsUsed.Select(static x => x ? 1 : 0))}]")
            : AspectRatio < (config.HasCellTables ? 1 : 0) || AspectRatio > config.AspectRatios.Count ? throw new PunaException($"aspect ratio id: expected {(config.HasCellTables ? 1 : 0)} to {config.AspectRatios.Count}, got {AspectRatio}")
            : this;
    }

    /// <summary>The tile of a slot, or nothing where it is missing <c>[3, side, side]</c>.</summary>
    internal ReadOnlySpan<float> Tile(MllamaConfig config, int slot)
    {
        int tile = MllamaConfig.Channels * config.ImageSize * config.ImageSize;
        return (slot + 1) * tile <= Pixels.Length ? Pixels.Span.Slice(slot * tile, tile) : [];
    }

    /// <summary>Row of the tables for a tile slot, or -1 where they have none.</summary>
    internal int Place(MllamaConfig config, int slot)
    {
        if (!config.HasCellTables)
        {
            return (AspectRatio * config.MaxTiles) + slot;
        }

        (int height, int width) = config.AspectRatios[AspectRatio - 1];
        return slot < height * width ? (slot / width * config.MaxTiles) + (slot % width) : -1;
    }
}
