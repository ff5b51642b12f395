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

    /// <summary>After the control token that begins code: <c>brave_search.call(query="...")</c>, a JSON call, or else code for the interpreter.</summary>
    PythonTag = 8,

    /// <summary><c>[{"name": "f", "parameters": {...}}, ...]</c>.</summary>
    JsonList = 16,

    /// <summary><c>&lt;tool_call&gt;{"name": "f", "arguments": {...}}&lt;/tool_call&gt;</c>: fine-tunes such as Hermes.</summary>
    ToolCallTag = 32,

    /// <summary>All of them.</summary>
    All = Json | FunctionTag | Pythonic | PythonTag | JsonList | ToolCallTag,
}
