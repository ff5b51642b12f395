namespace Puna.Formats.Meta;

/// <summary>How a tensor is divided among the model-parallel parts of a checkpoint (spec llama1-3.md 3.1 and 4.9).</summary>
public enum MetaSplit
{
    /// <summary>There is no rule for a tensor of this name.</summary>
    Unknown,

    /// <summary>Every part has it whole.</summary>
    Replicated,

    /// <summary>Parts follow each other on axis 0 (output rows; "column parallel" in Meta's code).</summary>
    Rows,

    /// <summary>Parts follow each other on axis 1 (input columns; "row parallel").</summary>
    Columns,

    /// <summary>The token embedding: axis 1 in Llama 1, 2 and Code Llama, axis 0 from Llama 3 on.</summary>
    Embedding,
}
