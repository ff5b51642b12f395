namespace Puna.Hub;

/// <summary>What the endpoint says about a file beside its bytes.</summary>
/// <param name="Size"><c>X-Linked-Size</c>, or null.</param>
/// <param name="Sha256"><c>X-Linked-Etag</c> where it is a SHA-256 (files in large-file storage), lower-case hexadecimal; or null.</param>
/// <param name="Commit"><c>X-Repo-Commit</c>, or null.</param>
internal readonly record struct LinkedFile(long? Size, string? Sha256, string? Commit);
