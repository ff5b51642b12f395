using System.Text.Json;

namespace Puna.Text.Tools;

/// <summary>Reads calls that are JSON.</summary>
internal static class CallReader
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = CallScanner.MostDepth + 2, AllowTrailingCommas = false };

    /// <summary>A call as a JSON object with a name and <c>parameters</c> or <c>arguments</c>, which may be a string of JSON; null where it is none.</summary>
    public static ToolCall? Json(string text, ToolCatalog tools)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text, Options);
            JsonElement call = json.RootElement;
            if (call.ValueKind != JsonValueKind.Object)
                return null;
            if (call.TryGetProperty("function", out JsonElement inner) && inner.ValueKind == JsonValueKind.Object)
                call = inner;
            if (!call.TryGetProperty("name", out JsonElement name) || name.ValueKind != JsonValueKind.String || name.GetString() is not { } tool || !tools.Has(tool))
                return null;
            if (!call.TryGetProperty("parameters", out JsonElement arguments) && !call.TryGetProperty("arguments", out arguments))
                return new ToolCall(tool, "{}");
            return arguments.ValueKind switch
            {
                JsonValueKind.Object => new ToolCall(tool, Compact(arguments)),
                JsonValueKind.Null => new ToolCall(tool, "{}"),
                JsonValueKind.String => Arguments(arguments.GetString()!) is { } own ? new ToolCall(tool, own) : null,
                _ => null,
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or half a surrogate pair in a string.
            return null;
        }
    }

    /// <summary>A JSON object without white space between its parts; null where it is none.</summary>
    public static string? Arguments(string text)
    {
        try
        {
            using JsonDocument json = JsonDocument.Parse(text, Options);
            return json.RootElement.ValueKind == JsonValueKind.Object ? Compact(json.RootElement) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static string Compact(JsonElement json) => ChatJson.Write(json.WriteTo);
}
