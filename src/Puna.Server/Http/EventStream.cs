using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Puna.Server.Http;

/// <summary>
/// An answer that comes in pieces: server-sent events or lines of JSON (spec serving.md 2). Each piece is sent at once. While nothing comes, a comment now and then keeps the connection alive and
/// finds out whether somebody still listens.
/// </summary>
internal sealed class EventStream : IAsyncDisposable
{
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(15);
    private static readonly byte[] Ping = ": ping\n\n"u8.ToArray();
    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();

    private readonly HttpContext _http;
    private readonly bool _isLines;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _pings;
    private long _lastWrite = Environment.TickCount64;

    private EventStream(HttpContext http, bool isLines)
    {
        (_http, _isLines) = (http, isLines);
        _pings = isLines ? Task.CompletedTask : KeepAlive();
    }

    /// <summary>Begins an answer.</summary>
    /// <param name="http">The request.</param>
    /// <param name="isLines">Lines of JSON instead of events.</param>
    public static EventStream Begin(HttpContext http, bool isLines = false)
    {
        http.Response.StatusCode = 200;
        http.Response.ContentType = isLines ? "application/x-ndjson" : "text/event-stream";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["X-Accel-Buffering"] = "no";
        http.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        return new EventStream(http, isLines);
    }

    /// <summary>Sends one object.</summary>
    /// <param name="body">The object.</param>
    /// <param name="name">Name of the event, where the API has one.</param>
    public Task SendAsync(JsonObject body, string? name = null)
    {
        byte[] json = JsonBody.Bytes(body);
        byte[] head = _isLines ? [] : Encoding.UTF8.GetBytes(name is null ? "data: " : $"event: {name}\ndata: ");
        return WriteAsync([.. head, .. json, .. _isLines ? "\n"u8 : "\n\n"u8]);
    }

    /// <summary>Sends OpenAI's last event.</summary>
    public Task SendDoneAsync() => WriteAsync(Done);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await _pings;
        _ended.Dispose();
        _gate.Dispose();
    }

    private async Task WriteAsync(byte[] bytes)
    {
        await _gate.WaitAsync(_http.RequestAborted);
        try
        {
            await _http.Response.Body.WriteAsync(bytes, _http.RequestAborted);
            await _http.Response.Body.FlushAsync(_http.RequestAborted);
            Volatile.Write(ref _lastWrite, Environment.TickCount64);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task KeepAlive()
    {
        try
        {
            while (true)
            {
                await Task.Delay(Silence, _ended.Token);
                if (Environment.TickCount64 - Volatile.Read(ref _lastWrite) >= Silence.TotalMilliseconds)
                {
                    await WriteAsync(Ping);
                }
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // The answer has ended, or the client has gone.
        }
    }
}
