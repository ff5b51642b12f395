namespace Puna.Training.Data;

/// <summary>Why comparing documents drops one.</summary>
internal enum DropReason
{
    /// <summary>An earlier document has the same text.</summary>
    Exact,

    /// <summary>Another document of its cluster is longer, or as long and earlier.</summary>
    Near,
}
