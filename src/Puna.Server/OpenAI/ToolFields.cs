using System.Text.Json;
using System.Text.RegularExpressions;
using Puna.Runtime.Chat;
using Puna.Server.Http;

namespace Puna.Server.OpenAI;

/// <summary>The members of OpenAI's requests about tools and the form of the reply.</summary>
internal static partial class ToolFields
{
    private const int Most = 128;
    private const int MostSchemaBytes = 1 << 20;

    /// <summary>Tools of chat completions (<c>{type, function: {...}}</c>) and of responses (<c>{type, name, ...}</c>).</summary>
    public static IReadOnlyList<ToolDefinition> Tools(RequestObject body)
    {
        var tools = new List<ToolDefinition>();
        int bytes = 0;
        foreach (RequestObject tool in body.Objects("tools", Most) ?? [])
        {
            if (tool.RequireString("type") != "function")
            {
                throw ApiException.Unsupported(tool.At("type"), $"{tool.At("type")}: expected function, got {Tensors.PunaException.OneLine(tool.String("type")!)}");
            }

            tools.Add(Function(tool.Object("function") ?? tool, ref bytes));
        }

        foreach (RequestObject function in body.Objects("functions", Most) ?? [])
        {
            tools.Add(Function(function, ref bytes));
        }

        string? twice = tools.GroupBy(static t => t.Name, StringComparer.Ordinal).FirstOrDefault(static g => g.Count() > 1)?.Key;
        return twice is null ? tools : throw ApiException.Bad("tools", $"tools: expected different names, got {twice} twice");
    }

    /// <summary>Puts <c>tool_choice</c> and <c>parallel_tool_calls</c> into a request.</summary>
    public static ChatRequest Choose(RequestObject body, ChatRequest request)
    {
        request = request with { ParallelToolCalls = body.Bool("parallel_tool_calls") ?? true };
        if ((body.Find("tool_choice") ?? body.Find("function_call")) is not { } choice)
        {
            return request;
        }

        string key = body.Has("tool_choice") ? "tool_choice" : "function_call";
        if (choice.ValueKind == JsonValueKind.String)
        {
            return body.String(key) switch
            {
                "none" => request with { ToolChoice = ToolChoiceMode.None },
                "auto" => request,
                "required" or "any" => Required(request, null),
                string other => throw ApiException.Bad(key, $"{key}: expected none, auto, required or a tool, got {Tensors.PunaException.OneLine(other)}"),
                null => request,
            };
        }

        RequestObject chosen = body.Object(key)!.Value;
        switch (chosen.String("type") ?? "function")
        {
            case "function":
                string name = (chosen.Object("function") ?? chosen).RequireString("name");
                return Required(request, [Known(request, name, key)]);
            case "allowed_tools":
                RequestObject allowed = chosen.Object("allowed_tools") ?? chosen;
                string[] names = [.. (allowed.Objects("tools", Most) ?? throw allowed.Missing("tools")).Select(t => Known(request, (t.Object("function") ?? t).RequireString("name"), key))];
                return (allowed.String("mode") ?? "auto") switch
                {
                    "auto" => request with { AllowedTools = names },
                    "required" => Required(request, names),
                    string other => throw ApiException.Bad(allowed.At("mode"), $"{allowed.At("mode")}: expected auto or required, got {Tensors.PunaException.OneLine(other)}"),
                };
            default:
                throw ApiException.Unsupported(chosen.At("type"), $"{chosen.At("type")}: expected function or allowed_tools, got {Tensors.PunaException.OneLine(chosen.String("type")!)}");
        }
    }

    /// <summary>The form of the reply: <c>response_format</c> of chat completions, or <c>text.format</c> of responses.</summary>
    public static ReplyFormat Format(RequestObject? format)
    {
        if (format is not { } f)
        {
            return ReplyFormat.Text;
        }

        switch (f.RequireString("type"))
        {
            case "text":
                return ReplyFormat.Text;
            case "json_object":
                // With a schema beside it, as llama.cpp's server has it.
                return f.Find("schema") is { } narrower ? Schema(narrower, f.At("schema")) : ReplyFormat.JsonObject;
            case "json_schema":
                RequestObject holder = f.Object("json_schema") ?? f;
                return Schema(holder.Find("schema") ?? throw holder.Missing("schema"), holder.At("schema"));
            default:
                throw ApiException.Bad(f.At("type"), $"{f.At("type")}: expected text, json_object or json_schema, got {Tensors.PunaException.OneLine(f.String("type")!)}");
        }
    }

    /// <summary>The extensions that constrain a reply by a schema (also as text, as vLLM takes it), an expression or a grammar.</summary>
    public static ReplyFormat Extended(RequestObject body, ReplyFormat format)
    {
        if (body.Find("guided_json") is { } guide)
        {
            format = format.Kind == ReplyFormatKind.Text ? Guide(guide) : throw ApiException.Bad("guided_json", "guided_json: expected no other constraint beside it");
        }

        if (body.String("guided_regex") is { } expression)
        {
            format = format.Kind == ReplyFormatKind.Text ? new ReplyFormat(ReplyFormatKind.Regex, expression) : throw ApiException.Bad("guided_regex", "guided_regex: expected no other constraint beside it");
        }

        if (body.String("grammar") is { } grammar)
        {
            format = format.Kind == ReplyFormatKind.Text ? new ReplyFormat(ReplyFormatKind.Grammar, grammar) : throw ApiException.Bad("grammar", "grammar: expected no other constraint beside it");
        }

        return format;
    }

    private static ReplyFormat Schema(JsonElement schema, string where) =>
        schema.GetRawText() is { Length: <= MostSchemaBytes } text ? new ReplyFormat(ReplyFormatKind.JsonSchema, text) : throw TooLarge(where);

    private static ReplyFormat Guide(JsonElement guide)
    {
        if (guide.ValueKind != JsonValueKind.String)
        {
            return Schema(guide, "guided_json");
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(guide.GetString()!);
            return Schema(document.RootElement, "guided_json");
        }
        catch (JsonException)
        {
            throw ApiException.Bad("guided_json", "guided_json: expected a schema, got a text that is no JSON");
        }
    }

    private static ToolDefinition Function(RequestObject function, ref int bytes)
    {
        string name = function.RequireString("name");
        if (!Name().IsMatch(name))
        {
            throw ApiException.Bad(function.At("name"), $"{function.At("name")}: expected 1 to 64 letters, digits, _ and -, got {Tensors.PunaException.OneLine(name)}");
        }

        string? parameters = function.Object("parameters")?.Element.GetRawText();
        bytes += parameters?.Length ?? 0;
        return bytes <= MostSchemaBytes ? new ToolDefinition(name, function.String("description"), parameters, function.Bool("strict") ?? false) : throw TooLarge("tools");
    }

    private static ApiException TooLarge(string where) => ApiException.Bad(where, $"{where}: expected at most {MostSchemaBytes} bytes of schemas, got more", "schema_too_large");

    private static ChatRequest Required(ChatRequest request, IReadOnlyList<string>? names) => request.Tools.Count > 0
        ? request with { ToolChoice = ToolChoiceMode.Required, AllowedTools = names }
        : throw ApiException.Bad("tool_choice", "tool_choice: expected tools to choose from, got none");

    private static string Known(ChatRequest request, string name, string key) => request.Tools.Any(t => t.Name == name)
        ? name
        : throw ApiException.Bad(key, $"{key}: expected one of the tools, got {Tensors.PunaException.OneLine(name)}");

    [GeneratedRegex("^[A-Za-z0-9_-]{1,64}$")]
    private static partial Regex Name();
}
