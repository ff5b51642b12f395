namespace Puna.Text.Splitting;

/// <summary>What becomes of the matches of a split, with the names of <c>tokenizer.json</c>.</summary>
internal enum SplitBehavior
{
    /// <summary>A match is a part of its own.</summary>
    Isolated,

    /// <summary>Matches vanish.</summary>
    Removed,

    /// <summary>A match belongs to the part before it.</summary>
    MergedWithPrevious,

    /// <summary>A match belongs to the part behind it.</summary>
    MergedWithNext,

    /// <summary>Matches next to each other are one part.</summary>
    Contiguous,
}
