using Microsoft.AspNetCore.Http;

namespace Puna.Server.Http;

/// <summary>What holds for an endpoint, whatever path it is mapped to.</summary>
/// <param name="Dialect">The API it belongs to.</param>
/// <param name="IsOpen">Whether it needs no key.</param>
internal sealed record EndpointRules(Dialect Dialect, bool IsOpen = false)
{
    /// <summary>The rules of the endpoint that a request was routed to, or null where there is none, or one that is not ours.</summary>
    public static EndpointRules? Of(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<EndpointRules>();
}
