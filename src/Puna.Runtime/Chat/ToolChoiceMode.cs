namespace Puna.Runtime.Chat;

/// <summary>Whether a model may or must call a tool.</summary>
public enum ToolChoiceMode
{
    /// <summary>The model decides.</summary>
    Auto,

    /// <summary>No call.</summary>
    None,

    /// <summary>At least one call.</summary>
    Required,
}
