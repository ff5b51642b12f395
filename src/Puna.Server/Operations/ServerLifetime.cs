using Microsoft.Extensions.Hosting;
using Puna.Runtime.Sampling;
using Puna.Runtime.Serving;

namespace Puna.Server.Operations;

/// <summary>Lets the model say a word when the application has started, and requests end that have begun when it stops: until then it still answers, with errors that say so.</summary>
internal sealed class ServerLifetime(ServedModel model, ServerState state, TimeSpan drainTimeout) : IHostedLifecycleService
{
    private static readonly TimeSpan Round = TimeSpan.FromMilliseconds(20);

    /// <inheritdoc/>
    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        int token = model.Tokenizer.BosId ?? 0;
        using GenerationHandle warm = model.Engine.Submit(new GenerationRequest { Prompt = [token], MaxTokens = 1, Sampling = SamplingOptions.Greedy }, cancellationToken);
        await foreach (TokenEvent _ in warm.Events.ReadAllAsync(cancellationToken))
        {
        }

        state.IsReady = true;
    }

    /// <inheritdoc/>
    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        state.IsDraining = true;
        long started = Environment.TickCount64;
        while (state.Requests > 0 && Environment.TickCount64 - started < drainTimeout.TotalMilliseconds && !cancellationToken.IsCancellationRequested)
        {
            await Task.Delay(Round, CancellationToken.None);
        }

        // What is left now is cut short, and told so.
        await model.Engine.DrainAsync(TimeSpan.Zero);
    }

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
