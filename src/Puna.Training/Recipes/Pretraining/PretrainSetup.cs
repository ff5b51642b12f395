using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Puna.Models;
using Puna.Models.Checkpoints;
using Puna.Tensors;
using Puna.Text;
using Puna.Training.Checkpoints;
using Puna.Training.Core;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>What a run of training needs before its first step: config, sources, tokenizer, a model with its first weights.</summary>
internal sealed class PretrainSetup : IDisposable
{
    // The frame of Llama 3, without its hundreds of reserved tokens.
    private static readonly string[] ControlTokens =
        ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|eot_id|>", "<|python_tag|>", "<|finetune_right_pad_id|>"];

    private readonly string _folder;

    private PretrainSetup(PretrainConfig config, string folder, string identity, Tokenizer tokenizer, IReadOnlyDictionary<string, byte[]> companions, IReadOnlyList<ITrainingSource> sources)
    {
        (Config, _folder, Identity, Tokenizer, Companions, Sources) = (config, folder, identity, tokenizer, companions, sources);
    }

    public PretrainConfig Config { get; }

    /// <summary>Tells configs apart.</summary>
    public string Identity { get; }

    public Tokenizer Tokenizer { get; }

    /// <summary>The files of the tokenizer, which go with every checkpoint.</summary>
    public IReadOnlyDictionary<string, byte[]> Companions { get; }

    public IReadOnlyList<ITrainingSource> Sources { get; }

    /// <summary>Reads a config and prepares everything.</summary>
    /// <param name="request">Names the config, and the folder in which a trained tokenizer is kept.</param>
    /// <param name="report">Told of the tokenizer's training.</param>
    /// <param name="stop">Stops it.</param>
    /// <param name="latest">The checkpoint to go on from, or null.</param>
    public static PretrainSetup Create(RecipeRequest request, IRecipeReport report, CancellationToken stop, string? latest = null)
    {
        PretrainConfig config = RecipeConfig.Read(request.Config, PretrainJson.Default.PretrainConfig).Validate(request.Config);
        // What is done with the result has no part in it: a run that is over may be exported or examined later.
        PretrainConfig training = config with { Export = null, Exam = null };
        string identity = Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(training, PretrainJson.Default.PretrainConfig)));
        TrainingCheckpoints.RequireConfig(latest, identity, request.Output);
        string folder = Path.GetDirectoryName(Path.GetFullPath(request.Config))!;
        IReadOnlyList<ITrainingSource> sources = [.. config.Data.Select(d => TrainingSources.Create(d, config, folder))];
        Tokenizer tokenizer = config.Tokenizer is string path ? RecipeTokenizers.Open(Path.Combine(folder, path)) : Train(config, sources, request, report, stop);
        Dictionary<string, byte[]> companions = TokenizerWriter.HuggingFaceFiles(tokenizer, tokenizer.IdOf("<|start_header_id|>") is null ? null : ChatTemplates.Llama3);
        return new PretrainSetup(config, folder, identity, tokenizer, companions, sources);
    }

    /// <summary>The model with its first weights.</summary>
    public TrainableModel CreateModel()
    {
        if (Config.InitFrom is null)
        {
            return TrainableModel.Create(Config.Model!.Create(Config.Name, Tokenizer), Config.Seed);
        }

        using Checkpoint checkpoint = Checkpoint.Open(Path.Combine(_folder, Config.InitFrom));
        if (checkpoint.RopeLayout != (checkpoint.Config.Llama4 is null ? RopeLayout.HalfSplit : RopeLayout.Interleaved))
        {
            throw new PunaException($"init_from {Config.InitFrom}: expected a model in Hugging Face's layout, got {checkpoint.Format} (puna convert makes one)");
        }

        return TrainableModel.Load(checkpoint);
    }

    /// <summary>The model's config at a step, after all stages that have begun by then.</summary>
    public LlamaConfig ConfigAt(LlamaConfig first, long step) => ConfigAt(Config, first, step);

    /// <summary>A model's config at a step of a run.</summary>
    public static LlamaConfig ConfigAt(PretrainConfig config, LlamaConfig first, long step)
    {
        foreach (StageSection stage in config.Stages.Where(s => s.FromStep <= step))
        {
            first = first with { ContextLength = stage.Context ?? first.ContextLength, RopeTheta = stage.RopeTheta ?? first.RopeTheta };
        }

        return first;
    }

    /// <summary>Tokens of a row at a step.</summary>
    public int RowTokensAt(long step) => RowTokensAt(Config, step);

    /// <summary>Tokens of a row at a step of a run.</summary>
    public static int RowTokensAt(PretrainConfig config, long step) => config.Stages.LastOrDefault(s => s.FromStep <= step && s.RowTokens is not null)?.RowTokens ?? config.RowTokens;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ITrainingSource source in Sources)
        {
            source.Dispose();
        }
    }

    private static Tokenizer Train(PretrainConfig config, IReadOnlyList<ITrainingSource> sources, RecipeRequest request, IRecipeReport report, CancellationToken stop)
    {
        int each = Math.Max(1, config.TrainTokenizer!.Documents / sources.Count);
        return RecipeTokenizers.Train(config.TrainTokenizer, ControlTokens, sources.SelectMany(s => s.Texts().Take(each)), [.. sources.Select(static s => s.Name), $"seed {config.Seed}"], request, report, stop);
    }
}
