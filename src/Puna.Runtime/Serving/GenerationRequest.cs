using Puna.Models.Adapters;
using Puna.Models.Vision;
using Puna.Runtime.Constraints;
using Puna.Runtime.Sampling;

namespace Puna.Runtime.Serving;

/// <summary>What an <see cref="Engine"/> is asked to generate.</summary>
public sealed record GenerationRequest
{
    /// <summary>The prompt as tokens, at least one.</summary>
    public required IReadOnlyList<int> Prompt { get; init; }

    /// <summary>Pictures in the order of their tokens in the prompt: one for every image token (Llama 3.2 Vision), or for every run of patch tokens (Llama 4), as <see cref="Generation.LanguageModel.Images"/> makes them.</summary>
    public IReadOnlyList<TiledImage> Images { get; init; } = [];

    /// <summary>Most tokens to generate, at least 1, or 0 where <see cref="PromptLogProbs"/> are asked for; null means until the model stops or its context is full.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>Tokens before which the model cannot stop.</summary>
    public int MinTokens { get; init; }

    /// <summary>How tokens are chosen. The text is a function of prompt, options, seed and choice, whatever else is computed at the time.</summary>
    public SamplingOptions Sampling { get; init; } = new();

    /// <summary>
    /// How many of the likeliest tokens to report at each place of the prompt behind the first, with the log-probability of the token that stands there; null computes none of it. All of the prompt is computed then,
    /// whatever others have computed of it.
    /// </summary>
    public int? PromptLogProbs { get; init; }

    /// <summary>How many texts continue the prompt, at least 1; the prompt is computed once.</summary>
    public int Choices { get; init; } = 1;

    /// <summary>Texts that end the generation; they are not part of the result.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Tokens that end the generation; null means those of the model.</summary>
    public IReadOnlyList<int>? StopIds { get; init; }

    /// <summary>Whether tokens that end a text are generated like others, without ending it.</summary>
    public bool IgnoreStopIds { get; init; }

    /// <summary>Whether special tokens appear in the text.</summary>
    public bool ShowSpecialTokens { get; init; }

    /// <summary>What the text has to look like, or null.</summary>
    public ITokenConstraint? Constraint { get; init; }

    /// <summary>An adapter beside the model's weights, opened for this model, or null. Requests with different adapters are computed together, and share no cached prompts.</summary>
    public UnmergedAdapter? Adapter { get; init; }

    /// <summary>Whose request it is: requests of several keys get equal shares.</summary>
    public string Key { get; init; } = "";

    /// <summary>Only requests with the same salt share what was computed for the beginning of their prompts.</summary>
    public string CacheSalt { get; init; } = "";
}
