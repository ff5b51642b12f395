namespace Puna.Tensors;

/// <summary>
/// A range of bytes outside the managed heap that tensors point into: owned memory, an arena, or a memory-mapped file. A pointer and a native-size
/// length, because a stacked tensor of experts is larger than a <see cref="Span{T}"/>; spans are taken per range.
/// </summary>
public abstract class Storage : IDisposable
{
    /// <summary>Address of the first byte; valid until <see cref="Dispose()"/>.</summary>
    public abstract nint Address { get; }

    /// <summary>Length in bytes.</summary>
    public abstract nint ByteLength { get; }

    /// <summary>Whether writing is allowed (not in a mapped file).</summary>
    public abstract bool IsWritable { get; }

    /// <summary>A view of <paramref name="count"/> elements from <paramref name="byteOffset"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the storage.</exception>
    /// <exception cref="ObjectDisposedException">The storage is gone.</exception>
    public Span<T> Span<T>(nint byteOffset, int count)
        where T : unmanaged
    {
        nint address = Address;
        ObjectDisposedException.ThrowIf(address == 0, this);
        return NativeSpan.Create<T>(address, ByteLength, byteOffset, count);
    }

    /// <summary>Says that these bytes are not needed for now, so that their pages need not stay in memory; they are read again when touched. Does nothing where
    /// that is not possible.</summary>
    /// <param name="byteOffset">First byte.</param>
    /// <param name="byteLength">Bytes.</param>
    public virtual void GiveBack(nint byteOffset, nint byteLength)
    {
    }

    /// <summary>Says that these bytes will be read soon, so that the system can begin to fetch what is not in memory. Does nothing where there is nothing to fetch.</summary>
    /// <param name="byteOffset">First byte.</param>
    /// <param name="byteLength">Bytes.</param>
    public virtual void Expect(nint byteOffset, nint byteLength)
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Gives the memory back; called once or more.</summary>
    protected abstract void Dispose(bool disposing);
}
