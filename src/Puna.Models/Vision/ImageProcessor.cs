using Puna.Formats.Images;

namespace Puna.Models.Vision;

/// <summary>
/// Pictures to tiles as the models were trained with: Llama 3.2 Vision (Pillow's resampling, up to four tiles) or Llama 4 (torchvision's, up to sixteen tiles and a thumbnail, values that went
/// through bfloat16). Bit-exact against both references (spec llama1-3.md 4.1, llama4.md 4.3, 4.4, 4.9).
/// </summary>
public sealed class ImageProcessor
{
    private readonly float[] _values; // [3, 256]: what each channel's byte becomes

    /// <summary>Creates a processor.</summary>
    /// <param name="isLlama4">Llama 4's steps, else those of Llama 3.2 Vision.</param>
    /// <param name="side">Pixels of a tile's side.</param>
    /// <param name="maxTiles">Most tiles of a canvas.</param>
    /// <param name="mean">Mean of each channel.</param>
    /// <param name="deviation">Deviation of each channel.</param>
    /// <param name="maxCanvas">Llama 4: whether a picture is enlarged as far as a canvas goes.</param>
    /// <param name="scale">What a byte is multiplied by first; null means 1/255.</param>
    public ImageProcessor(bool isLlama4, int side, int maxTiles, ReadOnlySpan<double> mean, ReadOnlySpan<double> deviation, bool maxCanvas = false, double? scale = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(side);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxTiles);
        (IsLlama4, Side, MaxTiles, MaxCanvas) = (isLlama4, side, maxTiles, maxCanvas);
        _values = new float[3 * 256];
        for (int i = 0; i < _values.Length; i++)
        {
            (int channel, int value) = (i / 256, i % 256);
            double factor = scale ?? 1 / 255.0;
            _values[i] = isLlama4
                ? BFloat16(BFloat16(BFloat16(value * (float)factor) - (float)mean[channel]) / (float)deviation[channel])
                : (float)(((value * factor) - mean[channel]) / deviation[channel]);
        }
    }

    /// <summary>Whether the steps are Llama 4's.</summary>
    public bool IsLlama4 { get; }

    /// <summary>Pixels of a tile's side.</summary>
    public int Side { get; }

    /// <summary>Most tiles of a canvas.</summary>
    public int MaxTiles { get; }

    /// <summary>Whether a picture is enlarged as far as a canvas goes.</summary>
    public bool MaxCanvas { get; }

    /// <summary>The processor of Llama 3.2 Vision with its published mean and deviation.</summary>
    public static ImageProcessor Llama32(int side = 560, int maxTiles = 4) =>
        new(false, side, maxTiles, [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]);

    /// <summary>The processor of Llama 4.</summary>
    public static ImageProcessor Llama4(int side = 336, int maxTiles = 16, bool maxCanvas = false) => new(true, side, maxTiles, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5], maxCanvas);

    /// <summary>How a picture is laid out, and the tiles that <see cref="Process"/> makes of it, a thumbnail included.</summary>
    /// <param name="height">Its rows.</param>
    /// <param name="width">Its columns.</param>
    public (TileGrid Grid, int Tiles) Lay(int height, int width)
    {
        TileGrid grid = TileGrid.Choose(height, width, Side, MaxTiles, MaxCanvas);
        return (grid, grid.Tiles + (IsLlama4 && grid.Tiles > 1 ? 1 : 0));
    }

    /// <summary>Cuts a picture into tiles: those of its canvas, and for Llama 4, where there are several, a thumbnail that has lost the picture's shape.</summary>
    /// <param name="image">The picture.</param>
    public TiledImage Process(RgbImage image)
    {
        (TileGrid grid, int tiles) = Lay(image.Height, image.Width);
        (int height, int width) = grid.Fit(image.Height, image.Width, Side, !MaxCanvas);
        byte[] fitted = Resampling.Resize(image.Pixels, image.Height, image.Width, height, width, !IsLlama4);
        var pixels = new float[checked((long)tiles * 3 * Side * Side)];
        for (int t = 0; t < grid.Tiles; t++)
        {
            Cut(fitted, height, width, t / grid.Columns * Side, t % grid.Columns * Side, Tile(pixels, t));
        }

        if (tiles > grid.Tiles)
        {
            Cut(Resampling.Resize(image.Pixels, image.Height, image.Width, Side, Side, isPillow: false), Side, Side, 0, 0, Tile(pixels, tiles - 1));
        }

        return new TiledImage(grid, Side, tiles, pixels);
    }

    private static float BFloat16(float value)
    {
        uint bits = BitConverter.SingleToUInt32Bits(value);
        return BitConverter.UInt32BitsToSingle((bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000);
    }

    private Span<float> Tile(float[] pixels, int tile) => pixels.AsSpan(tile * 3 * Side * Side, 3 * Side * Side);

    /// <summary>One tile of the canvas, which is black where the picture does not reach.</summary>
    private void Cut(byte[] picture, int height, int width, int top, int left, Span<float> tile)
    {
        for (int c = 0; c < 3; c++)
        {
            ReadOnlySpan<float> values = _values.AsSpan(c * 256, 256);
            for (int y = 0; y < Side; y++)
            {
                Span<float> row = tile.Slice(((c * Side) + y) * Side, Side);
                int inside = top + y < height ? Math.Clamp(width - left, 0, Side) : 0;
                for (int x = 0; x < inside; x++)
                {
                    row[x] = values[picture[(((long)(top + y) * width) + left + x) * 3 + c]];
                }

                row[inside..].Fill(values[0]);
            }
        }
    }
}
