using Puna.Tensors;

namespace Puna.Formats.Meta;

/// <summary>A tensor as a torch pickle describes it: a strided view of a storage. Nothing in it has been compared with a file.</summary>
/// <param name="Name">Key in the dictionary of tensors.</param>
/// <param name="StorageKey">Name of the storage; several tensors may share one.</param>
/// <param name="DType">Type of the values.</param>
/// <param name="StorageCount">Elements in the storage, at least 0.</param>
/// <param name="Offset">First element, at least 0.</param>
/// <param name="Size">Sizes, outermost first, each at least 0; at most <see cref="Shape.MaxRank"/> of them.</param>
/// <param name="Stride">Elements from one index to the next, per dimension, each at least 0.</param>
public sealed record TorchTensor(string Name, string StorageKey, DType DType, long StorageCount, long Offset, IReadOnlyList<long> Size, IReadOnlyList<long> Stride);
