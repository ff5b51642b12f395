using System.Buffers.Binary;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Packed;

/// <summary>Reads the header of a file of packed weights, field after field, never behind its end.</summary>
/// <param name="bytes">The header.</param>
/// <param name="path">Path of the file, for messages.</param>
internal ref struct PackedCursor(ReadOnlySpan<byte> bytes, string path)
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    /// <summary>Where the next field begins.</summary>
    public int Position { get; set; }

    /// <summary>The next bytes.</summary>
    public ReadOnlySpan<byte> Take(int count, string what)
    {
        if (count > _bytes.Length - Position)
        {
            throw Wrong($"packed weights {what}: expected {count} bytes inside the header, got {_bytes.Length - Position}", Position);
        }

        ReadOnlySpan<byte> taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }

    /// <summary>A 32-bit integer.</summary>
    public int Int32(string what) => BinaryPrimitives.ReadInt32LittleEndian(Take(sizeof(int), what));

    /// <summary>A 64-bit integer.</summary>
    public long Int64(string what) => BinaryPrimitives.ReadInt64LittleEndian(Take(sizeof(long), what));

    /// <summary>A number of things that take some bytes each, so that there cannot be more than the header has room for.</summary>
    public int Count(int leastBytes, string what)
    {
        int at = Position;
        int count = Int32(what);
        return count >= 0 && count <= (_bytes.Length - Position) / leastBytes ? count : throw Wrong($"packed weights {what}: expected as many as the header has room for, got {count}", at);
    }

    /// <summary>Text in UTF-8 behind its length in 16 bits.</summary>
    public string Text(int most, string what)
    {
        int at = Position;
        int length = BinaryPrimitives.ReadUInt16LittleEndian(Take(sizeof(ushort), what));
        if (length == 0 || length > most)
        {
            throw Wrong($"packed weights {what}: expected 1 to {most} bytes, got {length}", at);
        }

        try
        {
            return Strict.GetString(Take(length, what));
        }
        catch (DecoderFallbackException e)
        {
            throw new FileFormatException(path, $"packed weights {what}: expected text in UTF-8, got other bytes", at, e);
        }
    }

    /// <summary>The exception for something wrong.</summary>
    public readonly FileFormatException Wrong(string message, long at) => new(path, message, at);
}
