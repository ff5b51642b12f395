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
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;
using Puna.Server.Anthropic;
using Puna.Server.Http;
using Puna.Server.Ollama;
using Puna.Server.OpenAI;
using Puna.Server.Operations;
using Puna.Tensors;

namespace Puna.Server;

/// <summary>
/// Serves a model over HTTP: the APIs of OpenAI, Anthropic and Ollama, a page to chat in, health and metrics. Ending it lets requests finish that have begun.
/// </summary>
public sealed class PunaServer : IAsyncDisposable
{
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(20);

    private readonly WebApplication _app;
    private readonly PunaServerOptions _options;
    private readonly ServedModel _model;
    private readonly ServerState _state;

    private PunaServer(WebApplication app, PunaServerOptions options, ServedModel model, ServerState state) => (_app, _options, _model, _state) = (app, options, model, state);

    /// <summary>Where it listens, for example <c>http://127.0.0.1:8080</c>; of use once it is started.</summary>
    public string Address => _app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "";

    /// <summary>Whether a name or address is this machine's own.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host.Trim('[', ']'), out IPAddress? address) && IPAddress.IsLoopback(address));

    /// <summary>Checks what can be checked before a model is loaded.</summary>
    /// <exception cref="PunaException">A server would listen beyond this machine without a key, or the address is none.</exception>
    public static void Check(PunaServerOptions options)
    {
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
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        configure(builder);
        WebApplication app = builder.Build();
        var state = new ServerState();
        var metrics = new ServerMetrics(options.MetricsPrefix, model.Name, model.Engine);
        var host = new ModelHost(model, metrics, state);
        new ServerPipeline(options, new ApiKeys(options.ApiKeys), state, app.Services.GetRequiredService<ILogger<ServerPipeline>>()).Use(app);
        app.UseRouting();
        Map(app, host);
        return new PunaServer(app, options, model, state);
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

        int token = _model.Tokenizer.BosId ?? 0;
        using GenerationHandle warm = _model.Engine.Submit(new GenerationRequest { Prompt = [token], MaxTokens = 1, Sampling = SamplingOptions.Greedy }, cancel);
        await foreach (TokenEvent _ in warm.Events.ReadAllAsync(cancel))
        {
        }

        _state.IsReady = true;
    }

    /// <summary>Takes no more requests, lets those finish that have begun, for as long as the options say, and ends.</summary>
    public async Task StopAsync()
    {
        _state.IsDraining = true;
        long started = Environment.TickCount64;
        while (_state.Requests > 0 && Environment.TickCount64 - started < _options.DrainTimeout.TotalMilliseconds)
        {
            await Task.Delay(Round);
        }

        // What is left now is cut short, and told so.
        await _model.Engine.DrainAsync(TimeSpan.Zero);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(3));
        try
        {
            await _app.StopAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static void Map(WebApplication app, ModelHost host)
    {
        app.MapMethods("/", ["GET", "HEAD"], WebPage.Index).WithName("index");
        app.MapGet("/app.js", static http => WebPage.SendAsync(http, "app.js")).WithName("script");
        app.MapGet("/style.css", static http => WebPage.SendAsync(http, "style.css")).WithName("style");
        new HealthEndpoints(host).Map(app);
        new OpenAIEndpoints(host).Map(app);
        new AnthropicEndpoints(host).Map(app);
        new OllamaEndpoints(host).Map(app);
        new DebugEndpoints(host).Map(app);
        app.MapGet("/metrics", async http =>
        {
            http.Response.ContentType = "text/plain; version=0.0.4; charset=utf-8";
            await http.Response.WriteAsync(host.Metrics.Write(), http.RequestAborted);
        }).WithName("metrics");
    }

    private static void Listen(KestrelServerOptions kestrel, PunaServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxBodyBytes;
        kestrel.AllowSynchronousIO = false;
        kestrel.Listen(IPAddress.TryParse(options.Host.Trim('[', ']'), out IPAddress? address) ? address : IPAddress.Loopback, options.Port);
    }
}
