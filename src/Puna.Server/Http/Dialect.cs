using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;

namespace Puna.Server.Http;

/// <summary>What errors look like in the API that was called (spec serving.md 4).</summary>
internal enum Dialect
{
    /// <summary><c>{"error":{"message","type","param","code"}}</c>.</summary>
    OpenAI,

    /// <summary><c>{"type":"error","error":{"type","message"},"request_id"}</c>.</summary>
    Anthropic,

    /// <summary><c>{"error":"text"}</c>.</summary>
    Ollama,
}

/// <summary>Writes errors.</summary>
internal static class Dialects
{
    /// <summary>The API that a path belongs to.</summary>
    public static Dialect Of(PathString path) =>
        path.StartsWithSegments("/api", StringComparison.Ordinal) ? Dialect.Ollama : path.StartsWithSegments("/v1/messages", StringComparison.Ordinal) ? Dialect.Anthropic : Dialect.OpenAI;

    /// <summary>The HTTP status: Anthropic has its own for an overloaded server.</summary>
    public static int Status(Dialect dialect, ApiException error) => dialect == Dialect.Anthropic && error.Status == 503 ? 529 : error.Status;

    /// <summary>The body.</summary>
    public static JsonObject Body(Dialect dialect, ApiException error, string requestId) => dialect switch
    {
        Dialect.Ollama => new JsonObject { ["error"] = error.Message },
        Dialect.Anthropic => new JsonObject
        {
            ["type"] = "error",
            ["error"] = new JsonObject { ["type"] = AnthropicType(error), ["message"] = error.Message },
            ["request_id"] = requestId,
        },
        _ => new JsonObject
        {
            ["error"] = new JsonObject { ["message"] = error.Message, ["type"] = error.Type, ["param"] = error.Param, ["code"] = error.Code },
        },
    };

    private static string AnthropicType(ApiException error) => error.Status switch
    {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        503 => "overloaded_error",
        504 => "timeout_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
