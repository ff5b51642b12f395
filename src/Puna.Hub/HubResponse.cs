using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace Puna.Hub;

/// <summary>An answer whose headers are here and whose body is still to be read, with what the hub said on the way to it.</summary>
internal sealed class HubResponse(HttpResponseMessage message, StallGuard guard, LinkedFile linked, bool fromEndpoint) : IDisposable
{
    private Stream? _body;

    public HttpStatusCode Status => message.StatusCode;

    public HttpContentHeaders Headers => message.Content.Headers;

    /// <summary>Size, checksum and commit as the endpoint itself states them; a host it redirects to has no say in these.</summary>
    public LinkedFile Linked => linked;

    /// <summary>Whether the endpoint itself answered, not a host it redirected to.</summary>
    public bool FromEndpoint => fromEndpoint;

    /// <summary>Whether an end of the body can be told from a lost connection.</summary>
    public bool HasEnd => Headers.ContentLength is not null || message.Headers.TransferEncodingChunked == true || message.Version.Major >= 2;

    /// <summary>The validator of the body for <c>If-Range</c>: a strong entity tag, or null.</summary>
    public string? StrongTag => message.Headers.ETag is { IsWeak: false } tag ? tag.Tag : null;

    /// <summary>The host that answered, for messages.</summary>
    public string Host => message.RequestMessage?.RequestUri?.Host ?? "the hub";

    /// <summary>The hub's own word for an error (<c>X-Error-Code</c>), or empty.</summary>
    public string ErrorCode => message.Headers.TryGetValues("X-Error-Code", out IEnumerable<string>? values) ? string.Join(' ', values) : "";

    /// <summary>How long the server asks to be left alone, or null.</summary>
    public TimeSpan? RetryAfter => message.Headers.RetryAfter switch
    {
        { Delta: { } delta } => delta,
        { Date: { } date } => date > DateTimeOffset.UtcNow ? date - DateTimeOffset.UtcNow : TimeSpan.Zero,
        _ => Status == HttpStatusCode.TooManyRequests ? RateLimitReset : null,
    };

    /// <summary>The seconds until the limit is lifted as <c>RateLimit: "api";r=0;t=55</c> has them (IETF draft ratelimit-headers), which the hub sends instead.</summary>
    private TimeSpan? RateLimitReset
    {
        get
        {
            if (!message.Headers.TryGetValues("RateLimit", out IEnumerable<string>? values)) return null;
            foreach (string part in string.Join(';', values).Split(';', StringSplitOptions.TrimEntries))
            {
                if (part.StartsWith("t=", StringComparison.Ordinal) && int.TryParse(part.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out int seconds))
                {
                    return TimeSpan.FromSeconds(seconds);
                }
            }

            return null;
        }
    }

    /// <summary>Reads the next bytes of the body; 0 at its end.</summary>
    /// <exception cref="TransientHubException">The connection broke, or nothing came for too long.</exception>
    public async ValueTask<int> ReadAsync(Memory<byte> buffer)
    {
        guard.Arm();
        try
        {
            _body ??= await message.Content.ReadAsStreamAsync(guard.Token);
            return await _body.ReadAsync(buffer, guard.Token);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException or HttpRequestException or ObjectDisposedException)
        {
            throw guard.Explain(e, Host);
        }
        finally
        {
            guard.Disarm();
        }
    }

    /// <summary>Reads the whole body into memory.</summary>
    /// <param name="most">Longest body to take.</param>
    /// <param name="where">Who answered about what, for messages.</param>
    public async Task<ReadOnlyMemory<byte>> ReadAllAsync(int most, string where)
    {
        var all = new ArrayBufferWriter<byte>(1 << 16);
        int read;
        while ((read = await ReadAsync(all.GetMemory(1 << 16))) > 0)
        {
            all.Advance(read);
            if (all.WrittenCount > most) throw new HubException(HubErrorKind.BadAnswer, $"list of files: expected at most {most} bytes, got more ({where})");
        }

        return all.WrittenMemory;
    }

    public void Dispose()
    {
        message.Dispose();
        guard.Dispose();
    }
}
