using System.Text.Json;
using Puna.Tensors;
using Puna.Text.Templates;
using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <summary>The variables that the published templates of Llama 3.1, 3.2 and 3.3 know.</summary>
/// <param name="Date"><c>date_string</c>, or null.</param>
/// <param name="ToolsInUserMessage"><c>tools_in_user_message</c>.</param>
/// <param name="BuiltIns"><c>builtin_tools</c>, or null.</param>
/// <param name="Tools">The tools as JSON text, or null where there are none: <c>custom_tools</c>, otherwise those of the prompt.</param>
internal sealed record PublishedVariables(string? Date, bool ToolsInUserMessage, IReadOnlyList<string>? BuiltIns, IReadOnlyList<string>? Tools)
{
    /// <summary>What the templates say before the tools.</summary>
    public const string Instruction = "Respond in the format {\"name\": function name, \"parameters\": dictionary of argument name and its value}.Do not use variables.\n\n";

    /// <summary>Reads the variables of a prompt.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="knowsBuiltIns">Whether the template knows <c>builtin_tools</c>; that of 3.2 does not.</param>
    /// <exception cref="PunaException">They are no JSON object, or one has a value of another kind.</exception>
    public static PublishedVariables Read(ChatPrompt prompt, bool knowsBuiltIns)
    {
        IReadOnlyList<string>? tools = prompt.Tools.Count == 0 ? null : [.. prompt.Tools.Select(static tool => ToolJson.Declaration(tool, onlyFunction: false, indent: 4))];
        if (prompt.Variables is null)
            return new PublishedVariables(null, true, null, tools);
        using JsonDocument json = ToolJson.Parse(prompt.Variables, "template variables");
        string? date = null;
        bool inUserMessage = true;
        IReadOnlyList<string>? builtIns = null;
        foreach (JsonProperty variable in json.RootElement.EnumerateObject())
        {
            JsonElement value = variable.Value;
            switch (JsonStrings.Name(variable))
            {
                case "date_string":
                    date = value.ValueKind == JsonValueKind.String ? JsonStrings.Read(value) : throw Wrong("date_string", "a string", value);
                    break;
                case "tools_in_user_message":
                    inUserMessage = value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Wrong("tools_in_user_message", "true or false", value);
                    break;
                case "builtin_tools" when knowsBuiltIns:
                    builtIns = value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(static name => name.ValueKind == JsonValueKind.String)
                        ? [.. value.EnumerateArray().Select(JsonStrings.Read)] : throw Wrong("builtin_tools", "an array of strings", value);
                    break;
                case "custom_tools":
                    tools = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray().Select(static tool => PythonJson.Reformat(tool.GetRawText(), 4))]
                        : value.ValueKind == JsonValueKind.Null ? null : throw Wrong("custom_tools", "an array", value);
                    break;
            }
        }

        return new PublishedVariables(date, inUserMessage, builtIns, tools);
    }

    private static PunaException Wrong(string name, string expected, JsonElement value) =>
        new($"template variable {name}: expected {expected}, got {value.ValueKind.ToString().ToLowerInvariant()}");
}
