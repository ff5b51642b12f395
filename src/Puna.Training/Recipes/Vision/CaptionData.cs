using Puna.Formats.Images;
using Puna.Models.Vision;
using Puna.Text;
using Puna.Text.Chat;
using Puna.Training.Data;
using Puna.Training.Data.Altiplano;

namespace Puna.Training.Recipes.Vision;

/// <summary>Pictures with their captions as rows to train on, rendered on the fly: a pure function of seed and index.</summary>
/// <param name="config">What is drawn.</param>
/// <param name="tokenizer">The tokenizer.</param>
/// <param name="patches">Early fusion: tokens of a picture; cross-attention has one whatever this says.</param>
internal sealed class CaptionData(VisionConfig config, Tokenizer tokenizer, int patches)
{
    private readonly ImageProcessor _processor = VisionModels.Processor(config.Design);

    /// <summary>What a caption comes behind: beginning of text, picture, prompt.</summary>
    public int[] Prompt { get; } = [tokenizer.BosId!.Value, .. ImageTokens.Of(new ChatImage(1, 1, patches), tokenizer), .. tokenizer.Encode(config.Prompt)];

    /// <summary>A picture.</summary>
    public AltiplanoPicture Picture(SplitPart part, long index) => PlacedPictures.Render(config.Seed, part, index, config.Things);

    /// <summary>A picture as a model is shown it.</summary>
    public TiledImage Tiles(AltiplanoPicture picture) => _processor.Process(new RgbImage(picture.Width, picture.Height, picture.Rgb));

    /// <summary>Captions for a tokenizer to learn from.</summary>
    public static IEnumerable<string> Captions(VisionConfig config)
    {
        for (int i = 0; i < config.TrainTokenizer.Documents; i++)
        {
            yield return $"{config.Prompt} {PlacedPictures.Render(config.Seed, SplitPart.Train, i, config.Things).Caption}";
        }
    }

    /// <summary>Fills the batch of a step. Only captions have weight.</summary>
    /// <param name="batch">Emptied first.</param>
    /// <param name="step">From 0.</param>
    /// <param name="isText">Whether pictures are left out; the text is the same.</param>
    public void Fill(TrainingBatch batch, long step, bool isText)
    {
        batch.Clear();
        for (int row = 0; row < config.BatchRows; row++)
        {
            AltiplanoPicture picture = Picture(SplitPart.Train, (step * config.BatchRows) + row);
            int[] caption = tokenizer.Encode(" " + picture.Caption);
            int[] tokens = [.. Prompt, .. caption, tokenizer.EosId!.Value];
            var weights = new float[tokens.Length];
            weights.AsSpan(Prompt.Length).Fill(1);
            batch.Add(tokens, weights, isText ? null : [Tiles(picture)]);
        }
    }
}
