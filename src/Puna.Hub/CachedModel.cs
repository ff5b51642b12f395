namespace Puna.Hub;

/// <summary>One revision of a model in the local cache.</summary>
/// <param name="Name"><c>owner/name</c>.</param>
/// <param name="Revision">The branch or tag that points to it, several separated by <c>, </c>; the commit where none does any more.</param>
/// <param name="Commit">Commit id on the hub.</param>
/// <param name="Folder">Local folder.</param>
/// <param name="Files">Names of the complete files, relative to the folder, with <c>/</c>.</param>
/// <param name="Bytes">Size of the complete files.</param>
/// <param name="PartialBytes">Size of interrupted downloads that the next pull goes on with.</param>
/// <param name="LastUsed">When the model was last pulled or opened by name (UTC).</param>
public sealed record CachedModel(
    string Name, string Revision, string Commit, string Folder, IReadOnlyList<string> Files, long Bytes, long PartialBytes, DateTime LastUsed);
