using System.Text.Json;
using Puna.Text.Templates;

namespace Puna.Text.Tools;

/// <summary>The tools that Llama 3.1 and later were trained to call by their names alone (spec llama1-3.md 6.6, 6.7): three that take a query, and the interpreter of code.</summary>
internal static class BuiltInTools
{
    /// <summary>The interpreter: its call is the code itself.</summary>
    public const string Interpreter = "code_interpreter";

    /// <summary>What follows the name in a call of one of the others, before the query.</summary>
    public const string Open = ".call(query=\"";

    /// <summary>What follows the query.</summary>
    public const string Close = "\")";

    private const string Query = "query", Code = "code";

    /// <summary>Names of those that take a query.</summary>
    public static readonly string[] Queries = ["brave_search", "wolfram_alpha", "photogen"];

    /// <summary>
    /// Whether a declared tool is one of them: it has the name, and a call with the only argument that the model can give says all that the declaration asks for. One of the same name
    /// with other parameters is a tool like any other.
    /// </summary>
    /// <exception cref="Puna.Tensors.PunaException">The parameters are no JSON object.</exception>
    public static bool Is(ChatTool tool)
    {
        if (tool.Name != Interpreter && Array.IndexOf(Queries, tool.Name) < 0)
            return false;
        if (tool.Parameters is null)
            return true;
        string argument = tool.Name == Interpreter ? Code : Query;
        using JsonDocument schema = ToolJson.Parse(tool.Parameters, $"tool {tool.Name}: parameters");
        return Lists(schema.RootElement, argument) && Requires(schema.RootElement, argument);
    }

    /// <summary>The query of a call that can be written as one of a built-in tool, or null.</summary>
    public static string? QueryOf(ToolCall call) => Array.IndexOf(Queries, call.Name) >= 0 ? Single(call, Query) : null;

    /// <summary>The code of a call of the interpreter, or null.</summary>
    public static string? CodeOf(ToolCall call) => call.Name == Interpreter ? Single(call, Code) : null;

    // The argument is among the properties, where any are named.
    private static bool Lists(JsonElement schema, string argument) =>
        !schema.TryGetProperty("properties", out JsonElement properties) || properties.ValueKind != JsonValueKind.Object || !properties.EnumerateObject().Any()
        || properties.EnumerateObject().Any(property => JsonStrings.Name(property) == argument);

    // Nothing but the argument is required.
    private static bool Requires(JsonElement schema, string argument) =>
        !schema.TryGetProperty("required", out JsonElement required) || required.ValueKind != JsonValueKind.Array
        || required.EnumerateArray().All(name => name.ValueKind == JsonValueKind.String && JsonStrings.Read(name) == argument);

    // The only argument of a call, where it is a string of this name.
    private static string? Single(ToolCall call, string name)
    {
        if (JsonTranscoder.Canonical(call.Arguments) is not { } arguments)
            return null;
        using JsonDocument json = JsonDocument.Parse(arguments, new JsonDocumentOptions { MaxDepth = 128 });
        return json.RootElement.EnumerateObject().Count() == 1 && json.RootElement.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? JsonStrings.Read(value) : null;
    }
}
