using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Gguf;

/// <summary>Reads the little-endian primitives of a GGUF header in order; nothing is taken, or allocated, that the bytes left cannot hold.</summary>
internal ref struct GgufCursor
{
    /// <summary>A string longer than this is damage: the largest real ones (chat templates) have some kilobytes.</summary>
    private const int LongestString = 1 << 28;

    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes;
    private readonly string _path;
    private int _at;

    /// <summary>Begins at the start of <paramref name="bytes"/>.</summary>
    /// <param name="bytes">The file, or its first 2^31 - 1 bytes.</param>
    /// <param name="path">Its path, for messages.</param>
    public GgufCursor(ReadOnlySpan<byte> bytes, string path)
    {
        _bytes = bytes;
        _path = path;
        _at = 0;
    }

    /// <summary>Bytes read so far: the offset in the file.</summary>
    public readonly int Position => _at;

    /// <summary>Bytes left.</summary>
    public readonly int Left => _bytes.Length - _at;

    /// <summary>The next number, in memory order (all supported processors are little-endian, as the file is).</summary>
    public T Read<T>(string what, string name)
        where T : unmanaged
    {
        int size = Unsafe.SizeOf<T>();
        Require(size, what, name);
        T value = MemoryMarshal.Read<T>(_bytes[_at..]);
        _at += size;
        return value;
    }

    /// <summary>A 64-bit count of things that take at least <paramref name="leastBytes"/> each, checked against the bytes left.</summary>
    public int Count(int leastBytes, string what, string name)
    {
        int at = _at;
        ulong count = Read<ulong>(what, name);
        return count <= (ulong)(Left / leastBytes)
            ? (int)count
            : throw new FileFormatException(_path, $"{Title(what, name)}: expected at most {Left / leastBytes} in the {Left} bytes left, got {count}", at);
    }

    /// <summary>A length and as many bytes of UTF-8.</summary>
    public string String(int longest, string what, string name, int index = -1)
    {
        if (Left < sizeof(ulong))
        {
            throw Short(sizeof(ulong), what, name, index);
        }

        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(_bytes[_at..]);
        if (length > (ulong)(Left - sizeof(ulong)) || length > (ulong)longest)
        {
            long most = Math.Min(longest, Left - sizeof(ulong));
            throw new FileFormatException(_path, $"{Title(what, name, index)}: expected a string of at most {most} bytes, got one of {length}", _at);
        }

        ReadOnlySpan<byte> text = _bytes.Slice(_at + sizeof(ulong), (int)length);
        try
        {
            string result = _strict.GetString(text);
            _at += sizeof(ulong) + text.Length;
            return result;
        }
        catch (DecoderFallbackException e)
        {
            throw new FileFormatException(_path, $"{Title(what, name, index)}: expected valid UTF-8", _at + sizeof(ulong), e);
        }
    }

    /// <inheritdoc cref="String(int, string, string, int)"/>
    public string String(string what, string name, int index = -1) => String(LongestString, what, name, index);

    /// <summary>The next <paramref name="count"/> numbers; the count has been checked against the bytes left.</summary>
    public T[] Array<T>(int count)
        where T : unmanaged
    {
        T[] values = GC.AllocateUninitializedArray<T>(count);
        Span<byte> bytes = MemoryMarshal.AsBytes(values.AsSpan());
        _bytes.Slice(_at, bytes.Length).CopyTo(bytes);
        _at += bytes.Length;
        return values;
    }

    /// <summary>The bytes behind the next <paramref name="count"/> ones, without going there.</summary>
    public readonly ReadOnlySpan<byte> Peek(int count) => _bytes.Slice(_at, Math.Min(count, Left));

    /// <summary>An error at byte <paramref name="at"/>.</summary>
    public readonly FileFormatException Wrong(string message, int at) => new(_path, message, at);

    private readonly void Require(int size, string what, string name)
    {
        if (Left < size)
        {
            throw Short(size, what, name, -1);
        }
    }

    private readonly FileFormatException Short(int size, string what, string name, int index) =>
        new(_path, $"{Title(what, name, index)}: expected {size} more bytes, got {Left} before the end of the file", _at);

    private static string Title(string what, string name, int index = -1) => index < 0 ? $"{what} {name}" : $"{what} {name}[{index}]";
}
