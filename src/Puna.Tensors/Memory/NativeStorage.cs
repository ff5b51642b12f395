using System.Runtime.InteropServices;

namespace Puna.Tensors;

/// <summary>Owned memory outside the managed heap, aligned to 64 bytes (a cache line and the widest vector).</summary>
public sealed unsafe class NativeStorage : Storage
{
    private const nuint Alignment = 64;
    private const nint HugePage = 2 << 20;

    [ThreadStatic]
    private static long _allocated;

    private static long _live;

    private nint _address;

    /// <summary>Allocates <paramref name="byteLength"/> bytes.</summary>
    /// <param name="byteLength">At least 0.</param>
    /// <param name="clear">Whether the bytes are set to zero; kernels that overwrite everything need not.</param>
    /// <exception cref="OutOfMemoryException">The system has no such memory.</exception>
    public NativeStorage(nint byteLength, bool clear = true)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        ByteLength = byteLength;
        nuint size = Math.Max((nuint)byteLength, 1);

        // Large memory in pages of 2 MB where the system has them: a kernel that streams through a gigabyte then meets 500 address translations instead of 250,000.
        bool isLarge = byteLength >= 2 * HugePage;
        _address = (nint)NativeMemory.AlignedAlloc(size, isLarge ? (nuint)HugePage : Alignment);
        if (isLarge)
        {
            Pages.PreferHuge(_address, byteLength);
        }

        if (clear)
        {
            NativeMemory.Clear((void*)_address, size);
        }

        GC.AddMemoryPressure(Math.Max(1, byteLength));
        _allocated += byteLength;
        Interlocked.Add(ref _live, byteLength);
    }

    /// <summary>Bytes the current thread has allocated so far, whether freed since or not; the twin of <see cref="GC.GetAllocatedBytesForCurrentThread"/>.</summary>
    public static long AllocatedBytesForCurrentThread => _allocated;

    /// <summary>Bytes of all memory of this kind that is not freed.</summary>
    public static long LiveBytes => Interlocked.Read(ref _live);

    /// <summary>Frees memory that nobody disposed.</summary>
    ~NativeStorage() => Dispose(false);

    /// <inheritdoc/>
    public override nint Address => _address;

    /// <inheritdoc/>
    public override nint ByteLength { get; }

    /// <inheritdoc/>
    public override bool IsWritable => true;

    /// <summary>Gives the memory of these bytes back to the system while the rest stays; what is read there afterwards is not what was there. Does nothing where that
    /// is not possible.</summary>
    /// <param name="byteOffset">First byte.</param>
    /// <param name="byteLength">Bytes; parts of a page at either end stay.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is not inside the storage.</exception>
    public void Discard(nint byteOffset, nint byteLength)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(byteLength);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(byteLength, ByteLength - byteOffset);
        Pages.DontNeed(_address + byteOffset, byteLength);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        nint address = Interlocked.Exchange(ref _address, 0);
        if (address != 0)
        {
            NativeMemory.AlignedFree((void*)address);
            Interlocked.Add(ref _live, -ByteLength);
            GC.RemoveMemoryPressure(Math.Max(1, ByteLength));
        }
    }
}
