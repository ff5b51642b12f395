using Puna.Training.Scaling;

namespace Puna.Training.Recipes.ScalingLaws;

/// <summary>A run of the table.</summary>
/// <param name="Name">Its folder.</param>
/// <param name="Model">Which model, from 0; the target is none.</param>
/// <param name="N">Parameters that every token meets: matrices of the blocks and the output layer, not the embedding's lookup and not norms.</param>
/// <param name="D">Tokens.</param>
/// <param name="Loss">Held-out loss at the end, nats per token.</param>
internal sealed record ScalingRun(string Name, int? Model, double N, double D, double Loss)
{
    /// <summary>Operations, 6 N D.</summary>
    public double Flops => 6 * N * D;

    public ScalingPoint Point() => new(N, D, Loss);
}
