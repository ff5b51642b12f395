namespace Puna.Hub;

/// <summary>A file of a repository as the hub lists it. Everything here is what a server says, not what is so.</summary>
/// <param name="Path">Path in the repository with <c>/</c>; never one that <see cref="SafePath.Escape"/> objects to.</param>
/// <param name="Size">Size in bytes, or null where the hub does not say.</param>
/// <param name="Sha256">Lower-case hexadecimal SHA-256, or null (small files that are not in large-file storage).</param>
internal sealed record HubFile(string Path, long? Size, string? Sha256);
