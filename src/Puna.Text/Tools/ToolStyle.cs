namespace Puna.Text.Tools;

/// <summary>How the prompts of Meta's own layouts tell a model of tools and write its calls (spec llama1-3.md 6.6, 6.7, llama4.md 7.3, 7.4).</summary>
public enum ToolStyle
{
    /// <summary>In the system message, a line of JSON per tool; calls are JSON. For models that were not made for any of the others.</summary>
    System,

    /// <summary>In a user message of their own; calls are JSON: Llama 3.1.</summary>
    Json,

    /// <summary>In the system message; calls are a list as in Python: Llama 3.2, 3.3 and 4.</summary>
    Pythonic,

    /// <summary>In a user message of their own; calls are <c>&lt;function=NAME&gt;{...}&lt;/function&gt;</c>.</summary>
    FunctionTag,
}
