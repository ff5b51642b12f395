using Puna.Cli.Hosting;
using Puna.Cli.Locating;
using Puna.Cli.Parsing;
using Puna.Formats.Images;
using Puna.Formats.Npy;
using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Cli.Commands;

/// <summary><c>puna preprocess</c>.</summary>
internal sealed class PreprocessCommand : Command
{
    private static readonly ModelOptions Model = new(isRequired: true, computes: false);
    private static readonly Option<string?> Image = Parsing.Options.Path("image", "F", "The picture: PNG, GIF (its first frame), JPEG or WebP", ValueHint.File);
    private static readonly Option<string?> Out = Parsing.Options.Path("out", "F.npy", "The file to write", ValueHint.File);

    /// <inheritdoc/>
    public override string Name => "preprocess";

    /// <inheritdoc/>
    public override string Summary => "write a picture's tiles as a NumPy file";

    /// <inheritdoc/>
    public override string Description =>
        "Writes what a vision encoder is given of a picture: float32 [tiles, 3, height, width], the tiles of its canvas row by row, and for Llama 4, where there are several, a "
        + "thumbnail last. A model may also be a file alone whose name ends in preprocessor_config.json. JPEG needs libturbojpeg and WebP needs libwebp on this machine.";

    /// <inheritdoc/>
    public override IReadOnlyList<OptionGroup> Groups => [Model.Group, new("Input and output", Image, Out)];

    /// <inheritdoc/>
    public override IReadOnlyList<Example> Examples =>
    [
        new("puna preprocess --model Llama-3.2-11B-Vision-Instruct/ --image dog.jpg --out dog.npy", "As that model sees it"),
        new("puna preprocess --model llama4.preprocessor_config.json --image chart.png --out chart.npy", "With the settings alone"),
    ];

    /// <inheritdoc/>
    public override int Execute(CommandContext context)
    {
        string picture = context.Args.Require(Image);
        string path = context.Args.Require(Out);
        ModelSource source = new ModelLocator(context).Locate(context.Args.Require(Model.Model));
        ImageProcessor processor = ImageProcessorConfig.Open(source.Path ?? throw new PunaException($"model {source.Name}: expected one that sees pictures, got a text model"));
        TiledImage tiled = processor.Process(ImageReader.Read(picture));
        context.Token.ThrowIfCancellationRequested();
        NpyWriter.Write(path, tiled.Pixels, new Shape(tiled.Tiles, 3, tiled.Side, tiled.Side));
        return ExitCodes.Done;
    }
}
