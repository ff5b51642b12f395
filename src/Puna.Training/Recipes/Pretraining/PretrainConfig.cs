using Puna.Models;
using Puna.Models.Quantization;
using Puna.Tensors;
using Puna.Training.Core;
using Puna.Training.Experts;

namespace Puna.Training.Recipes.Pretraining;

/// <summary>The config of <c>puna train pretrain</c>. In the file names are in <c>snake_case</c>; docs/training.md explains each.</summary>
/// <remarks>Settable, because the generated JSON reader overwrites the defaults of init-only properties.</remarks>
public sealed record PretrainConfig
{
    /// <summary>Shape of a new model; or <see cref="InitFrom"/>.</summary>
    public ModelSection? Model { get; set; }

    /// <summary>A checkpoint to go on from instead.</summary>
    public string? InitFrom { get; set; }

    /// <summary>The tokenizer: a file or folder; or <see cref="TrainTokenizer"/>.</summary>
    public string? Tokenizer { get; set; }

    /// <summary>A tokenizer to train on the data first.</summary>
    public TokenizerSection? TrainTokenizer { get; set; }

    /// <summary>Where text comes from.</summary>
    public required IReadOnlyList<SourceSection> Data { get; init; }

    /// <summary>Steps in all.</summary>
    public required long Steps { get; init; }

    /// <summary>Tokens of a row.</summary>
    public int RowTokens { get; set; } = 512;

    /// <summary>Rows of a step.</summary>
    public int BatchRows { get; set; } = 8;

    /// <summary>Rows that go through the model together; 0 means all of a step.</summary>
    public int MicroRows { get; set; }

    /// <summary>Learning rate.</summary>
    public RateSection Rate { get; set; } = new();

    /// <summary>The optimiser's constants.</summary>
    public AdamWOptions Optimizer { get; set; } = new();

    /// <summary>Largest norm of all gradients together.</summary>
    public double Clip { get; set; } = 1;

    /// <summary>Losses, noise and capacity of the routers of a model with experts; none where not said.</summary>
    public ExpertOptions? Experts { get; set; }

    /// <summary>Whether of a block only its input is kept for the way back.</summary>
    public bool ActivationCheckpoints { get; set; }

    /// <summary>Seed of weights and data order.</summary>
    public ulong Seed { get; set; } = 1;

    /// <summary>Steps between checkpoints.</summary>
    public long CheckpointEvery { get; set; } = 100;

    /// <summary>Checkpoints to keep.</summary>
    public int KeepCheckpoints { get; set; } = 2;

    /// <summary>Steps between validations; 0 means at the end only.</summary>
    public long ValidateEvery { get; set; }

    /// <summary>Held-out rows of a validation.</summary>
    public int ValidationRows { get; set; } = 16;

    /// <summary>Steps between samples; 0 means none. A multiple of <see cref="CheckpointEvery"/>, since samples are made from a checkpoint.</summary>
    public long SampleEvery { get; set; }

    /// <summary>Beginnings to continue.</summary>
    public IReadOnlyList<string> SamplePrompts { get; set; } = ["Once upon a time"];

    /// <summary>Later stages with another context.</summary>
    public IReadOnlyList<StageSection> Stages { get; set; } = [];

    /// <summary>What <c>find-rate</c> tries; <c>pretrain</c> takes no notice.</summary>
    public RateFinderSection RateFinder { get; set; } = new();

    /// <summary>Type of a GGUF file to make of the result, for example <c>q8_0</c>; none where not said. Changes nothing of the training.</summary>
    public string? Export { get; set; }

    /// <summary>An exam at the end; none where not said.</summary>
    public ExamSection? Exam { get; set; }

    /// <summary>Name of the model in its config and card.</summary>
    public string Name { get; set; } = "llama";

    /// <summary>The schedule.</summary>
    public LearningRate Schedule => new(Rate.Kind, Rate.Peak, Rate.Floor ?? Rate.Peak / 10, Rate.Warmup, Steps, Rate.Decay);

    /// <summary>Rows that go through the model together.</summary>
    public int MicroBatch => MicroRows == 0 ? BatchRows : MicroRows;

    /// <summary>Checks that the numbers fit each other.</summary>
    /// <exception cref="PunaException">Names the first that does not.</exception>
    public PretrainConfig Validate(string path)
    {
        Require((Model is null) != (InitFrom is null), "model: expected either model or init_from");
        Require((Tokenizer is null) != (TrainTokenizer is null), "tokenizer: expected either tokenizer or train_tokenizer");
        Require(!Data.Contains(null!), "data: expected sources, got null among them");
        Require(!Stages.Contains(null!), "stages: expected stages, got null among them");
        Require(!SamplePrompts.Contains(null!), "sample_prompts: expected texts, got null among them");
        Require(Data.Count > 0, "data: expected at least one source, got none");
        Require(RowTokens is >= 2 and <= LlamaConfig.MostPositions, $"row_tokens: expected 2 to {LlamaConfig.MostPositions}, got {RowTokens}");
        Require(BatchRows >= 1 && (long)BatchRows * RowTokens <= 1 << 28, $"batch_rows: expected at least 1 and at most 2^28 tokens in all, got {BatchRows}");
        Require(MicroRows >= 0 && MicroRows <= BatchRows && (MicroRows == 0 || BatchRows % MicroRows == 0), $"micro_rows: expected a divisor of {BatchRows}, got {MicroRows}");
        Require(double.IsFinite(Clip) && Clip > 0, "clip: expected a positive number");
        Require(CheckpointEvery >= 1, $"checkpoint_every: expected at least 1, got {CheckpointEvery}");
        Require(KeepCheckpoints >= 1, $"keep_checkpoints: expected at least 1, got {KeepCheckpoints}");
        Require(ValidateEvery >= 0, $"validate_every: expected at least 0, got {ValidateEvery}");
        Require(ValidationRows >= 0, $"validation_rows: expected at least 0, got {ValidationRows}");
        Require(SampleEvery >= 0 && SampleEvery % CheckpointEvery == 0, $"sample_every: expected a multiple of checkpoint_every ({CheckpointEvery}), got {SampleEvery}");
        Require(Export is null || FileTypes.TryParse(Export, out _), $"export: expected a type of puna convert, got {Export}");
        Require(Exam is null or { Questions: >= 0, Stories: >= 0 }, "exam: expected numbers from 0 on");
        long last = 0;
        foreach (StageSection stage in Stages)
        {
            Require(stage.FromStep > last && stage.FromStep < Steps, $"stages: expected ascending steps between 1 and {Steps - 1}, got {stage.FromStep}");
            Require(stage.RowTokens is null or (>= 2 and <= LlamaConfig.MostPositions), $"stages: expected row_tokens of 2 to {LlamaConfig.MostPositions}, got {stage.RowTokens}");
            Require((long)BatchRows * (stage.RowTokens ?? 0) <= 1 << 28, $"stages: expected at most 2^28 tokens in all rows of a step, got row_tokens {stage.RowTokens}");
            last = stage.FromStep;
        }

        Optimizer.Validate(path);
        Experts?.Validate(path);
        Schedule.Validate(path);
        return this;

        void Require(bool condition, string message)
        {
            if (!condition)
            {
                throw new PunaException($"{message} ({path})");
            }
        }
    }
}
