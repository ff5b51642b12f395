using System.Globalization;
using System.Text;
using System.Text.Json;
using Puna.Text.Templates;
using Puna.Text.Tools;

namespace Puna.Text.Chat;

/// <summary>
/// The texts by which Meta's prompts tell of tools, and by which its encoder writes calls into a conversation. Schemas are written as they were given: Meta's own
/// generator keeps only parts of them.
/// </summary>
internal static class MetaTools
{
    private const string Pythonic =
        "You are an expert in composing functions. You are given a question and a set of possible functions.\n"
        + "Based on the question, you will need to make one or more function/tool calls to achieve the purpose.\n"
        + "If none of the function can be used, point it out. If the given question lacks the parameters required by the function,\n"
        + "also point it out. You should only return the function call in tools call sections.\n\n"
        + "If you decide to invoke any of the function(s), you MUST put it in the format of [func_name1(params_name1=params_value1, params_name2=params_value2...), func_name2(params)]\n"
        + "You SHOULD NOT include any other text in the response.\n\n"
        + "Here is a list of functions in JSON format that you can invoke.\n\n";

    private const string Reminder =
        "Think very carefully before calling functions.\n"
        + "If you choose to call a function ONLY reply in the following format with no prefix or suffix:\n\n"
        + "<function=example_function_name>{\"example_name\": \"example_value\"}</function>\n\n"
        + "Reminder:\n"
        + "- If looking for real time information use relevant functions before falling back to brave_search\n"
        + "- Function calls MUST follow the specified format, start with <function= and end with </function>\n"
        + "- Required parameters MUST be specified\n"
        + "- Only call one function at a time\n"
        + "- Put the entire function call reply on one line";

    /// <summary>The conversation with its tools told in a message; calls are left as they are.</summary>
    public static IReadOnlyList<ChatMessage> Tell(IReadOnlyList<ChatMessage> messages, IReadOnlyList<ChatTool> tools, ToolStyle style)
    {
        if (tools.Count == 0)
            return messages;
        bool hasSystem = messages[0].Role == ChatRole.System;
        List<ChatMessage> told = [.. messages];
        string text = Text(tools, style);
        if (style == ToolStyle.Pythonic)
        {
            if (hasSystem)
                told[0] = told[0] with { Content = text + "\n\n" + told[0].Content };
            else
                told.Insert(0, new ChatMessage(ChatRole.System, text));
        }
        else
        {
            told.Insert(hasSystem ? 1 : 0, new ChatMessage(ChatRole.User, text));
        }

        return told;
    }

    /// <summary>
    /// The conversation with its tools told as to Llama 3.1 and later (spec llama1-3.md 6.6): the system message names those that are built in, and the date; the others are declared. Models that
    /// write lists of calls are told of their environment only where it is for a built-in tool.
    /// </summary>
    /// <param name="messages">The conversation.</param>
    /// <param name="tools">The tools.</param>
    /// <param name="style">How the others are declared.</param>
    /// <param name="today">The date.</param>
    public static IReadOnlyList<ChatMessage> Tell(IReadOnlyList<ChatMessage> messages, IReadOnlyList<ChatTool> tools, ToolStyle style, DateOnly today)
    {
        if (!HasEnvironment(tools, style))
            return Tell(messages, tools, style);
        ChatTool[] builtIn = [.. tools.Where(BuiltInTools.Is)], declared = [.. tools.Where(static tool => !BuiltInTools.Is(tool))];
        bool hasSystem = messages[0].Role == ChatRole.System;
        string instruction = hasSystem ? messages[0].Content : "";
        if (style == ToolStyle.Pythonic && declared.Length > 0)
            instruction = Text(declared, style) + (instruction.Length > 0 ? "\n\n" + instruction : "");

        string[] names = [.. builtIn.Select(static tool => tool.Name).Where(static name => name != BuiltInTools.Interpreter)];
        string system = "Environment: ipython\n" + (names.Length > 0 ? "Tools: " + string.Join(", ", names) : "") + "\n"
            + "Cutting Knowledge Date: December 2023\nToday Date: " + today.ToString("dd MMMM yyyy", CultureInfo.InvariantCulture)
            + (instruction.Length > 0 ? "\n\n" + instruction : "") + "\n";
        List<ChatMessage> told = [hasSystem ? messages[0] with { Content = system } : new ChatMessage(ChatRole.System, system)];
        if (style != ToolStyle.Pythonic && declared.Length > 0)
            told.Add(new ChatMessage(ChatRole.User, Text(declared, style)));
        told.AddRange(messages.Skip(hasSystem ? 1 : 0));
        return told;
    }

    /// <summary>Whether Llama 3.1 and later are told of their environment, which has them end calls as messages that await an answer.</summary>
    public static bool HasEnvironment(IReadOnlyList<ChatTool> tools, ToolStyle style) => tools.Count > 0 && (style != ToolStyle.Pythonic || tools.Any(BuiltInTools.Is));

