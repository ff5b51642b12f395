using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Puna.Server.Http;

/// <summary>The page to chat in: three files of our own inside this assembly, and a policy that lets it load nothing else.</summary>
internal static class WebPage
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly Dictionary<string, (byte[] Bytes, string Type, string Tag)> Files = new(StringComparer.Ordinal)
    {
        ["index.html"] = Load("index.html", "text/html; charset=utf-8"),
        ["app.js"] = Load("app.js", "text/javascript; charset=utf-8"),
        ["style.css"] = Load("style.css", "text/css; charset=utf-8"),
    };

    /// <summary><c>/</c>: the page for browsers, a line of text for everybody else, because Ollama's clients look for it.</summary>
    public static Task Index(HttpContext http)
    {
        http.Response.Headers.Vary = "Accept";
        if (Wants(http.Request, "text/html"))
        {
            return SendAsync(http, "index.html");
        }

        http.Response.ContentType = "text/plain; charset=utf-8";
        return HttpMethods.IsHead(http.Request.Method) ? Task.CompletedTask : http.Response.WriteAsync("Ollama is running", http.RequestAborted);
    }

    /// <summary>Sends a file.</summary>
    public static async Task SendAsync(HttpContext http, string name)
    {
        (byte[] bytes, string type, string tag) = Files[name];
        http.Response.Headers.ContentSecurityPolicy = Policy;
        http.Response.Headers["Referrer-Policy"] = "no-referrer";
        http.Response.Headers.XFrameOptions = "DENY";
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers.ETag = tag;
        if (Has(http.Request.Headers.IfNoneMatch, tag))
        {
            http.Response.StatusCode = 304;
            return;
        }

        http.Response.ContentType = type;
        http.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await http.Response.Body.WriteAsync(bytes, http.RequestAborted);
        }
    }

    /// <summary>Whether a request names a type that it accepts; with <c>q=0</c> it names one that it does not.</summary>
    private static bool Wants(HttpRequest request, string type) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out IList<MediaTypeHeaderValue>? types) && types.Any(t => t.MediaType.Equals(type, StringComparison.OrdinalIgnoreCase) && t.Quality is not 0);

    /// <summary>Whether a list of tags has one, weak or not, or is <c>*</c>.</summary>
    private static bool Has(StringValues list, string tag) =>
        EntityTagHeaderValue.TryParseList(list, out IList<EntityTagHeaderValue>? tags) && tags.Any(t => t.Tag == "*" || t.Tag == tag);

    private static (byte[] Bytes, string Type, string Tag) Load(string name, string type)
    {
        using Stream stream = typeof(WebPage).Assembly.GetManifestResourceStream("web/" + name) ?? throw new InvalidOperationException($"{name} was not embedded by the build");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return (bytes, type, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}\"");
    }
}
