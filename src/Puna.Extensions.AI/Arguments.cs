using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Puna.Extensions.AI;

/// <summary>Arguments of calls: JSON on one side, a dictionary on the other.</summary>
internal static class Arguments
{
    // Prompts are paid for by the token: no indentation.
    private static readonly JsonSerializerOptions Compact = new(AIJsonUtilities.DefaultOptions) { WriteIndented = false };

    /// <summary>A call; where the arguments are no JSON object (the reply was cut short), it says so by its exception.</summary>
    public static FunctionCallContent Call(string id, string name, string json) => FunctionCallContent.CreateFromParsedArguments(json, id, name, Parse);

    /// <summary>A dictionary as JSON.</summary>
    public static string Write(IDictionary<string, object?>? arguments) =>
        arguments is null ? "{}" : JsonSerializer.Serialize(arguments, Compact.GetTypeInfo(typeof(IDictionary<string, object?>)));

    /// <summary>What a function returned, as the text a model is told: strings as they are, anything else as JSON.</summary>
    public static string Result(object? result) => result switch
    {
        null => "null",
        string text => text,
        TextContent text => text.Text,
        IEnumerable<AIContent> contents when contents.All(static content => content is TextContent) => string.Concat(contents),
        JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!,
        _ => JsonSerializer.Serialize(result, Compact.GetTypeInfo(result.GetType())),
    };

    private static Dictionary<string, object?> Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException("arguments: expected a JSON object, got another value");
        }

        var arguments = new Dictionary<string, object?>(StringComparer.Ordinal);
        foreach (JsonProperty property in document.RootElement.EnumerateObject())
        {
            arguments[property.Name] = property.Value.Clone();
        }

        return arguments;
    }
}
