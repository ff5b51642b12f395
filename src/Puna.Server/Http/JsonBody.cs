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
        if (http.Request.ContentType is { } type && !type.Contains("json", StringComparison.OrdinalIgnoreCase) && !type.StartsWith("text/plain", StringComparison.OrdinalIgnoreCase)
            && !type.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            throw new ApiException(415, "invalid_request_error", "unsupported_media_type", $"content type: expected application/json, got {Puna.Tensors.PunaException.OneLine(type)}");
        }

        JsonDocument document;
        try
        {
            document = await JsonDocument.ParseAsync(http.Request.Body, Reading, http.RequestAborted);
        }
        catch (JsonException e)
        {
            throw new ApiException(400, "invalid_request_error", "invalid_json", $"body: expected JSON, got something else: {Puna.Tensors.PunaException.OneLine(e.Message)}");
        }

        if (document.RootElement.ValueKind != JsonValueKind.Object)
        {
            string kind = RequestObject.Kind(document.RootElement);
            document.Dispose();
            throw new ApiException(400, "invalid_request_error", "invalid_json", $"body: expected a JSON object, got {kind}");
        }

        return document;
    }

    /// <summary>Answers with an object.</summary>
    public static async Task WriteAsync(HttpContext http, JsonObject body, int status = 200)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(Bytes(body), http.RequestAborted);
    }

    /// <summary>The text of an object, in one line.</summary>
    public static byte[] Bytes(JsonObject body)
    {
        using var memory = new MemoryStream();
        using (var writer = new Utf8JsonWriter(memory, Writer))
        {
            body.WriteTo(writer, Writing);
        }

        return memory.ToArray();
    }
}
