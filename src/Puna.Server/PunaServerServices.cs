using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Puna.Server.Http;
using Puna.Server.Operations;

namespace Puna.Server;

/// <summary>Registers what the endpoints of <see cref="PunaServerEndpoints"/> need.</summary>
public static class PunaServerServices
{
    private static readonly TimeSpan Rest = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Registers a model to be served. When the application has started, the model is asked for one token (health is well from then on); when it stops, requests that have begun may end, and the
    /// engine is drained.
    /// </summary>
    /// <param name="services">Where to register.</param>
    /// <param name="model">The model; not owned.</param>
    /// <param name="options">Keys, names of hosts and metrics, and the time to drain; address and body size are those of the application's own server.</param>
    public static IServiceCollection AddPunaServer(this IServiceCollection services, ServedModel model, PunaServerOptions? options = null)
    {
        options ??= new PunaServerOptions();
        services.AddMetrics();
        services.TryAddSingleton<ServerState>();
        services.AddSingleton(s => new ModelHost(
            model, new ServerMetrics(options.MetricsPrefix, model.Name, model.Engine), new ServerTelemetry(s.GetRequiredService<IMeterFactory>(), options.CapturesContent ?? MessageContent.IsAskedFor), s.GetRequiredService<ServerState>()));
        services.AddSingleton(s => new ServerPipeline(options, new ApiKeys(options.ApiKeys), s.GetRequiredService<ServerState>(), s.GetRequiredService<ILogger<ServerPipeline>>()));
        services.AddHostedService(s => new ServerLifetime(model, s.GetRequiredService<ServerState>(), options.DrainTimeout));
        services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTimeout + Rest);
        return services;
    }
}
