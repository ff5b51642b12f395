using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Puna.Server.Http;
using Puna.Server.Operations;
using Puna.Tensors;

namespace Puna.Server;

/// <summary>
/// Serves a model over HTTP: the APIs of OpenAI, Anthropic and Ollama, a page to chat in, health and metrics. Ending it lets requests finish that have begun.
/// </summary>
public sealed class PunaServer : IAsyncDisposable
{
    private const long Body = 32 << 20;
    private const long BodyWithImages = 64 << 20;

    private readonly WebApplication _app;
    private readonly PunaServerOptions _options;
    private readonly ServerState _state;

    private PunaServer(WebApplication app, PunaServerOptions options, ServerState state) => (_app, _options, _state) = (app, options, state);

    /// <summary>Where it listens, for example <c>http://127.0.0.1:8080</c>; of use once it is started.</summary>
    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";

    /// <summary>Names of all endpoints, for tests.</summary>
    internal IEnumerable<string> EndpointNames => Routes.Select(static e => e.Metadata.GetMetadata<IEndpointNameMetadata>()?.EndpointName ?? "none");

    /// <summary>Method and path of all endpoints, for tests.</summary>
    internal IEnumerable<(string Method, string Path)> Endpoints =>
        Routes.SelectMany(static e => e.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods.Select(m => (m, "/" + e.RoutePattern.RawText!.Trim('/').Replace("{**id}", "default", StringComparison.Ordinal))));

    private IEnumerable<RouteEndpoint> Routes => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(static d => d.Endpoints).OfType<RouteEndpoint>();

    /// <summary>Whether a name or address is this machine's own.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    /// <summary>Checks what can be checked before a model is loaded.</summary>
    /// <exception cref="PunaException">A server would listen beyond this machine without a key, or the address is none.</exception>
    public static void Check(PunaServerOptions options)
    {
        TelemetryExport.Check(options.OtlpEndpoint);
        _ = new Origins(options.AllowedOrigins, isOpen: true);
        if (!IPAddress.TryParse(options.Host.Trim('[', ']'), out _) && !options.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            throw new PunaException($"host {options.Host}: expected an address or localhost, got another name");
        }

        if (!IsLoopback(options.Host) && options.ApiKeys.Count == 0 && !options.IsInsecure)
        {
            throw new PunaException($"host {options.Host}: expected a key with an address that other machines reach (--api-key), got none");
        }
    }

    /// <summary>Prepares a server.</summary>
    /// <param name="options">How it works.</param>
    /// <param name="model">What it serves; not owned.</param>
    /// <exception cref="PunaException">It would listen beyond this machine without a key, or the address is none.</exception>
    public static PunaServer Create(PunaServerOptions options, ServedModel model) => Create(options, model, static _ => { });

    /// <summary>Prepares a server on something else than sockets, for tests.</summary>
    internal static PunaServer Create(PunaServerOptions options, ServedModel model, Action<WebApplicationBuilder> configure)
    {
        Check(options);
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Logging.ClearProviders();
        builder.Logging.AddSimpleConsole(static o => o.SingleLine = true).SetMinimumLevel(LogLevel.Warning);
        builder.Services.Configure<Microsoft.Extensions.Logging.Console.ConsoleLoggerOptions>(static o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options, model.Chat?.SeesImages == true ? BodyWithImages : Body));
        TelemetryExport.Add(builder, options.OtlpEndpoint, options.OtlpProtocol);
        configure(builder);
        builder.Services.AddPunaServer(model, options);
        WebApplication app = builder.Build();

        // Routing comes first, so that errors have the shape of the API that a path belongs to; paths of nothing need the key too.
        app.UseRouting();
        app.Use(app.Services.GetRequiredService<ServerPipeline>().InvokeAsync);
        Map(app);
        return new PunaServer(app, options, app.Services.GetRequiredService<ServerState>());
    }

    /// <summary>Begins to listen, and then lets the model say a word: <c>/health</c> is well when it has.</summary>
    /// <exception cref="PunaException">The address cannot be listened on.</exception>
    public async Task StartAsync(CancellationToken cancel = default)
    {
        try
        {
            await _app.StartAsync(cancel);
        }
        catch (Exception e) when (e is IOException or System.Net.Sockets.SocketException or InvalidOperationException)
        {
            throw new PunaException($"address {_options.Host}:{_options.Port}: cannot be listened on: {e.Message}", e);
        }
    }

    /// <summary>Takes no more requests, lets those finish that have begun, for as long as the options say, and ends.</summary>
    public async Task StopAsync()
    {
        _state.IsDraining = true;
        try
        {
            await _app.StopAsync();
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static void Map(WebApplication app)
    {
        app.MapMethods("/", ["GET", "HEAD"], WebPage.Index).WithName("index");
        app.MapGet("/app.js", static http => WebPage.SendAsync(http, "app.js")).WithName("script");
        app.MapGet("/style.css", static http => WebPage.SendAsync(http, "style.css")).WithName("style");
        app.MapLlamaHealth();
        app.MapOpenAI();
        app.MapAnthropic();
        app.MapOllama();
        app.MapLlamaMetrics();
        app.MapPunaOpenApi();
    }

    private static void Listen(KestrelServerOptions kestrel, PunaServerOptions options, long body)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes ?? body;
        kestrel.AllowSynchronousIO = false;
        kestrel.Listen(IPAddress.TryParse(options.Host.Trim('[', ']'), out IPAddress? address) ? address : IPAddress.Loopback, options.Port);
    }
}
