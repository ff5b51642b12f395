using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Puna.Server.Http;

namespace Puna.Server.Operations;

/// <summary>Whether the process lives, and whether the model answers (spec serving.md 7.1). Open to everybody, and silent about everything else.</summary>
internal sealed class HealthEndpoints(ModelHost host)
{
    /// <summary>Adds the endpoints.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health", ReadyAsync).WithName("health");
        routes.MapGet("/health/ready", ReadyAsync).WithName("ready");
        routes.MapGet("/health/live", http => AnswerAsync(http, IsAlive)).WithName("live");
    }

    private bool IsAlive => host.Model.Engine.IsWell;

    private Task ReadyAsync(HttpContext http) => AnswerAsync(http, host.State.IsReady && !host.State.IsDraining && IsAlive);

    private static Task AnswerAsync(HttpContext http, bool isWell) => JsonBody.WriteAsync(http, new JsonObject { ["status"] = isWell ? "ok" : "unavailable" }, isWell ? 200 : 503);
}
