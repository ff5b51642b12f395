using System.Globalization;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Puna.Server.Operations;

namespace Puna.Server.Http;

/// <summary>What happens to every request before and behind its endpoint: a number, the key, the name of the host, and errors in the shape of the API that was called.</summary>
internal sealed partial class ServerPipeline(PunaServerOptions options, ApiKeys keys, ServerState state, ILogger<ServerPipeline> log)
{
    private const string Letters = "0123456789abcdefghijklmnopqrstuvwxyz";
    private const int LongestRequestId = 128;

    private readonly Origins _origins = new(options.AllowedOrigins, keys.Count == 0);

    /// <summary>Whether requests must bring a key.</summary>
    public bool HasKeys => keys.Count > 0;

    /// <summary>Whether a path needs no key.</summary>
    public static bool IsOpen(PathString path) =>
        path == "/" || path == "/app.js" || path == "/style.css" || path == "/favicon.ico" || path.StartsWithSegments("/health", StringComparison.Ordinal);

    /// <summary>Lets a request through to its endpoint, and answers where it fails. A request that comes here twice is let through the second time.</summary>
    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        if (http.Items.ContainsKey("request-id"))
        {
            await next(http);
            return;
        }

        string id = RequestId(http.Request);
        http.Items["request-id"] = id;
        http.Response.Headers["x-request-id"] = id;
        http.Response.Headers.XContentTypeOptions = "nosniff";
        state.Enter();
        try
        {
            CheckHost(http.Request);
            if (_origins.Answers(http))
            {
                return;
            }

            bool isAdmitted = keys.Admits(http.Request, out string owner);
            http.Items["owner"] = owner;
            bool isOpen = EndpointRules.Of(http)?.IsOpen ?? IsOpen(http.Request.Path);
            if (!isAdmitted && !isOpen)
            {
                http.Response.Headers.WWWAuthenticate = "Bearer";
                throw new ApiException(401, "authentication_error", "invalid_api_key", "key: expected one of this server's in Authorization: Bearer or x-api-key, got none or another");
            }

            if (state.IsDraining && !isOpen && HttpMethods.IsPost(http.Request.Method))
            {
                http.Response.Headers.Connection = "close";
                throw new ApiException(503, "unavailable_error", "draining", "the server is ending", null, TimeSpan.FromSeconds(5));
            }

            await next(http);
            if (!http.Response.HasStarted && http.Response.StatusCode is 404 or 405 && http.Response.ContentType is null)
            {
                await AnswerAsync(http, http.Response.StatusCode == 405
                    ? new ApiException(405, "invalid_request_error", "method_not_allowed", $"{http.Request.Method} {http.Request.Path}: expected another method")
                    : new ApiException(404, "not_found_error", "route_not_found", $"{http.Request.Path}: expected a path of this server, got another"));
            }
        }
        catch (Exception e)
        {
            await FailAsync(http, e);
        }
        finally
        {
            state.Leave();
        }
    }

    private async Task FailAsync(HttpContext http, Exception error)
    {
        if (ApiException.Of(error) is not { } answer)
        {
            // The client has gone, or the engine has ended: nobody listens, or nothing more can be said.
            if (!http.RequestAborted.IsCancellationRequested && !http.Response.HasStarted)
            {
                await AnswerAsync(http, new ApiException(503, "unavailable_error", "draining", "the request was cancelled because the server is ending", null, TimeSpan.FromSeconds(5)));
            }

            return;
        }

        if (answer.Status == 500)
        {
            Failed(log, http.Items["request-id"] as string ?? "", error);
        }

        if (http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        await AnswerAsync(http, answer);
    }

    private static async Task AnswerAsync(HttpContext http, ApiException error)
    {
        Dialect dialect = EndpointRules.Of(http)?.Dialect ?? Dialects.Of(http.Request.Path);
        if (error.RetryAfter is { } wait)
        {
            http.Response.Headers.RetryAfter = Math.Clamp((int)Math.Ceiling(wait.TotalSeconds), 1, 60).ToString(CultureInfo.InvariantCulture);
        }

        if (error.Status == 500)
        {
            http.Response.Headers["x-should-retry"] = "false";
        }

        try
        {
            await JsonBody.WriteAsync(http, Dialects.Body(dialect, error, http.Items["request-id"] as string ?? ""), Dialects.Status(dialect, error));
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client has gone.
        }
    }

    private void CheckHost(HttpRequest request)
    {
        if (keys.Count > 0 || !PunaServer.IsLoopback(options.Host))
        {
            return;
        }

        string host = request.Host.Host;
        if (host.Length > 0 && !PunaServer.IsLoopback(host) && !options.AllowedHosts.Contains(host, StringComparer.OrdinalIgnoreCase))
        {
            throw new ApiException(403, "permission_error", "host_not_allowed", $"host {Puna.Tensors.PunaException.OneLine(host)}: expected a name of this machine (a server without a key answers to no other)");
        }
    }

    private static string RequestId(HttpRequest request)
    {
        string? given = request.Headers["x-request-id"];
        return given is { Length: > 0 and <= LongestRequestId } && given.All(static c => c is > ' ' and <= '~') ? given : "req_" + RandomNumberGenerator.GetString(Letters, 24);
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "request {RequestId} failed")]
    private static partial void Failed(ILogger logger, string requestId, Exception error);
}
