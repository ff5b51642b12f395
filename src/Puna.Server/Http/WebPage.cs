using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

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
        if (http.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase))
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
        if (http.Request.Headers.IfNoneMatch.Equals(new StringValues(tag)))
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

    private static (byte[] Bytes, string Type, string Tag) Load(string name, string type)
    {
        using Stream stream = typeof(WebPage).Assembly.GetManifestResourceStream("web/" + name) ?? throw new InvalidOperationException($"{name} was not embedded by the build");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return (bytes, type, $"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 8))}\"");
    }
}
