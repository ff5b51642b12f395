using System.Runtime.CompilerServices;

namespace Puna.Tensors;

/// <summary>The one place where an address becomes a span, after its range has been checked.</summary>
internal static unsafe class NativeSpan
{
    public static Span<T> Create<T>(nint address, nint byteLength, nint byteOffset, int count)
        where T : unmanaged
    {
        ArgumentOutOfRangeException.ThrowIfNegative(byteOffset);
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (byteOffset > byteLength || (nint)count > (byteLength - byteOffset) / Unsafe.SizeOf<T>())
        {
            throw new ArgumentOutOfRangeException(nameof(count), $"{count} elements of {Unsafe.SizeOf<T>()} bytes at {byteOffset} are not inside {byteLength} bytes");
        }

        return new Span<T>((void*)(address + byteOffset), count);
    }
}
