using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Puna.Models.Adapters;
using Puna.Runtime.Chat;
using Puna.Runtime.Filtering;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Tensors;

namespace Puna.Extensions.AI;

/// <summary>
/// An engine of a service collection, with its model and threads. A host loads the model before it has started, and lets requests end before it has stopped; without a host the model is loaded by the
/// first who asks for it. Thread-safe.
/// </summary>
public sealed class LlamaEngineService : IHostedLifecycleService, IAsyncDisposable, IDisposable
{
    private readonly LlamaEngineOptions _options;
    private readonly IContentFilter? _filter;
    private readonly Lazy<Loaded> _loaded;

    internal LlamaEngineService(string name, IOptionsMonitor<LlamaEngineOptions> options, IContentFilter? filter, TimeProvider? time)
    {
        (Name, _options, _filter) = (name, options.Get(name), filter);
        _loaded = new Lazy<Loaded>(() => Load(_options, time));
    }

    /// <summary>The name it was registered by.</summary>
    public string Name { get; }

    /// <summary>Whether the model is loaded and requests are taken.</summary>
    public bool IsReady => _loaded.IsValueCreated && !_loaded.Value.Engine.IsDraining;

    /// <summary>The engine; loads the model where that is not done.</summary>
    /// <exception cref="PunaException">The model cannot be loaded.</exception>
    public Engine Engine => _loaded.Value.Engine;

    /// <summary>Conversations on it.</summary>
    /// <exception cref="PunaException">The model cannot be loaded, or has no chat format.</exception>
    public ChatEngine Chat => _loaded.Value.Chat(_filter);

    /// <summary>Adapters beside the model's weights, by name.</summary>
    /// <exception cref="PunaException">The model or an adapter cannot be loaded.</exception>
    public IReadOnlyDictionary<string, UnmergedAdapter> Adapters => _loaded.Value.Adapters;

    internal LlamaEngineOptions Options => _options;

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.Run(() => _loaded.Value, cancellationToken);

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppingAsync(CancellationToken cancellationToken) => _loaded.IsValueCreated ? _loaded.Value.Engine.DrainAsync(_options.DrainTimeout) : Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_loaded.IsValueCreated)
        {
            await _loaded.Value.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    private static Loaded Load(LlamaEngineOptions options, TimeProvider? time)
    {
        CpuOps ops = options.Threads is int threads ? new CpuOps(threads) : new CpuOps();
        LanguageModel? model = null;
        try
        {
            model = options.OpenModel?.Invoke(ops) ?? LanguageModel.Open(options.ModelPath!, map: true, ops);
            LanguageModel opened = model;
            var adapters = options.Adapters.ToDictionary(static a => a.Key, a => UnmergedAdapter.Open(a.Value, opened.Checkpoint, ops), StringComparer.Ordinal);
            return new Loaded(ops, model, Engine.Start(model, ops, options.ToEngine(), time), adapters);
        }
        catch
        {
            model?.Dispose();
            ops.Dispose();
            throw;
        }
    }

    private sealed class Loaded(CpuOps ops, LanguageModel model, Engine engine, IReadOnlyDictionary<string, UnmergedAdapter> adapters) : IAsyncDisposable
    {
        private readonly Lock _lock = new();
        private ChatEngine? _chat;
        private int _isDisposed;

        public Engine Engine => engine;

        public IReadOnlyDictionary<string, UnmergedAdapter> Adapters => adapters;

        public ChatEngine Chat(IContentFilter? filter)
        {
            lock (_lock)
            {
                return _chat ??= new ChatEngine(engine, filter);
            }
        }

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 0)
            {
                await engine.DisposeAsync().ConfigureAwait(false);
                model.Dispose();
                ops.Dispose();
            }
        }
    }
}
