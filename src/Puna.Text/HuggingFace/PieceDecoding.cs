namespace Puna.Text.HuggingFace;

/// <summary>The decoder of a <c>tokenizer.json</c> whose tokens are text.</summary>
internal sealed record PieceDecoding
{
    /// <summary>Whether there is no decoder: tokens are then joined by single spaces.</summary>
    public bool Spaced { get; init; }

    /// <summary>Texts replaced in every token, in order.</summary>
    public IReadOnlyList<(string From, string To)> Replace { get; init; } = [];

    /// <summary>A mark that is a space, and in the first token nothing unless the scheme is never.</summary>
    public Metaspace? Metaspace { get; init; }

    /// <summary>Whether tokens such as <c>&lt;0x0A&gt;</c> are bytes; a run of them is UTF-8 as a whole or U+FFFD for each.</summary>
    public bool ByteFallback { get; init; }

    /// <summary>How many of <see cref="StripCharacter"/> are taken away in front of the whole text.</summary>
    public int StripStart { get; init; }

    /// <summary>The character taken away.</summary>
    public string StripCharacter { get; init; } = " ";
}
