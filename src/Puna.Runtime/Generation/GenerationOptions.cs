using Puna.Runtime.Sampling;

namespace Puna.Runtime.Generation;

/// <summary>How a text is continued.</summary>
public sealed record GenerationOptions
{
    /// <summary>Most tokens to generate; null means until the model stops or its context is full.</summary>
    public int? MaxTokens { get; init; }

    /// <summary>How tokens are chosen.</summary>
    public SamplingOptions Sampling { get; init; } = SamplingOptions.MetaDefault;

    /// <summary>Texts that end the generation; they are not part of the result.</summary>
    public IReadOnlyList<string> StopStrings { get; init; } = [];

    /// <summary>Tokens that end the generation; null means those of the model.</summary>
    public IReadOnlyList<int>? StopIds { get; init; }

    /// <summary>Whether special tokens appear in the text.</summary>
    public bool ShowSpecialTokens { get; init; }
}
