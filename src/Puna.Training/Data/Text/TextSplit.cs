namespace Puna.Training.Data;

/// <summary>What a document is in a text file.</summary>
public enum TextSplit
{
    /// <summary>Lines up to an empty one.</summary>
    Paragraph,

    /// <summary>The whole file.</summary>
    File,
}
