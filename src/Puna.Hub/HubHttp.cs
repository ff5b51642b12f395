using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Authentication;

namespace Puna.Hub;

/// <summary>
/// One request to the hub: it follows redirects itself, because the endpoint's headers on the way matter and because the token must not go along to
/// another host. What may pass by itself comes out as <see cref="TransientHubException"/>.
/// </summary>
internal sealed class HubHttp : IDisposable
{
    private const int MostRedirects = 10;

    private readonly HubSettings _settings;
    private readonly HttpClient _client;

    public HubHttp(HubSettings settings, HttpMessageHandler? handler)
    {
        _settings = settings;
        _client = new HttpClient(handler ?? CreateHandler(settings), disposeHandler: handler is null)
        {
            // Stalls are watched per read; a whole download may take hours.
            Timeout = Timeout.InfiniteTimeSpan,
        };
        string version = typeof(HubHttp).Assembly.GetName().Version?.ToString(3) ?? "0";
        _client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("puna", version));
    }

    /// <summary>Address below the endpoint; every part is escaped.</summary>
    public Uri Address(params ReadOnlySpan<string> parts)
    {
        string address = _settings.Endpoint.AbsoluteUri.TrimEnd('/');
        foreach (string part in parts) address += "/" + Uri.EscapeDataString(part);
        return new Uri(address);
    }

    /// <summary>Sends a GET and follows where it leads.</summary>
    /// <param name="address">An address of the endpoint.</param>
    /// <param name="from">First byte wanted; 0 for the whole.</param>
    /// <param name="validator">Strong entity tag that the bytes before <paramref name="from"/> came with, or null.</param>
    /// <param name="cancellation">The caller's wish to stop.</param>
    /// <returns>The last answer, whatever its status, but for those that may pass by themselves.</returns>
    public async Task<HubResponse> GetAsync(Uri address, long from, string? validator, CancellationToken cancellation)
    {
        var guard = new StallGuard(_settings.Options.StallTimeout, cancellation);
        try
        {
            LinkedFile linked = default;
            Uri current = address;
            for (int hop = 0; hop <= MostRedirects; hop++)
            {
                bool own = IsEndpoint(current);
                HttpResponseMessage message = await SendAsync(current, own, from, validator, guard);
                try
                {
                    if (own) linked = Read(message, linked);
                    if (message.StatusCode is HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.SeeOther
                        or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect)
                    {
                        current = Follow(current, message.Headers.Location);
                        message.Dispose();
                        continue;
                    }

                    var response = new HubResponse(message, guard, linked, own);
                    ThrowIfTransient(response);
                    return response;
                }
                catch
                {
                    message.Dispose();
                    throw;
                }
            }

            throw new HubException(
                HubErrorKind.BadAnswer, $"hub {_settings.Endpoint.Host}: expected at most {MostRedirects} redirects, got more ({address.AbsolutePath})");
        }
        catch
        {
            guard.Dispose();
            throw;
        }
    }

    /// <summary>The exception for an answer that is neither what was asked for nor worth another attempt.</summary>
    public HubException Refusal(HubResponse response, ModelReference reference, string? file) =>
        HubFailure.Of(response, reference, file, _settings.Token is not null, _settings.Endpoint);

    public void Dispose() => _client.Dispose();

    private async Task<HttpResponseMessage> SendAsync(Uri address, bool own, long from, string? validator, StallGuard guard)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        if (own && _settings.Token is { } token) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);

        // A compressed body would have another length and checksum than the file.
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("identity"));
        if (from > 0)
        {
            request.Headers.Range = new RangeHeaderValue(from, null);
            if (validator is not null) request.Headers.IfRange = new RangeConditionHeaderValue(validator);
        }

        guard.Arm();
        try
        {
            return await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, guard.Token);
        }
        catch (HttpRequestException e) when (e.HttpRequestError == HttpRequestError.SecureConnectionError || e.InnerException is AuthenticationException)
        {
            throw new HubException(HubErrorKind.Network, $"hub {address.Host}: no secure connection ({(e.InnerException ?? e).Message.TrimEnd('.')})", e);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            throw guard.Explain(e, address.Host);
        }
        finally
        {
            guard.Disarm();
        }
    }

    private Uri Follow(Uri from, Uri? location)
    {
        // The address that was redirected to is not repeated in messages: it may carry a signature.
        if (location is null || !Uri.TryCreate(from, location, out Uri? to) || (to.Scheme != Uri.UriSchemeHttp && to.Scheme != Uri.UriSchemeHttps))
        {
            throw new HubException(
                HubErrorKind.BadAnswer, $"hub {from.Host}: expected a redirect to an http(s) address, got another or none ({from.AbsolutePath})");
        }

        return from.Scheme == Uri.UriSchemeHttps && to.Scheme == Uri.UriSchemeHttp
            ? throw new HubException(HubErrorKind.BadAnswer, $"hub {from.Host}: expected a redirect to an https address, got http ({to.Host})")
            : to;
    }

    private bool IsEndpoint(Uri address) =>
        address.Scheme == _settings.Endpoint.Scheme && address.Port == _settings.Endpoint.Port
        && string.Equals(address.IdnHost, _settings.Endpoint.IdnHost, StringComparison.OrdinalIgnoreCase);

    private static void ThrowIfTransient(HubResponse response)
    {
        int status = (int)response.Status;

        // A refusal by another host is mostly a signed address that ran out; the endpoint gives a new one.
        bool refused = !response.FromEndpoint && status is 401 or 403;
        if (refused || status is 408 or 429 or 500 or 502 or 503 or 504)
        {
            throw new TransientHubException($"{response.Host} answered HTTP {status}", response.RetryAfter);
        }
    }

    private static LinkedFile Read(HttpResponseMessage message, LinkedFile before)
    {
        long? size = long.TryParse(Header("X-Linked-Size"), NumberStyles.None, CultureInfo.InvariantCulture, out long value) ? value : null;
        string? tag = Header("X-Linked-Etag")?.Trim().Trim('"').ToLowerInvariant();
        return new LinkedFile(
            before.Size ?? size,
            before.Sha256 ?? (tag is { Length: 64 } && ModelReference.IsHex(tag) ? tag : null),
            before.Commit ?? Header("X-Repo-Commit")?.Trim());

        string? Header(string name) => message.Headers.TryGetValues(name, out IEnumerable<string>? values) ? values.First() : null;
    }

    private static SocketsHttpHandler CreateHandler(HubSettings settings) => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ConnectTimeout = settings.Options.StallTimeout,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),

        // A hub on this machine is not reached through a proxy.
        UseProxy = !settings.Endpoint.IsLoopback,
    };
}
