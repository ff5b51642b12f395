using Puna.Runtime.Serving;
using Puna.Server;

namespace Puna.Extensions.AI.Tests;

/// <summary>The embedded model behind a server on a free port.</summary>
public sealed class ServedEngine : IAsyncLifetime
{
    private readonly EmbeddedEngine _embedded = new();
    private PunaServer? _server;

    /// <summary>Where it listens.</summary>
    public string Address => _server!.Address;

    /// <summary>The engine.</summary>
    public Engine Engine => _embedded.Engine;

    public async ValueTask InitializeAsync()
    {
        await _embedded.InitializeAsync();
        _server = PunaServer.Create(new PunaServerOptions { Port = 0, ApiKeys = ["key"] }, new ServedModel("puna-tiny", _embedded.Engine));
        await _server.StartAsync(TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        await _server!.StopAsync();
        await _server.DisposeAsync();
        await _embedded.DisposeAsync();
    }
}
