using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Puna.Server.Anthropic;
using Puna.Server.Api;
using Puna.Server.Http;
using Puna.Server.Ollama;
using Puna.Server.OpenAI;
using Puna.Server.Operations;

namespace Puna.Server;

/// <summary>
/// The APIs as endpoints of any application that has called <see cref="PunaServerServices.AddPunaServer"/>. Each may stand below a prefix. Keys, the check of the host's name, draining and the
/// shape of errors come with the endpoints; other endpoints of the application are left alone.
/// </summary>
public static class PunaServerEndpoints
{
    /// <summary>OpenAI's API (<c>/v1/chat/completions</c>, <c>completions</c>, <c>responses</c>, <c>embeddings</c>, <c>models</c>), with <c>/v1/rerank</c>, <c>/tokenize</c>, <c>/detokenize</c>, <c>/apply-template</c>.</summary>
    /// <param name="routes">The application.</param>
    /// <param name="prefix">What the paths begin with.</param>
    public static RouteGroupBuilder MapOpenAI(this IEndpointRouteBuilder routes, string prefix = "")
    {
        RouteGroupBuilder group = Group(routes, prefix, new EndpointRules(Dialect.OpenAI), out ModelHost host);
        new OpenAIEndpoints(host).Map(group);
        new DebugEndpoints(host).Map(group);
        return group;
    }

    /// <summary>Anthropic's API: <c>/v1/messages</c> and <c>/v1/messages/count_tokens</c>.</summary>
    /// <param name="routes">The application.</param>
    /// <param name="prefix">What the paths begin with.</param>
    public static RouteGroupBuilder MapAnthropic(this IEndpointRouteBuilder routes, string prefix = "")
    {
        RouteGroupBuilder group = Group(routes, prefix, new EndpointRules(Dialect.Anthropic), out ModelHost host);
        new AnthropicEndpoints(host).Map(group);
        return group;
    }

    /// <summary>The endpoints of Ollama that its clients use most, below <c>/api</c>.</summary>
    /// <param name="routes">The application.</param>
    /// <param name="prefix">What the paths begin with.</param>
    public static RouteGroupBuilder MapOllama(this IEndpointRouteBuilder routes, string prefix = "")
    {
        RouteGroupBuilder group = Group(routes, prefix, new EndpointRules(Dialect.Ollama), out ModelHost host);
        new OllamaEndpoints(host).Map(group);
        return group;
    }

    /// <summary>Health: <c>/health</c>, <c>/health/ready</c> and <c>/health/live</c>, which need no key.</summary>
    /// <param name="routes">The application.</param>
    /// <param name="prefix">What the paths begin with.</param>
    public static RouteGroupBuilder MapLlamaHealth(this IEndpointRouteBuilder routes, string prefix = "")
    {
        RouteGroupBuilder group = Group(routes, prefix, new EndpointRules(Dialect.OpenAI, IsOpen: true), out ModelHost host);
        new HealthEndpoints(host).Map(group);
        return group;
    }

    /// <summary>Metrics in the text form of Prometheus: <c>/metrics</c>.</summary>
    /// <param name="routes">The application.</param>
    /// <param name="prefix">What the path begins with.</param>
    public static RouteGroupBuilder MapLlamaMetrics(this IEndpointRouteBuilder routes, string prefix = "")
    {
        RouteGroupBuilder group = Group(routes, prefix, new EndpointRules(Dialect.OpenAI), out ModelHost host);
        group.MapGet("/metrics", async http =>
        {
            http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            await http.Response.WriteAsync(host.Metrics.Write(), http.RequestAborted);
        }).WithName("metrics");
        return group;
    }

    /// <summary>The description of all endpoints that are mapped (OpenAPI 3.1): <c>/openapi.json</c>.</summary>
    /// <param name="routes">The application.</param>
    /// <param name="prefix">What the path begins with.</param>
    public static RouteGroupBuilder MapPunaOpenApi(this IEndpointRouteBuilder routes, string prefix = "")
    {
        RouteGroupBuilder group = Group(routes, prefix, new EndpointRules(Dialect.OpenAI), out ModelHost _);
        bool hasKeys = routes.ServiceProvider.GetRequiredService<ServerPipeline>().HasKeys;

        // Other endpoints may be mapped after this one: the description is made when it is asked for.
        group.MapGet("/openapi.json", http => JsonBody.WriteAsync(http, OpenApiDocument.Write(routes.DataSources.SelectMany(static d => d.Endpoints).OfType<RouteEndpoint>(), hasKeys))).WithName("openapi");
        return group;
    }

    private static RouteGroupBuilder Group(IEndpointRouteBuilder routes, string prefix, EndpointRules rules, out ModelHost host)
    {
        host = routes.ServiceProvider.GetRequiredService<ModelHost>();
        ServerPipeline pipeline = routes.ServiceProvider.GetRequiredService<ServerPipeline>();
        RouteGroupBuilder group = routes.MapGroup(prefix);

        // Put around each endpoint itself, so that none of them can be reached without it.
        ((IEndpointConventionBuilder)group).Add(builder =>
        {
            builder.Metadata.Add(rules);
            if (builder.RequestDelegate is { } inner)
            {
                builder.RequestDelegate = http => pipeline.InvokeAsync(http, inner);
            }
        });
        return group;
    }
}
