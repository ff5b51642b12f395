namespace Puna.Training.Checkpoints;

/// <summary>A file of a checkpoint.</summary>
/// <param name="Name">Name in the folder.</param>
/// <param name="Bytes">Length.</param>
/// <param name="Sha256">Checksum, hexadecimal.</param>
public sealed record CheckpointEntry(string Name, long Bytes, string Sha256);
