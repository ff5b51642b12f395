using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Puna.Runtime.Constraints.Schema;
using Puna.Tensors;

namespace Puna.Runtime.Chat;

/// <summary>The JSON schema of calls: <c>{"name": ..., "parameters": {...}}</c>, or a list of them.</summary>
internal static class CallSchema
{
    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 64 };
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 256 };

    /// <summary>The schema of calls of some tools.</summary>
    /// <param name="tools">Names, and the schemas of their arguments; null takes any object.</param>
    /// <param name="single">Whether a reply is one call and no list.</param>
    public static string Of(IReadOnlyList<(string Name, string? Parameters)> tools, bool single)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Writing))
        {
            json.WriteStartObject();
            json.WriteStartObject("$defs");
            for (int i = 0; i < tools.Count; i++)
            {
                json.WritePropertyName($"tool{i}");
                WriteParameters(json, tools[i].Name, tools[i].Parameters, $"/$defs/tool{i}");
            }

            json.WriteEndObject();
            json.WriteStartArray("anyOf");
            WriteCalls(json, tools);
            if (!single)
            {
                json.WriteStartObject();
                json.WriteString("type", "array");
                json.WriteNumber("minItems", 1);
                json.WriteStartObject("items");
                json.WriteStartArray("anyOf");
                WriteCalls(json, tools);
                json.WriteEndArray();
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }

    private static void WriteCalls(Utf8JsonWriter json, IReadOnlyList<(string Name, string? Parameters)> tools)
    {
        for (int i = 0; i < tools.Count; i++)
        {
            json.WriteStartObject();
            json.WriteString("type", "object");
            json.WriteStartObject("properties");
            json.WriteStartObject("name");
            json.WriteString("const", tools[i].Name);
            json.WriteEndObject();
            json.WriteStartObject("parameters");
            json.WriteString("$ref", $"#/$defs/tool{i}");
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartArray("required");
            json.WriteStringValue("name");
            json.WriteStringValue("parameters");
            json.WriteEndArray();
            json.WriteBoolean("additionalProperties", false);
            json.WriteEndObject();
        }
    }

    // References within a schema are to its root, identifiers and anchors, which are no longer those of the whole.
    private static void WriteParameters(Utf8JsonWriter json, string tool, string? parameters, string root)
    {
        if (parameters is null)
        {
            json.WriteStartObject();
            json.WriteString("type", "object");
            json.WriteEndObject();
            return;
        }

        try
        {
            using JsonDocument document = JsonDocument.Parse(parameters, Reading);
            new SchemaReferences(document.RootElement).Write(json, root);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new PunaException($"tool {tool}: parameters: expected a JSON schema, got no JSON ({e.Message})", e);
        }
    }
}
