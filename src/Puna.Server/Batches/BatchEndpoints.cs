using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Puna.Server.Batches;

/// <summary>OpenAI's endpoints without a socket: what is asked of them goes through the same code as over HTTP, errors included.</summary>
internal sealed class BatchEndpoints : IAsyncDisposable
{
    /// <summary>The endpoints that a line may name.</summary>
    public static readonly string[] Urls = ["/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses"];

    private readonly ServiceProvider _services;
    private readonly Dictionary<string, RouteEndpoint> _endpoints;

    /// <summary>Prepares the endpoints.</summary>
    /// <param name="model">The model; not owned.</param>
    public BatchEndpoints(ServedModel model)
    {
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddRouting();
        services.AddPunaServer(model);
        _services = services.BuildServiceProvider();
        var routes = new Routes(_services);
        routes.MapOpenAI();
        _endpoints = routes.DataSources.SelectMany(static d => d.Endpoints).OfType<RouteEndpoint>()
            .Where(static e => Urls.Contains("/" + e.RoutePattern.RawText!.Trim('/'), StringComparer.Ordinal))
            .ToDictionary(static e => "/" + e.RoutePattern.RawText!.Trim('/'), StringComparer.Ordinal);
    }

    /// <summary>Asks an endpoint.</summary>
    /// <param name="url">One of <see cref="Urls"/>.</param>
    /// <param name="body">The request as JSON.</param>
    /// <param name="cancel">Gives the request up.</param>
    /// <returns>Status, number of the request, and the answer as JSON in one line.</returns>
    public async Task<(int Status, string RequestId, byte[] Body)> AskAsync(string url, byte[] body, CancellationToken cancel)
    {
        RouteEndpoint endpoint = _endpoints[url];
        using var answer = new MemoryStream();
        var http = new DefaultHttpContext { RequestServices = _services, RequestAborted = cancel };
        http.Request.Method = HttpMethods.Post;
        http.Request.Path = url;
        http.Request.ContentType = "application/json";
        http.Request.Body = new MemoryStream(body, writable: false);
        http.Response.Body = answer;
        http.SetEndpoint(endpoint);
        await endpoint.RequestDelegate!(http).ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        return (http.Response.StatusCode, http.Items["request-id"] as string ?? "", answer.ToArray());
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _services.DisposeAsync();

    private sealed class Routes(IServiceProvider services) : IEndpointRouteBuilder
    {
        public IServiceProvider ServiceProvider => services;

        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
    }
}
