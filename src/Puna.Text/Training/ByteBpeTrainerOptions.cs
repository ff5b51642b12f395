using Puna.Text.Splitting;
using Puna.Text.Tiktoken;

namespace Puna.Text.Training;

/// <summary>How a byte-level vocabulary is trained. The defaults are Llama 3's (spec training.md 2.1).</summary>
public sealed record ByteBpeTrainerOptions
{
    /// <summary>The split pattern of Llama 3.</summary>
    public const string Llama3Pattern = KnownPatterns.Llama3;

    /// <summary>The split pattern of Llama 4.</summary>
    public const string Llama4Pattern = KnownPatterns.Llama4;

    /// <summary>How many tokens there will be, the 256 bytes included; special tokens come on top of that.</summary>
    public int VocabularySize { get; init; } = 128_000;

    /// <summary>The regular expression that cuts a text into words.</summary>
    public string Pattern { get; init; } = Llama3Pattern;

    /// <summary>Special tokens; their ids follow the last ordinary one. Llama 3's by default.</summary>
    public IReadOnlyList<string> SpecialTokens { get; init; } = TiktokenSpecials.Names(TiktokenFamily.Llama3);

    /// <summary>Most bytes of a token; 0 for any number.</summary>
    public int MaxTokenBytes { get; init; }

    /// <summary>Which special token is put in front of a text; none where it is null or not among <see cref="SpecialTokens"/>.</summary>
    public string? BeginOfText { get; init; } = "<|begin_of_text|>";
}
