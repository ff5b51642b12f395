namespace Puna.Hub;

/// <summary>The files of a repository that make up the model asked for.</summary>
/// <param name="Files">What to fetch.</param>
/// <param name="Open">Path in the repository of the file or folder to open; empty for the repository's own folder.</param>
internal readonly record struct ChosenFiles(IReadOnlyList<HubFile> Files, string Open);
