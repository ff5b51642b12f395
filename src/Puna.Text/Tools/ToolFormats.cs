namespace Puna.Text.Tools;

/// <summary>How a model writes calls of tools (spec serving.md 8.1, llama1-3.md 6.7).</summary>
[Flags]
public enum ToolFormats
{
    /// <summary>It does not.</summary>
    None = 0,

    /// <summary><c>{"name": "f", "parameters": {...}}</c>, also <c>arguments</c>: Llama 3.1 and later.</summary>
    Json = 1,

    /// <summary><c>&lt;function=f&gt;{...}&lt;/function&gt;</c>: Llama 3.1 and later where the prompt asks for it.</summary>
    FunctionTag = 2,

    /// <summary><c>[f(a=1), g(b="x")]</c>: Llama 3.2, 3.3 and 4.</summary>
    Pythonic = 4,

    /// <summary>After the control token that begins code: a call in any of the forms, <c>brave_search.call(query="...")</c> among them, or else code for the interpreter.</summary>
    PythonTag = 8,

    /// <summary><c>[{"name": "f", "parameters": {...}}, ...]</c>.</summary>
    JsonList = 16,

    /// <summary><c>&lt;tool_call&gt;{"name": "f", "arguments": {...}}&lt;/tool_call&gt;</c>: fine-tunes such as Hermes.</summary>
    ToolCallTag = 32,

    /// <summary><c>brave_search.call(query="...")</c> without that token, as Meta's encoder writes it into conversations: <c>brave_search</c>, <c>wolfram_alpha</c> and <c>photogen</c>.</summary>
    BuiltIn = 64,

    /// <summary>All of them.</summary>
    All = Json | FunctionTag | Pythonic | PythonTag | JsonList | ToolCallTag | BuiltIn,
}
