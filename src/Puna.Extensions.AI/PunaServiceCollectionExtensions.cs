using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Puna.Runtime.Filtering;

namespace Puna.Extensions.AI;

/// <summary>Registration of engines.</summary>
public static class PunaServiceCollectionExtensions
{
    /// <summary>Where the configuration has the options of engines, by their names.</summary>
    public const string Section = "Llama:Engines";

    /// <summary>
    /// Registers an engine by a name: a keyed <see cref="LlamaEngineService"/> that a host starts and stops, its options (from <c>Llama:Engines:NAME</c>, then
    /// <paramref name="configure"/>; checked when the host starts), and a health check <c>llama-NAME</c>. An <see cref="IContentFilter"/> that is registered judges its conversations.
    /// </summary>
    /// <param name="services">Where to register.</param>
    /// <param name="name">The name.</param>
    /// <param name="configure">Sets options; may be null.</param>
    public static LlamaEngineBuilder AddLlamaEngine(this IServiceCollection services, string name, Action<LlamaEngineOptions>? configure = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        OptionsBuilder<LlamaEngineOptions> options = services.AddOptions<LlamaEngineOptions>(name);
        options.Configure<IServiceProvider>((o, provider) => provider.GetService<IConfiguration>()?.GetSection($"{Section}:{name}").Bind(o));
        if (configure is not null)
        {
            options.Configure(configure);
        }

        options.Validate(static o => o.OpenModel is not null || !string.IsNullOrEmpty(o.ModelPath), $"engine {name}: expected a {nameof(LlamaEngineOptions.ModelPath)}, got none")
            .Validate(static o => o.MaxSequences >= 1 && o.MaxBatchedTokens >= 1 && o.QueueLimit >= 1 && o.Threads is null or >= 1, $"engine {name}: expected limits and threads of 1 or more, got fewer")
            .ValidateOnStart();
        services.AddKeyedSingleton(name, (provider, _) => new LlamaEngineService(
            name, provider.GetRequiredService<IOptionsMonitor<LlamaEngineOptions>>(), provider.GetService<IContentFilter>(), provider.GetService<TimeProvider>()));
        services.AddSingleton<IHostedService>(provider => provider.GetRequiredKeyedService<LlamaEngineService>(name));
        services.AddHealthChecks().Add(new HealthCheckRegistration(
            "llama-" + name, provider => new LlamaEngineHealthCheck(provider.GetRequiredKeyedService<LlamaEngineService>(name)), HealthStatus.Unhealthy, ["ready"]));
        return new LlamaEngineBuilder(services, name);
    }
}
