using Puna.Tensors;

namespace Puna.Formats;

/// <summary>A file that holds bytes of tensors.</summary>
/// <param name="Path">Its path.</param>
/// <param name="Bytes">Its content, mapped or read; belongs to the <see cref="TensorFile"/>.</param>
public sealed record TensorSource(string Path, Storage Bytes);
