using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Puna.Extensions.AI;

/// <summary>Healthy where the model is loaded, requests are taken, and the engine's thread goes round.</summary>
/// <param name="service">The engine.</param>
internal sealed class LlamaEngineHealthCheck(LlamaEngineService service) : IHealthCheck
{
    // A pass over a long prompt of a large model may take a while; a thread that is silent for longer hangs.
    private static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(30);

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        if (!service.IsReady)
        {
            return Task.FromResult(new HealthCheckResult(context.Registration.FailureStatus, "the model is not loaded, or the engine is ending"));
        }

        TimeSpan silence = service.Engine.Statistics().Heartbeat;
        return Task.FromResult(silence < LongestSilence ? HealthCheckResult.Healthy() : new HealthCheckResult(context.Registration.FailureStatus, $"the engine is silent for {silence.TotalSeconds:0} s"));
    }
}
