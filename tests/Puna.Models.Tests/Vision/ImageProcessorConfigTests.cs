using Puna.Models.Vision;
using Puna.Tensors;

namespace Puna.Models.Tests.Vision;

public class ImageProcessorConfigTests
{
    private const string Mllama = """
        {"image_processor_type": "MllamaImageProcessor", "do_convert_rgb": true, "do_normalize": true, "do_pad": true, "do_rescale": true, "do_resize": true, "resample": 2,
         "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711], "max_image_tiles": 4, "rescale_factor": 0.00392156862745098,
         "size": {"height": 560, "width": 560}}
        """;

    [Fact]
    public void ThePublishedFormIsRead()
    {
        ImageProcessor processor = Read(Mllama);
        Assert.Equal((false, 560, 4), (processor.IsLlama4, processor.Side, processor.MaxTiles));
        processor = Read("""{"image_processor_type": "Llama4ImageProcessorFast", "size": {"height": 336, "width": 336}, "max_patches": 9, "resize_to_max_canvas": true}""");
        Assert.Equal((true, 336, 9, true), (processor.IsLlama4, processor.Side, processor.MaxTiles, processor.MaxCanvas));
    }

    [Theory]
    [InlineData("\"MllamaImageProcessor\"", "\"CLIPImageProcessor\"", "image_processor_type")]
    [InlineData("\"do_resize\": true", "\"do_resize\": false", "do_resize")]
    [InlineData("\"resample\": 2", "\"resample\": 3", "resample")]
    [InlineData("\"width\": 560", "\"width\": 448", "width")]
    [InlineData("\"height\": 560, \"width\": 560", "\"height\": 0, \"width\": 0", "width")]
    [InlineData("\"max_image_tiles\": 4", "\"max_image_tiles\": 1000", "max_image_tiles")]
    [InlineData("0.26862954, ", "", "image_std")]
    [InlineData("0.26862954", "0", "image_std")]
    [InlineData("0.26862954", "\"x\"", "image_std")]
    [InlineData("\"image_mean\"", "\"image_mean_\"", "image_mean")]
    [InlineData("0.00392156862745098", "1e999", "rescale_factor")]
    [InlineData("\"size\"", "\"size_\"", "size")]
    public void WhatNoPublishedProcessorDoesIsRefusedByName(string old, string replacement, string key)
    {
        Assert.Contains(old, Mllama);
        PunaException e = Assert.ThrowsAny<PunaException>(() => Read(Mllama.Replace(old, replacement, StringComparison.Ordinal)));
        Assert.Contains(key, e.Message);
    }

    [Fact]
    public void ItIsFoundBesideTheModelAndByItsOwnName()
    {
        string folder = Directory.CreateTempSubdirectory("puna-test-").FullName;
        try
        {
            Assert.Null(ImageProcessorConfig.Find(folder));
            string file = Path.Combine(folder, "preprocessor_config.json");
            File.WriteAllText(file, Mllama);
            string other = Path.Combine(folder, "x.preprocessor_config.json");
            File.WriteAllText(other, Mllama);
            Assert.Equal(file, ImageProcessorConfig.Find(folder));
            Assert.Equal(file, ImageProcessorConfig.Find(file));
            Assert.Equal(other, ImageProcessorConfig.Find(other));
            Assert.Equal(file, ImageProcessorConfig.Find(Path.Combine(folder, "model.safetensors")));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static ImageProcessor Read(string json)
    {
        string path = Path.Combine(Path.GetTempPath(), $"puna-{Guid.NewGuid():N}.preprocessor_config.json");
        File.WriteAllText(path, json);
        try
        {
            return ImageProcessorConfig.Read(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
