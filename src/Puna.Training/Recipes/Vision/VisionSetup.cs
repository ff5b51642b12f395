using System.Security.Cryptography;
using System.Text.Json;
using Puna.Models;
using Puna.Tensors;
using Puna.Text;
using Puna.Training.Checkpoints;
using Puna.Training.Core;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Recipes.Vision;

/// <summary>What a run needs before its first step: config, tokenizer, pictures, a model with its first weights.</summary>
internal sealed class VisionSetup
{
    private readonly LlamaConfig _model;

    private VisionSetup(VisionConfig config, string identity, Tokenizer tokenizer, LlamaConfig model)
    {
        (Config, Identity, Tokenizer, _model) = (config, identity, tokenizer, model);
        Companions = TokenizerWriter.HuggingFaceFiles(tokenizer);
        Companions.Add("preprocessor_config.json", VisionModels.ProcessorSettings(config.Design));
        Data = new CaptionData(config, tokenizer, model.Llama4?.Vision?.TokensPerTile ?? 1);
    }

    public VisionConfig Config { get; }

    /// <summary>Tells configs apart.</summary>
    public string Identity { get; }

    public Tokenizer Tokenizer { get; }

    /// <summary>The files of tokenizer and image processor, which go with every checkpoint.</summary>
    public Dictionary<string, byte[]> Companions { get; }

    public CaptionData Data { get; }

    /// <summary>Reads a config and prepares everything.</summary>
    /// <param name="request">Names the config.</param>
    /// <param name="report">Told of the tokenizer's training.</param>
    /// <param name="stop">Stops it.</param>
    /// <param name="latest">The checkpoint to go on from, or null.</param>
    public static VisionSetup Create(RecipeRequest request, IRecipeReport report, CancellationToken stop, string? latest = null)
    {
        VisionConfig config = RecipeConfig.Read(request.Config, VisionJson.Default.VisionConfig).Validate(request.Config);

        // How many pictures the exam has is no part of the training.
        string identity = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(config with { ExamPictures = 2 }, VisionJson.Default.VisionConfig)));
        TrainingCheckpoints.RequireConfig(latest, identity, request.Output);
        Tokenizer tokenizer = RecipeTokenizers.Train(
            config.TrainTokenizer, VisionModels.ControlTokens(config.Design), CaptionData.Captions(config), ["captions", config.Prompt, $"seed {config.Seed}, {config.Things} things"], request, report, stop);
        return new VisionSetup(config, identity, tokenizer, VisionModels.Create(config, tokenizer, request.Config));
    }

    /// <summary>The model with its first weights.</summary>
    public TrainableModel CreateModel() => TrainableModel.Create(_model, Config.Seed);

    /// <summary>A model of which the parameters of a step's stage are trained: all, the text model's, or those that see.</summary>
    public TrainableModel At(TrainableModel model, long step) =>
        Config.TextSteps == 0 ? model : Config.IsText(step) ? model.Training(static name => !TrainableModel.IsOfPictures(name)) : model.Training(TrainableModel.IsOfPictures);
}
