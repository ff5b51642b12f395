using Puna.Runtime.Chat;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Text.Templates;

namespace Puna.Server.Http;

/// <summary>A request that is answered with an error. What it looks like is up to the API that was called (<see cref="Dialect"/>).</summary>
internal sealed class ApiException : Exception
{
    /// <summary>Creates the exception.</summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="type">Type of the error in OpenAI's terms (spec serving.md 4.1).</param>
    /// <param name="code">Code, or null.</param>
    /// <param name="message">One line.</param>
    /// <param name="param">What is wrong in the request, or null.</param>
    /// <param name="retryAfter">When it may be worth another try, or null.</param>
    public ApiException(int status, string type, string? code, string message, string? param = null, TimeSpan? retryAfter = null)
        : base(message)
    {
        (Status, Type, Code, Param, RetryAfter) = (status, type, code, param, retryAfter);
    }

    /// <summary>HTTP status.</summary>
    public int Status { get; }

    /// <summary>Type in OpenAI's terms.</summary>
    public string Type { get; }

    /// <summary>Code, or null.</summary>
    public string? Code { get; }

    /// <summary>What is wrong in the request, or null.</summary>
    public string? Param { get; }

    /// <summary>When it may be worth another try, or null.</summary>
    public TimeSpan? RetryAfter { get; }

    /// <summary>A value of a request that is wrong.</summary>
    public static ApiException Bad(string param, string message, string code = "invalid_value") => new(400, "invalid_request_error", code, message, param);

    /// <summary>Something a request asks for that is not here.</summary>
    public static ApiException Unsupported(string param, string message) => Bad(param, message, "unsupported_parameter");

    /// <summary>The answer to an exception, or null where nobody is there to be answered.</summary>
    public static ApiException? Of(Exception error) => error switch
    {
        ApiException api => api,
        ContextLengthException => Bad("messages", error.Message, "context_length_exceeded"),
        InvalidSchemaException schema => Bad(schema.Part, schema.Message, "invalid_schema"),
        TemplateException => Bad("messages", error.Message, "template_error"),
        InvalidImageException => Bad("messages", error.Message, ImageFields.Code),
        EngineBusyException { Reason: EngineBusyReason.KeyLimit } busy => new ApiException(429, "rate_limit_error", "queue_full_for_key", busy.Message, null, busy.RetryAfter),
        EngineBusyException busy => new ApiException(503, "unavailable_error", busy.Reason == EngineBusyReason.Draining ? "draining" : "overloaded", busy.Message, null, busy.RetryAfter),
        EngineTimeoutException late => new ApiException(504, "timeout_error", late.InQueue ? "queue_timeout" : "request_timeout", late.Message),
        EngineFaultException fault => new ApiException(500, "server_error", "engine_error", fault.Message),
        Microsoft.AspNetCore.Http.BadHttpRequestException bad => new ApiException(bad.StatusCode, "invalid_request_error", bad.StatusCode == 413 ? "request_too_large" : "invalid_request", bad.StatusCode == 413 ? "body: expected a smaller one" : PunaException.OneLine(bad.Message)),
        OperationCanceledException or Microsoft.AspNetCore.Connections.ConnectionResetException => null,
        PunaException puna => new ApiException(400, "invalid_request_error", "invalid_value", puna.Message),
        _ => new ApiException(500, "server_error", "internal_error", "the request failed by an error in the server"),
    };
}
