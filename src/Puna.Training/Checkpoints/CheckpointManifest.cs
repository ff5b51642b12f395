namespace Puna.Training.Checkpoints;

/// <summary>What a checkpoint consists of.</summary>
/// <param name="Version">Version of this layout.</param>
/// <param name="Files">All files but the manifest and the mark of completeness.</param>
public sealed record CheckpointManifest(int Version, IReadOnlyList<CheckpointEntry> Files);
