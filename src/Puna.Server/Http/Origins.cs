using Microsoft.AspNetCore.Http;
using Puna.Tensors;

namespace Puna.Server.Http;

/// <summary>
/// Which pages may use the server. A browser sends a page's origin with whatever the page posts, also where the page may not read the answer; so without a key a post from another origin is refused:
/// any page that somebody visits could put this machine to work otherwise. Programs send no origin.
/// </summary>
internal sealed class Origins
{
    private readonly HashSet<string> _allowed;
    private readonly bool _isOpen;

    /// <summary>Prepares to judge.</summary>
    /// <param name="allowed">Origins of other pages that may use the server.</param>
    /// <param name="isOpen">Whether requests need no key.</param>
    /// <exception cref="PunaException">One is no origin.</exception>
    public Origins(IEnumerable<string> allowed, bool isOpen)
    {
        _isOpen = isOpen;
        _allowed = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (string origin in allowed)
        {
            if (!Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) || uri.GetLeftPart(UriPartial.Authority).Length < origin.Length || origin.Contains('*', StringComparison.Ordinal))
            {
                throw new PunaException($"origin {origin}: expected one of a page like https://chat.example, got another text");
            }

            _allowed.Add(origin);
        }
    }

    /// <summary>Refuses what a page must not send, and tells a page that may use the server so.</summary>
    /// <returns>Whether the request is answered: a browser only asked whether a page may send another.</returns>
    /// <exception cref="ApiException">Refused.</exception>
    public bool Answers(HttpContext http)
    {
        HttpRequest request = http.Request;
        string origin = request.Headers.Origin.ToString();
        if (origin.Length == 0)
        {
            return false;
        }

        if (!_allowed.Contains(origin))
        {
            bool isReading = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);
            return !_isOpen || isReading || IsOwn(origin, request)
                ? false
                : throw new ApiException(403, "permission_error", "origin_not_allowed", $"origin {PunaException.OneLine(origin)}: expected this server's own, or one that it was told to allow (--allow-origin)");
        }

        http.Response.Headers.AccessControlAllowOrigin = origin;
        http.Response.Headers.AccessControlExposeHeaders = "x-request-id, retry-after";
        http.Response.Headers.Append("Vary", "Origin");
        if (!HttpMethods.IsOptions(request.Method) || request.Headers.AccessControlRequestMethod.Count == 0)
        {
            return false;
        }

        http.Response.StatusCode = StatusCodes.Status204NoContent;
        http.Response.Headers.AccessControlAllowMethods = "GET, POST";
        http.Response.Headers.AccessControlAllowHeaders = request.Headers.AccessControlRequestHeaders;
        http.Response.Headers.AccessControlMaxAge = "600";
        return true;
    }

    // The name that the page was loaded by is the name that it calls; behind a proxy that ends TLS, by another scheme.
    private static bool IsOwn(string origin, HttpRequest request) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0 && request.Host.HasValue
            && Uri.TryCreate($"{uri.Scheme}://{request.Host.Value}", UriKind.Absolute, out Uri? own)
            && uri.Authority.Equals(own.Authority, StringComparison.OrdinalIgnoreCase);
}
