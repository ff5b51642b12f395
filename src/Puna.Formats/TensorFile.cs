using System.Diagnostics.CodeAnalysis;
using Puna.Tensors;

namespace Puna.Formats;

/// <summary>
/// An opened checkpoint in some format: names to tensors, lazily. Everything that names, sizes and places tensors has been validated when an instance
/// exists; values are read when they are used. Tensors stay valid until <see cref="Dispose()"/>. Not thread-safe while opening tensors.
/// </summary>
public abstract class TensorFile : IDisposable
{
    /// <summary>Path that was opened (a file, or the folder of a sharded checkpoint).</summary>
    public abstract string Path { get; }

    /// <summary>All tensors in the order of the file.</summary>
    public abstract IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The files that hold the tensors' bytes, as they were opened; empty where the bytes came from memory.</summary>
    public virtual IReadOnlyList<TensorSource> Sources => [];

    /// <summary>Whether there is a tensor of this name, and what the file says of it.</summary>
    public abstract bool TryGetInfo(string name, [NotNullWhen(true)] out TensorInfo? info);

    /// <summary>The tensor called <paramref name="name"/>, over the mapped file where the format allows it.</summary>
    /// <exception cref="FileFormatException">There is none of this name, or its bytes cannot be made a tensor.</exception>
    public abstract Tensor GetTensor(string name);

    /// <summary>Gives back memory that was allocated to hold this tensor alone (a copy with aligned values, parts put together), so that going through a large
    /// checkpoint does not take its size in memory; a view of the file stays. Neither the tensor nor others of its name may be used after.</summary>
    /// <param name="tensor">What <see cref="GetTensor"/> gave.</param>
    public virtual void Release(Tensor tensor)
    {
    }

    /// <summary>As <see cref="Release"/>, for good: the tensor cannot be asked for again, so that memory into which the file was read can go too.</summary>
    /// <param name="name">Name in the file.</param>
    /// <param name="tensor">What <see cref="GetTensor"/> gave.</param>
    public virtual void Discard(string name, Tensor tensor) => Release(tensor);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the files.</summary>
    protected abstract void Dispose(bool disposing);
}
