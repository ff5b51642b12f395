using Puna.Runtime.Chat;
using Puna.Runtime.Generation;
using Puna.Runtime.Serving;
using Puna.Tensors;
using Puna.Tests.Shared;

namespace Puna.Extensions.AI.Tests;

/// <summary>The embedded model on an engine, made once for a class of tests.</summary>
public sealed class EmbeddedEngine : IAsyncLifetime
{
    private readonly LanguageModel _model = LanguageModel.Open(TestFiles.EmbeddedModel);
    private readonly CpuOps _ops = new(2);

    public Engine Engine { get; private set; } = null!;

    public ChatEngine Chat { get; private set; } = null!;

    public ValueTask InitializeAsync()
    {
        Engine = Engine.Start(_model, _ops);
        Chat = new ChatEngine(Engine);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        _ops.Dispose();
        _model.Dispose();
    }
}
