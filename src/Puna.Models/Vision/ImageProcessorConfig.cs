using Puna.Models.Checkpoints;
using Puna.Tensors;

namespace Puna.Models.Vision;

/// <summary>Reads a <c>preprocessor_config.json</c>: the published form of both designs' settings.</summary>
public static class ImageProcessorConfig
{
    private const int LargestSide = 4096;
    private const int MostTiles = 64;

    private const string Name = "preprocessor_config.json";
    private const string MetaName = "params.json";

    /// <summary>The processor that belongs to a model.</summary>
    /// <param name="model">A file whose name ends in <c>preprocessor_config.json</c>, or a model's folder or a file in it; there <c>preprocessor_config.json</c> is read, or in Meta's layout <c>params.json</c>.</param>
    /// <exception cref="PunaException">There are no such settings, they cannot be read, or ask for something else than the two designs do.</exception>
    public static ImageProcessor Open(string model)
    {
        if (Find(model) is { } path)
        {
            return Read(path);
        }

        string meta = Path.Combine(Folder(model), MetaName);
        return File.Exists(meta) && ReadMeta(JsonConfig.Read(meta)) is { } processor
            ? processor
            : throw new PunaException($"model {model}: expected a {Name} with it, or a {MetaName} of a vision model, got none");
    }

    /// <summary>The processor for a model that is opened: its settings where there are some with it, else what its own config implies.</summary>
    /// <param name="config">The model.</param>
    /// <param name="path">Where it is, or null.</param>
    /// <returns>Null where the model does not see.</returns>
    /// <exception cref="PunaException">The settings cannot be read, or are those of another model.</exception>
    public static ImageProcessor? For(LlamaConfig config, string? path)
    {
        ImageProcessor? own = config.Vision is { } crossed ? ImageProcessor.Llama32(crossed.ImageSize, crossed.MaxTiles)
            : config.Llama4?.Vision is { } fused ? ImageProcessor.Llama4(fused.ImageSize)
            : null;
        if (own is null || path is null || Find(path) is not { } settings)
        {
            return own;
        }

        ImageProcessor read = Read(settings);
        return read.IsLlama4 == own.IsLlama4 && read.Side == own.Side && read.MaxTiles <= own.MaxTiles
            ? read
            : throw new PunaException($"image processor {settings}: expected up to {own.MaxTiles} tiles of {own.Side} pixels, as the model has them, got up to {read.MaxTiles} of {read.Side}");
    }

    /// <summary>Where the settings are: a file whose name ends in <c>preprocessor_config.json</c>, or one of exactly this name in a model's folder.</summary>
    /// <param name="model">A file or a folder.</param>
    /// <returns>The file's path, or null where it is not there.</returns>
    public static string? Find(string model)
    {
        string path = model.EndsWith(Name, StringComparison.Ordinal) ? model : Path.Combine(Folder(model), Name);
        return File.Exists(path) ? path : null;
    }

    private static string Folder(string model) => Directory.Exists(model) ? model : Path.GetDirectoryName(model) ?? "";

    /// <summary>Meta's settings, which name what differs between models; the rest is the design's. Null of a text model.</summary>
    private static ImageProcessor? ReadMeta(JsonConfig json)
    {
        if (json.Has("vision_chunk_size"))
        {
            int tiles = json.Int("vision_max_num_chunks") ?? 4;
            return ImageProcessor.Llama32(
                Within(json, "vision_chunk_size", json.RequireInt("vision_chunk_size"), LargestSide), Within(json, "vision_max_num_chunks", tiles, MostTiles));
        }

        if (json.Object("vision_args")?.Object("image_size") is not { } size)
        {
            return null;
        }

        int side = Within(size, "height", size.RequireInt("height"), LargestSide);
        return size.RequireInt("width") == side ? ImageProcessor.Llama4(side) : throw size.Refuse("width", $"{side}, like the height");
    }

    private static int Within(JsonConfig json, string key, int value, int most) => value >= 1 && value <= most ? value : throw json.Refuse(key, $"1 to {most}");

    /// <summary>Reads the settings.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="PunaException">It cannot be read, or asks for something else than the two designs do.</exception>
    public static ImageProcessor Read(string path)
    {
        JsonConfig json = JsonConfig.Read(path);
        string type = json.String("image_processor_type") ?? json.String("processor_class") ?? throw json.Refuse("image_processor_type", "a Mllama or Llama4 image processor");
        bool isLlama4 = type.StartsWith("Llama4", StringComparison.Ordinal);
        if (!isLlama4 && !type.StartsWith("Mllama", StringComparison.Ordinal))
        {
            throw json.Refuse("image_processor_type", "a Mllama or Llama4 image processor");
        }

        foreach (string key in (string[])["do_convert_rgb", "do_normalize", "do_rescale", "do_resize", "do_pad"])
        {
            if (json.Bool(key) == false)
            {
                throw json.Refuse(key, "true");
            }
        }

        if (json.Int("resample") is not (null or 2))
        {
            throw json.Refuse("resample", "2 (bilinear)");
        }

        JsonConfig size = json.Object("size") ?? throw json.Refuse("size", "height and width of a tile");
        int side = size.RequireInt("height");
        if (side < 1 || side > LargestSide || size.RequireInt("width") != side)
        {
            throw size.Refuse("width", $"a square tile of 1 to {LargestSide} pixels a side");
        }

        string tilesKey = isLlama4 ? "max_patches" : "max_image_tiles";
        int tiles = json.Int(tilesKey) ?? (isLlama4 ? 16 : 4);
        if (tiles is < 1 or > MostTiles)
        {
            throw json.Refuse(tilesKey, $"1 to {MostTiles}");
        }

        double fallback = isLlama4 ? 0.5 : double.NaN;
        double[] mean = Three(json, "image_mean", fallback);
        double[] deviation = Three(json, "image_std", fallback);
        if (deviation.Any(d => d <= 0))
        {
            throw json.Refuse("image_std", "positive numbers");
        }

        return new ImageProcessor(isLlama4, side, tiles, mean, deviation, isLlama4 && json.Bool("resize_to_max_canvas") == true, json.Number("rescale_factor"));
    }

    private static double[] Three(JsonConfig json, string key, double fallback)
    {
        if (json.Numbers(key) is not { } numbers)
        {
            return double.IsNaN(fallback) ? throw json.Refuse(key, "three numbers") : [fallback, fallback, fallback];
        }

        return numbers.Count == 3 ? [.. numbers] : throw json.Refuse(key, "three numbers");
    }
}
