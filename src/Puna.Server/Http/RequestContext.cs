using Microsoft.AspNetCore.Http;

namespace Puna.Server.Http;

/// <summary>What endpoints know of who asks.</summary>
internal static class RequestContext
{
    /// <summary>Whose request it is; empty where there are no keys.</summary>
    public static string Owner(this HttpContext http) => http.Items["owner"] as string ?? "";

    /// <summary>Only requests with the same salt share prompts: by key, and by what the request says itself.</summary>
    public static string Salt(this HttpContext http, RequestObject body) =>
        string.Join('\n', http.Owner(), body.String("cache_salt") ?? "", body.String("prompt_cache_key") ?? "");
}
