using Puna.Models;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Data.Altiplano;
using Puna.Training.Recipes.Pretraining;

namespace Puna.Training.Recipes.Vision;

/// <summary>The config of <c>puna train vision</c>. In the file names are in <c>snake_case</c>; docs/training.md explains each.</summary>
/// <remarks>Settable, because the generated JSON reader overwrites the defaults of init-only properties.</remarks>
public sealed record VisionConfig
{
    /// <summary>How the model comes to see.</summary>
    public required VisionDesign Design { get; init; }

    /// <summary>Shape of the text model.</summary>
    public required ModelSection Model { get; init; }

    /// <summary>Shape of the encoder.</summary>
    public required EncoderSection Encoder { get; init; }

    /// <summary>Early fusion: experts; every layer is dense where not said.</summary>
    public ExpertSection? Experts { get; set; }

    /// <summary>The tokenizer, which is trained on captions.</summary>
    public TokenizerSection TrainTokenizer { get; set; } = new(320, 1000);

    /// <summary>Most things in a picture.</summary>
    public int Things { get; set; } = 2;

    /// <summary>What stands between a picture and its caption.</summary>
    public string Prompt { get; set; } = "Caption:";

    /// <summary>Steps in all.</summary>
    public required long Steps { get; init; }

    /// <summary>Cross-attention: of these, steps at the beginning that train the text model on captions alone. The others train what sees, and the text model is frozen. 0 trains everything together.</summary>
    public long TextSteps { get; set; }

    /// <summary>Pictures of a step.</summary>
    public int BatchRows { get; set; } = 32;

    /// <summary>Learning rate; each stage runs through the schedule.</summary>
    public RateSection Rate { get; set; } = new();

    /// <summary>The optimiser's constants.</summary>
    public AdamWOptions Optimizer { get; set; } = new();

    /// <summary>Largest norm of all gradients together.</summary>
    public double Clip { get; set; } = 1;

    /// <summary>Seed of weights and pictures.</summary>
    public ulong Seed { get; set; } = 1;

    /// <summary>Steps between checkpoints.</summary>
    public long CheckpointEvery { get; set; } = 100;

    /// <summary>Checkpoints to keep.</summary>
    public int KeepCheckpoints { get; set; } = 2;

    /// <summary>Steps between looks at held-out pictures; 0 means at the end only.</summary>
    public long ValidateEvery { get; set; }

    /// <summary>Held-out pictures of such a look.</summary>
    public int ValidationPictures { get; set; } = 32;

    /// <summary>Held-out pictures of the exam.</summary>
    public int ExamPictures { get; set; } = 200;

    /// <summary>Name of the model in its config and card.</summary>
    public string Name { get; set; } = "vision";

    /// <summary>Whether a step is one of the text model alone.</summary>
    public bool IsText(long step) => step < TextSteps;

    /// <summary>The learning rate of a step.</summary>
    public double RateAt(long step) => IsText(step) ? Schedule(TextSteps).At(step) : Schedule(Steps - TextSteps).At(step - TextSteps);

    /// <summary>Checks that the numbers fit each other; the model's own are checked with the model.</summary>
    /// <exception cref="PunaException">Names the first that does not.</exception>
    public VisionConfig Validate(string path)
    {
        bool isCross = Design == VisionDesign.CrossAttention;
        Require(Model.Hidden >= 1 && Model.Layers >= 1, "model: expected positive numbers");
        Require(!Model.TiedEmbeddings, "tied_embeddings: expected false, because models that see have an output layer of their own");
        Require(isCross || Encoder.GlobalLayers is null, "global_layers: expected none with early_fusion");
        Require(isCross || Encoder.Taps is null, "taps: expected none with early_fusion");
        Require(isCross || Encoder.CrossLayers is null, "cross_layers: expected none with early_fusion");
        Require(Encoder.CrossLayers is null || (Encoder.CrossLayers >= 1 && Encoder.CrossLayers <= Model.Layers), $"cross_layers: expected 1 to {Model.Layers}, got {Encoder.CrossLayers}");
        Require(!isCross || Encoder.Shuffle is null, "shuffle: expected none with cross_attention");
        Require(!isCross || Encoder.Adapter is null, "adapter: expected none with cross_attention");
        Require(!isCross || Experts is null, "experts: expected none with cross_attention");
        Require(Experts is null or { Count: >= 1, Ffn: >= 1, Every: >= 1 }, "experts: expected positive numbers");
        Require(Encoder.Patch >= 1 && PlacedPictures.Size % Encoder.Patch == 0, $"patch: expected a divisor of {PlacedPictures.Size}, got {Encoder.Patch}");
        Require(Encoder is { Hidden: >= 1 and <= 1 << 16, Ffn: >= 1 and <= 1 << 20, Layers: >= 1 and <= 1000, Heads: >= 1 } && Encoder.Adapter is null or (>= 1 and <= 1 << 20), "encoder: expected positive numbers");
        Require(Encoder.Hidden % Encoder.Heads == 0 && Encoder.Hidden / Encoder.Heads % 4 == 0, $"heads of the encoder: expected a divisor of {Encoder.Hidden} that leaves a multiple of 4, got {Encoder.Heads}");
        Require(Encoder.Shuffle is null || (Encoder.Shuffle >= 1 && PlacedPictures.Size / Encoder.Patch % Encoder.Shuffle == 0), $"shuffle: expected a divisor of {PlacedPictures.Size / Encoder.Patch}, got {Encoder.Shuffle}");
        Require(TrainTokenizer.Documents >= 1, $"documents: expected at least 1, got {TrainTokenizer.Documents}");
        Require(Things is >= 1 and <= PlacedPictures.MostThings, $"things: expected 1 to {PlacedPictures.MostThings}, got {Things}");
        Require(Prompt.Length > 0, "prompt: expected a text, got none");
        Require(Steps >= 1, $"steps: expected at least 1, got {Steps}");
        Require(TextSteps == 0 || (isCross && TextSteps > 0 && TextSteps < Steps), $"text_steps: expected 0, or with cross_attention up to {Steps - 1}, got {TextSteps}");
        Require(BatchRows is >= 1 and <= 1 << 16, $"batch_rows: expected 1 to {1 << 16}, got {BatchRows}");
        Require(double.IsFinite(Clip) && Clip > 0, "clip: expected a positive number");
        Require(CheckpointEvery >= 1, $"checkpoint_every: expected at least 1, got {CheckpointEvery}");
        Require(KeepCheckpoints >= 1, $"keep_checkpoints: expected at least 1, got {KeepCheckpoints}");
        Require(ValidateEvery >= 0, $"validate_every: expected at least 0, got {ValidateEvery}");
        Require(ValidationPictures >= 1, $"validation_pictures: expected at least 1, got {ValidationPictures}");
        Require(ExamPictures >= 2, $"exam_pictures: expected at least 2, got {ExamPictures}");
        Optimizer.Validate(path);
        if (TextSteps > 0)
        {
            Schedule(TextSteps).Validate(path);
        }

        Schedule(Steps - TextSteps).Validate(path);

        // Before a tokenizer is trained for nothing; the vocabulary is of no account here.
        VisionModels.Create(this, Model.Create(Name, 1 << 10), 1 << 10, path);
        return this;

        void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new PunaException($"{message} ({path})");
            }
        }
    }

    private LearningRate Schedule(long steps) => new(Rate.Kind, Rate.Peak, Rate.Floor ?? Rate.Peak / 10, Rate.Warmup, steps, Rate.Decay);
}
