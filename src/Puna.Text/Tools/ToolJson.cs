using System.Text.Json;
using Puna.Tensors;
using Puna.Text.Templates;

namespace Puna.Text.Tools;

/// <summary>Declarations and calls as JSON.</summary>
internal static class ToolJson
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 64 };

    /// <summary>Writes a declaration as chat templates are given it: <c>{"type": "function", "function": {...}}</c>.</summary>
    public static void Write(Utf8JsonWriter json, ChatTool tool, Func<string, string>? text = null)
    {
        json.WriteStartObject();
        json.WriteString("type", "function");
        json.WritePropertyName("function");
        WriteFunction(json, tool, text);
        json.WriteEndObject();
    }

    /// <summary>Writes name, description and parameters.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="tool">The tool.</param>
    /// <param name="text">Applied to every string and name of a property in it; null leaves them.</param>
    public static void WriteFunction(Utf8JsonWriter json, ChatTool tool, Func<string, string>? text = null)
    {
        text ??= static s => s;
        json.WriteStartObject();
        json.WriteString("name", text(tool.Name));
        if (tool.Description is not null)
            json.WriteString("description", text(tool.Description));
        json.WritePropertyName("parameters");
        if (tool.Parameters is null)
        {
            json.WriteRawValue("{\"type\":\"object\",\"properties\":{}}");
        }
        else
        {
            using JsonDocument parameters = Parse(tool.Parameters, $"tool {tool.Name}: parameters");
            Write(json, parameters.RootElement, text);
        }

        json.WriteEndObject();
    }

    /// <summary>A declaration as Python's <c>json.dumps</c> writes it.</summary>
    public static string Declaration(ChatTool tool, bool onlyFunction, int? indent) => PythonJson.Reformat(
        ChatJson.Write(json =>
        {
            if (onlyFunction)
                WriteFunction(json, tool);
            else
                Write(json, tool);
        }),
        indent);

    /// <summary>Arguments as Python's <c>json.dumps</c> writes them. Arguments that are no JSON (a call that broke off) are written as a string.</summary>
    public static string Arguments(ToolCall call) =>
        JsonTranscoder.Canonical(call.Arguments) is { } arguments ? PythonJson.Reformat(arguments, null) : Chat.PythonText.JsonString(call.Arguments);

    /// <summary>Parses a JSON object.</summary>
    /// <exception cref="PunaException">It is none; the message names <paramref name="what"/>.</exception>
    public static JsonDocument Parse(string text, string what)
    {
        JsonDocument json;
        try
        {
            json = JsonDocument.Parse(text, Options);
        }
        catch (JsonException e)
        {
            throw new PunaException($"{what}: expected a JSON object, got no JSON ({e.Message})", e);
        }

        if (json.RootElement.ValueKind == JsonValueKind.Object)
            return json;
        JsonValueKind kind = json.RootElement.ValueKind;
        json.Dispose();
        throw new PunaException($"{what}: expected a JSON object, got {kind switch { JsonValueKind.Array => "an array", JsonValueKind.String => "a string", _ => "another value" }}");
    }

    /// <summary>See <see cref="ChatTool.Signature"/>.</summary>
    public static ToolSignature Signature(ChatTool tool)
    {
        if (tool.Parameters is null)
            return new ToolSignature(tool.Name, []);
        using JsonDocument schema = Parse(tool.Parameters, $"tool {tool.Name}: parameters");
        return new ToolSignature(tool.Name, schema.RootElement.TryGetProperty("properties", out JsonElement properties) && properties.ValueKind == JsonValueKind.Object
            ? [.. properties.EnumerateObject().Select(JsonStrings.Name)] : []);
    }

    /// <summary>Writes a value with all its strings changed.</summary>
    public static void Write(Utf8JsonWriter json, JsonElement value, Func<string, string> text)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    json.WritePropertyName(text(JsonStrings.Name(property)));
                    Write(json, property.Value, text);
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (JsonElement item in value.EnumerateArray())
                    Write(json, item, text);
                json.WriteEndArray();
                break;
            case JsonValueKind.String:
                json.WriteStringValue(text(JsonStrings.Read(value)));
                break;
            default:
                json.WriteRawValue(value.GetRawText());
                break;
        }
    }
}
