using Puna.Cli.Generation;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Formats.Images;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Text.Chat;

namespace Puna.Cli.Commands;

/// <summary>The options that show pictures to a model.</summary>
/// <param name="summary">What <c>--image</c> is said to be.</param>
internal sealed class PictureArguments(string summary = "A picture for a model that sees: PNG, GIF, JPEG or WebP")
{
    private const int MostFrames = 64;

    /// <summary>The pictures.</summary>
    public Option<string?> Image { get; } = Parsing.Options.Path("image", "F", summary, ValueHint.File, repeatable: true);

    /// <summary>How many pictures an animation is.</summary>
    public Option<int> Frames { get; } = Parsing.Options.Integer("frames", "N", "Of an animated GIF or WebP, the number of frames shown, evenly spaced, as one picture each", 1, 1, MostFrames);

    /// <summary>Reads the pictures as the model is to see them.</summary>
    /// <param name="args">The command line.</param>
    /// <param name="source">Where the model is.</param>
    /// <param name="config">The model.</param>
    /// <returns>None where there is no such option.</returns>
    /// <exception cref="PunaException">The model does not see, or a picture cannot be read.</exception>
    public IReadOnlyList<TiledImage> Read(ParsedArguments args, ModelSource source, LlamaConfig config)
    {
        if (!args.Has(Image))
        {
            return args.Has(Frames) ? throw new UsageException("option --frames: expected --image with it, got none") : [];
        }

        ImageProcessor processor = ImageProcessorConfig.For(config, source.Path) ?? throw new PunaException($"option --image: expected a model that sees, got {source.Name}");
        int frames = args.Get(Frames);
        return [.. args.GetAll(Image).SelectMany(file => frames == 1 ? [ImageReader.Read(file)] : ImageReader.ReadFrames(file, frames)).Select(processor.Process)];
    }

    /// <summary>The pictures under the names that the model's reference has for them.</summary>
    /// <param name="inputs">The text.</param>
    /// <param name="pictures">What <see cref="Read"/> gave.</param>
    /// <param name="config">The model.</param>
    /// <exception cref="PunaException">A picture's layout is none that the model knows.</exception>
    public static ModelInputs Add(ModelInputs inputs, IReadOnlyList<TiledImage> pictures, LlamaConfig config)
    {
        if (pictures.Count == 0)
        {
            return inputs;
        }

        int side = pictures[0].Side;
        if (config.Vision is not { } vision)
        {
            return inputs with { Pixels = new([.. pictures.SelectMany(static p => p.Pixels)], new Shape(pictures.Sum(static p => p.Tiles), 3, side, side)) };
        }

        int size = vision.MaxTiles * 3 * side * side;
        var pixels = new float[(long)pictures.Count * size]; // tiles that are not used stay zero
        var ratios = new int[pictures.Count];
        for (int i = 0; i < pictures.Count; i++)
        {
            TiledImage picture = pictures[i];
            picture.Pixels.CopyTo(pixels, i * size);
            ratios[i] = MllamaImage.Of(vision, picture.Pixels, picture.Grid.Rows, picture.Grid.Columns).AspectRatio;
        }

        return inputs with { Pixels = new(pixels, new Shape(pictures.Count, vision.MaxTiles, 3, side, side)), AspectRatioIds = new(ratios, new Shape(pictures.Count)) };
    }

    /// <summary>The pictures as a conversation has them.</summary>
    /// <param name="pictures">What <see cref="Read"/> gave.</param>
    /// <param name="config">The model.</param>
    public static IReadOnlyList<ChatImage> Places(IReadOnlyList<TiledImage> pictures, LlamaConfig config) =>
        [.. pictures.Select(picture => new ChatImage(picture.Grid.Rows, picture.Grid.Columns, config.Llama4?.Vision?.TokensPerTile ?? 1))];
}
