using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Puna.Server.Http;

/// <summary>Reads and writes bodies.</summary>
internal static class JsonBody
{
    /// <summary>Deepest nesting of a body.</summary>
    public const int Depth = 64;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = Depth };

    // Answers are JSON, not pages: only what JSON itself needs is escaped, so that text stays readable.
    private static readonly JsonSerializerOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonWriterOptions Writer = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Reads the body of a request, which must be an object.</summary>
    public static async Task<JsonDocument> ReadAsync(HttpContext http)
    {
        if (http.Request.ContentType is { } type && !IsJson(http, type))
        {
            throw new ApiException(415, "invalid_request_error", "unsupported_media_type", $"content type: expected application/json, got {Puna.Tensors.PunaException.OneLine(type)}");
        }

        using var memory = new MemoryStream();
        await http.Request.Body.CopyToAsync(memory, http.RequestAborted);
        ReadOnlyMemory<byte> body = memory.GetBuffer().AsMemory(0, (int)memory.Length);
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(body, Reading);
        }
        catch (JsonException e)
        {
            throw new ApiException(400, "invalid_request_error", "invalid_json", $"body: expected JSON, got something else: {Puna.Tensors.PunaException.OneLine(e.Message)}");
        }

        try
        {
            WellFormed.Check(body.Span, document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document
                : throw new ApiException(400, "invalid_request_error", "invalid_json", $"body: expected a JSON object, got {RequestObject.Kind(document.RootElement)}");
        }
        catch (ApiException)
        {
            document.Dispose();
            throw;
        }
    }

    // Ollama never looks at the type, and its documents send bodies with curl -d alone, which says that they are forms. The other two APIs want JSON said (vLLM answers 415 too, OpenAI reads a form
    // as one). Text is refused everywhere: no client sends it, and pages of other sites can without asking first.
    private static bool IsJson(HttpContext http, string type)
    {
        string media = type.Split(';')[0].Trim().ToLowerInvariant();
        return media == "application/json" || media.EndsWith("+json", StringComparison.Ordinal)
            || (media == "application/x-www-form-urlencoded" && (EndpointRules.Of(http)?.Dialect ?? Dialects.Of(http.Request.Path)) == Dialect.Ollama);
    }

    /// <summary>Answers with an object.</summary>
    public static async Task WriteAsync(HttpContext http, JsonObject body, int status = 200)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(Bytes(body), http.RequestAborted);
    }

    /// <summary>The text of an object or an array, in one line.</summary>
    public static byte[] Bytes(JsonNode body)
    {
        using var memory = new MemoryStream();
        using (var writer = new Utf8JsonWriter(memory, Writer))
        {
            body.WriteTo(writer, Writing);
        }

        return memory.ToArray();
    }
}
