using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Puna.Tensors;

namespace Puna.Formats.Gguf;

/// <summary>Reads the little-endian primitives of a GGUF header in order; nothing is taken, or allocated, that the bytes left cannot hold.</summary>
internal ref struct GgufCursor
{
    /// <summary>A string longer than this is damage: the largest real ones (chat templates) have some kilobytes.</summary>
    private const int LongestString = 1 << 28;

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
            : throw new FileFormatException(_path, $"{what} {name}: expected at most {Left / leastBytes} in the {Left} bytes left, got {count}", at);
    }

    /// <summary>A length and as many bytes of UTF-8.</summary>
    /// <param name="longest">The most bytes.</param>
    /// <param name="what">What it is called in messages.</param>
    /// <param name="name">Name of what it belongs to.</param>
    /// <param name="index">Which of several it is, or -1.</param>
    public string String(int longest, string what, string name, int index = -1)
    {
        string[] one = new string[1];
        Strings(one, longest, what, name, index);
        return one[0];
    }

    /// <inheritdoc cref="String(int, string, string, int)"/>
    public string String(string what, string name) => String(LongestString, what, name);

    /// <summary>Strings of a length and UTF-8 each, as many as the array has room for.</summary>
    public void Strings(string[] values, string what, string name) => Strings(values, LongestString, what, name, first: 0);

    // A vocabulary has 400,000 strings and is read once, right after the start: by then the method would still run unoptimised.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Strings(string[] values, int longest, string what, string name, int first)
    {
        ReadOnlySpan<byte> left = _bytes[_at..];
        for (int i = 0; i < values.Length; i++)
        {
            ulong length = left.Length >= sizeof(ulong) ? BinaryPrimitives.ReadUInt64LittleEndian(left) : ulong.MaxValue;
            int most = Math.Min(longest, left.Length - sizeof(ulong));
            if (most < 0 || length > (ulong)most || !Utf8.IsValid(left.Slice(sizeof(ulong), (int)length)))
            {
                _at = _bytes.Length - left.Length;
                string title = Title(what, name, first < 0 ? first : first + i);
                string problem = most < 0 ? $"expected {sizeof(ulong)} more bytes, got {left.Length} before the end of the file"
                    : length > (ulong)most ? $"expected a string of at most {most} bytes, got one of {length}"
                    : "expected valid UTF-8";
                throw new FileFormatException(_path, $"{title}: {problem}", _at);
            }

            // For valid text the common encoder gives the same as a strict one, and is quicker with short strings.
            values[i] = Encoding.UTF8.GetString(left.Slice(sizeof(ulong), (int)length));
            left = left[(sizeof(ulong) + (int)length)..];
        }

        _at = _bytes.Length - left.Length;
    }

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
            throw new FileFormatException(_path, $"{what} {name}: expected {size} more bytes, got {Left} before the end of the file", _at);
        }
    }

    private static string Title(string what, string name, int index) => index < 0 ? $"{what} {name}" : $"{what} {name}[{index}]";
}
