using System.Globalization;
using System.Text;
using Puna.Models;
using Puna.Models.Vision;
using Puna.Tensors;
using Puna.Text;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Recipes.Vision;

/// <summary>What the two designs differ in before the first step: the model's config, control tokens, the settings of its image processor.</summary>
internal static class VisionModels
{
    /// <summary>Control tokens, the text's first and the picture's last: Llama 3.2 Vision knows its image token as the first id behind the vocabulary.</summary>
    public static IReadOnlyList<string> ControlTokens(VisionDesign design) => design == VisionDesign.CrossAttention
        ? ["<|begin_of_text|>", "<|end_of_text|>", "<|image|>"]
        : ["<|begin_of_text|>", "<|end_of_text|>", "<|image_start|>", "<|image_end|>", "<|tile_x_separator|>", "<|tile_y_separator|>", "<|image|>", "<|patch|>"];

    /// <summary>The processor that pictures go through.</summary>
    public static ImageProcessor Processor(VisionDesign design) =>
        design == VisionDesign.CrossAttention ? ImageProcessor.Llama32(PlacedPictures.Size, 1) : ImageProcessor.Llama4(PlacedPictures.Size, 1);

    /// <summary>The config of the model.</summary>
    public static LlamaConfig Create(VisionConfig config, Tokenizer tokenizer, string where)
    {
        LlamaConfig model = Create(config, config.Model.Create(config.Name, tokenizer), tokenizer.IdOf(config.Design == VisionDesign.CrossAttention ? "<|image|>" : "<|patch|>")!.Value, where);
        return model.Llama4 is not { Vision: { } vision } four ? model : model with
        {
            Llama4 = four with { Vision = vision with { StartToken = tokenizer.IdOf("<|image_start|>")!.Value, EndToken = tokenizer.IdOf("<|image_end|>")!.Value } },
        };
    }

    /// <summary>The config of the model.</summary>
    /// <param name="config">The run's config.</param>
    /// <param name="text">The text model.</param>
    /// <param name="image">The token that stands for a picture, or for a patch.</param>
    /// <param name="where">The file it comes from.</param>
    /// <exception cref="PunaException">Numbers do not fit each other.</exception>
    public static LlamaConfig Create(VisionConfig config, LlamaConfig text, int image, string where)
    {
        EncoderSection encoder = config.Encoder;
        if (config.Design == VisionDesign.CrossAttention)
        {
            return (text with
            {
                Vocab = image,
                Vision = new MllamaConfig
                {
                    CrossLayers = MllamaConfig.Spread(text.Layers, encoder.CrossLayers ?? 1),
                    ImageToken = image,
                    Hidden = encoder.Hidden,
                    Ffn = encoder.Ffn,
                    Heads = encoder.Heads,
                    LocalLayers = encoder.Layers,
                    GlobalLayers = encoder.GlobalLayers ?? 1,
                    Taps = encoder.Taps ?? [],
                    ImageSize = PlacedPictures.Size,
                    PatchSize = encoder.Patch,
                    MaxTiles = 1,
                    AspectRatios = [(1, 1)],
                },
            }).Validate(where);
        }

        bool[] rotary = Llama4Config.Except(Llama4Config.EveryNth(text.Layers, 4));
        var vision = new Llama4VisionConfig
        {
            ImageSize = PlacedPictures.Size,
            PatchSize = encoder.Patch,
            Hidden = encoder.Hidden,
            Layers = encoder.Layers,
            Heads = encoder.Heads,
            Ffn = encoder.Ffn,
            Shuffle = encoder.Shuffle ?? 2,
            AdapterHidden = encoder.Adapter ?? encoder.Hidden,
            AdapterOutput = encoder.Adapter ?? encoder.Hidden,
            PatchToken = image,
        };
        return (text with
        {
            Llama4 = new Llama4Config
            {
                Experts = config.Experts?.Count ?? 1,
                ExpertFfn = config.Experts?.Ffn ?? text.Ffn,
                HasExperts = config.Experts is { } experts ? Llama4Config.EveryNth(text.Layers, experts.Every) : new bool[text.Layers],
                IsRotary = rotary,
                IsLocal = rotary,
                QkNorm = true,
                Vision = vision,
            },
        }).Validate(where);
    }

    /// <summary>The content of <c>preprocessor_config.json</c>, in the form of the published models.</summary>
    public static byte[] ProcessorSettings(VisionDesign design)
    {
        bool isCross = design == VisionDesign.CrossAttention;
        string mean = isCross ? "[0.48145466, 0.4578275, 0.40821073]" : "[0.5, 0.5, 0.5]", deviation = isCross ? "[0.26862954, 0.26130258, 0.27577711]" : "[0.5, 0.5, 0.5]";
        string size = PlacedPictures.Size.ToString(CultureInfo.InvariantCulture);
        return Encoding.UTF8.GetBytes($$"""
            {
              "do_convert_rgb": true,
              "do_normalize": true,
              "do_pad": true,
              "do_rescale": true,
              "do_resize": true,
              "image_mean": {{mean}},
              "image_processor_type": "{{(isCross ? "MllamaImageProcessor" : "Llama4ImageProcessorFast")}}",
              "image_std": {{deviation}},
              "{{(isCross ? "max_image_tiles" : "max_patches")}}": 1,
              "resample": 2,
              "rescale_factor": 0.00392156862745098,
              "size": { "height": {{size}}, "width": {{size}} }
            }

            """.ReplaceLineEndings("\n"));
    }
}
