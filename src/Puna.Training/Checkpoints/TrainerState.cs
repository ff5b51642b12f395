using Puna.Training.Data;

namespace Puna.Training.Checkpoints;

/// <summary>Everything of a run besides tensors that its next step depends on.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Updates">Updates of the optimiser: steps whose gradient was finite.</param>
/// <param name="Skipped">Steps in a row that were not.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="Data">Where the data stands.</param>
/// <param name="Config">Identity of the config the run began with.</param>
public sealed record TrainerState(long Step, long Updates, int Skipped, long Tokens, StreamState Data, string Config);
