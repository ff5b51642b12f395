using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Puna.Tensors;

namespace Puna.Server.Operations;

/// <summary>Sends traces and metrics to a collector by OTLP, where one is named: by the options of the server or by OpenTelemetry's environment variables. Otherwise nothing of it is even set up.</summary>
internal static class TelemetryExport
{
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    private static readonly string[] Endpoints = [Endpoint, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"];

    /// <summary>Checks the address of a collector.</summary>
    /// <exception cref="PunaException">It is no address of http or https.</exception>
    public static void Check(string? endpoint)
    {
        if (endpoint is not null && !(Uri.TryCreate(endpoint, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https"))
        {
            throw new PunaException($"collector {PunaException.OneLine(endpoint)}: expected an address that begins with http:// or https://, got another");
        }
    }

    /// <summary>Sets it up where a collector is named.</summary>
    /// <param name="builder">The server that is being built.</param>
    /// <param name="endpoint">The collector, or null to look at the environment.</param>
    /// <param name="protocol">How to send, or null to look at the environment.</param>
    public static void Add(WebApplicationBuilder builder, string? endpoint, string? protocol)
    {
        if (endpoint is not null)
        {
            builder.Configuration.AddInMemoryCollection([new(Endpoint, endpoint)]);
        }

        if (protocol is not null)
        {
            builder.Configuration.AddInMemoryCollection([new("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]);
        }

        if (!Array.Exists(Endpoints, name => !string.IsNullOrEmpty(builder.Configuration[name])))
        {
            return;
        }

        // The service's name may be set by OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES; they are read after this and win.
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(static resource => resource.AddService("puna", serviceVersion: typeof(TelemetryExport).Assembly.GetName().Version?.ToString(3)).AddEnvironmentVariableDetector())
            .WithTracing(static tracing => tracing.AddSource(ServerTelemetry.Name)
                .AddAspNetCoreInstrumentation(static o => o.Filter = static http => !http.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal) && http.Request.Path != "/metrics")
                .AddOtlpExporter())
            .WithMetrics(static metrics => metrics.AddMeter(ServerTelemetry.Name, "Microsoft.AspNetCore.Hosting").AddOtlpExporter());
    }
}