    /// <summary>Writes the calls of a message; <paramref name="codeTag"/> is the token that begins code. Whether one of them was of a built-in tool.</summary>
    public static bool WriteCalls(IReadOnlyList<ToolCall> calls, ToolStyle style, string codeTag, List<ChatPiece> pieces)
    {
        // As Meta's encoder does it: only the first call can be code.
        bool hasBuiltIn = false;
        if (BuiltInTools.CodeOf(calls[0]) is { } code)
        {
            hasBuiltIn = true;
            pieces.Add(ChatPiece.Control(codeTag));
            pieces.Add(ChatPiece.Of(code));
            calls = [.. calls.Skip(1)];
        }

        if (style == ToolStyle.Pythonic && !calls.Any(static call => BuiltIn(call) is not null))
        {
            if (calls.Count > 0)
                pieces.Add(ChatPiece.Of("[" + string.Join(", ", calls.Select(Python)) + "]"));
            return hasBuiltIn;
        }

        foreach (ToolCall call in calls)
        {
            string? builtIn = BuiltIn(call);
            hasBuiltIn |= builtIn is not null;
            pieces.Add(ChatPiece.Of(builtIn ?? (style == ToolStyle.Pythonic ? "[" + Python(call) + "]" : style == ToolStyle.FunctionTag ? Tag(call) : Json(call))));
        }

        return hasBuiltIn;
    }

    private static string Text(IReadOnlyList<ChatTool> tools, ToolStyle style)
    {
        var text = new StringBuilder();
        switch (style)
        {
            case ToolStyle.Json:
                text.Append("Answer the user's question by making use of the following functions if needed.\nIf none of the function can be used, please say so.\n")
                    .Append("Here is a list of functions in JSON format:\n");
                foreach (ChatTool tool in tools)
                    text.Append(ToolJson.Declaration(tool, onlyFunction: false, indent: 4)).Append('\n');
                return text.Append("\nReturn function calls in JSON format.").ToString();
            case ToolStyle.FunctionTag:
                text.Append("You have access to the following functions:\n\n");
                foreach (ChatTool tool in tools)
                {
                    text.Append("Use the function '").Append(tool.Name).Append("' to '").Append(tool.Description).Append("':\n")
                        .Append(ToolJson.Declaration(tool, onlyFunction: true, indent: null)).Append("\n\n");
                }

                return text.Append(Reminder).ToString();
            default:
                string list = ChatJson.Write(json =>
                {
                    json.WriteStartArray();
                    foreach (ChatTool tool in tools)
                        ToolJson.WriteFunction(json, tool);
                    json.WriteEndArray();
                });
                return Pythonic + PythonJson.Reformat(list, 4);
        }
    }

    private static string? BuiltIn(ToolCall call) =>
        BuiltInTools.QueryOf(call) is { } query ? call.Name + BuiltInTools.Open + query + BuiltInTools.Close : null;

    private static string Json(ToolCall call) => "{\"type\": \"function\", \"name\": " + PythonText.JsonString(call.Name) + ", \"parameters\": " + ToolJson.Arguments(call) + "}";

    private static string Tag(ToolCall call) => "<function=" + call.Name + ">" + ToolJson.Arguments(call) + "</function>";

    private static string Python(ToolCall call)
    {
        if (JsonTranscoder.Canonical(call.Arguments) is not { } arguments)
            return call.Name + "(" + PythonText.JsonString(call.Arguments) + ")";
        using JsonDocument json = JsonDocument.Parse(arguments, new JsonDocumentOptions { MaxDepth = 128 });
        var text = new StringBuilder(call.Name).Append('(');
        int count = 0;
        foreach (JsonProperty argument in json.RootElement.EnumerateObject())
        {
            text.Append(count++ > 0 ? ", " : "").Append(JsonStrings.Name(argument)).Append('=');
            Python(argument.Value, text);
        }

        return text.Append(')').ToString();
    }

    // Meta's encoder escapes nothing in strings, so that a quotation mark ends one; here it does not. Keys of a dict have quotation marks, as Python wants them.
    private static void Python(JsonElement value, StringBuilder text)
    {
        int count = 0;
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                text.Append(PythonText.JsonString(JsonStrings.Read(value)));
                break;
            case JsonValueKind.True or JsonValueKind.False:
                text.Append(value.ValueKind == JsonValueKind.True ? "True" : "False");
                break;
            case JsonValueKind.Null:
                text.Append("None");
                break;
            case JsonValueKind.Array:
                text.Append('[');
                foreach (JsonElement item in value.EnumerateArray())
                {
                    text.Append(count++ > 0 ? ", " : "");
                    Python(item, text);
                }

                text.Append(']');
                break;
            case JsonValueKind.Object:
                text.Append('{');
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    text.Append(count++ > 0 ? ", " : "").Append(PythonText.JsonString(JsonStrings.Name(property))).Append(": ");
                    Python(property.Value, text);
                }

                text.Append('}');
                break;
            default:
                text.Append(PythonJson.Reformat(value.GetRawText(), null));
                break;
        }
    }
}
