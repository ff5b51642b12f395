using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Puna.Extensions.AI;

/// <summary>Healthy where the model is loaded, requests are taken, and the engine is well: what it says of itself (<see cref="Runtime.Serving.Engine.IsWell"/>), whose limits know how long a step may take.</summary>
/// <param name="service">The engine.</param>
internal sealed class LlamaEngineHealthCheck(LlamaEngineService service) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string? what = !service.IsReady ? "the model is not loaded, or the engine is ending"
            : service.Engine.IsWell ? null
            : "the engine has ended by an error, or a step takes too long";
        return Task.FromResult(what is null ? HealthCheckResult.Healthy() : new HealthCheckResult(context.Registration.FailureStatus, what));
    }
}
