namespace Puna.Hub;

/// <summary>The local files of a model: complete, checked, and under their final names.</summary>
/// <param name="Reference">The name that was asked for.</param>
/// <param name="Commit">The exact revision on the hub (a commit id, lower-case hexadecimal).</param>
/// <param name="Folder">Local folder that mirrors the repository at that commit.</param>
/// <param name="Path">
/// What to open as a model: a <c>.gguf</c> file (the first part of a split one), a folder in Hugging Face or Meta layout, or the one file that was named.
/// </param>
/// <param name="Files">Full local paths of all files that belong to it.</param>
public sealed record ModelFiles(ModelReference Reference, string Commit, string Folder, string Path, IReadOnlyList<string> Files);
