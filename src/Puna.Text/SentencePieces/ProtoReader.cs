using System.Buffers.Binary;
using Puna.Tensors;

namespace Puna.Text.SentencePieces;

/// <summary>
/// Walks the fields of one protocol buffer message. Knows the wire types 0, 1, 2 and 5; every length is checked against what is left, nested messages are read
/// only where the caller asks for them, so depth is what the caller's code has.
/// </summary>
/// <param name="content">The message.</param>
/// <param name="file">Path for error messages.</param>
/// <param name="origin">Offset of the message in the file.</param>
internal ref struct ProtoReader(ReadOnlySpan<byte> content, string file, long origin)
{
    private readonly ReadOnlySpan<byte> _content = content;
    private int _at;

    /// <summary>Number of the current field.</summary>
    public int Field { get; private set; }

    /// <summary>Value of the current field where it is a varint or fixed number; the bits of a float.</summary>
    public ulong Number { get; private set; }

    /// <summary>Bytes of the current field where it is a string or a message.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    /// <summary>Wire type of the current field.</summary>
    public int WireType { get; private set; }

    /// <summary>Offset in the file of the current field's value.</summary>
    public long Offset { get; private set; }

    /// <summary>Goes to the next field.</summary>
    /// <returns>False at the end of the message.</returns>
    /// <exception cref="FileFormatException">The bytes are no protocol buffer.</exception>
    public bool Read()
    {
        if (_at == _content.Length)
        {
            return false;
        }

        ulong key = Varint();
        Field = key >> 3 <= int.MaxValue ? (int)(key >> 3) : 0;
        WireType = (int)(key & 7);
        if (Field == 0)
        {
            throw Error("field number: expected 1 or more, got 0");
        }

        Offset = origin + _at;
        Bytes = default;
        Number = 0;
        switch (WireType)
        {
            case 0:
                Number = Varint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadUInt64LittleEndian(Take(8));
                break;
            case 2:
                ulong length = Varint();
                Offset = origin + _at;
                Bytes = Take(length);
                break;
            case 5:
                Number = BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
                break;
            default:
                throw Error($"wire type of field {Field}: expected 0, 1, 2 or 5, got {WireType}");
        }

        return true;
    }

    /// <summary>The current field as a float; it must be a fixed 32-bit number.</summary>
    public readonly float Float() => Expect(5, "a 32-bit float") ? BitConverter.UInt32BitsToSingle((uint)Number) : 0;

    /// <summary>The current field as an integer that fits 32 bits, negative ones included.</summary>
    public readonly int Integer() => Expect(0, "an integer") && (long)Number is >= int.MinValue and <= int.MaxValue
        ? (int)(long)Number
        : throw Error($"field {Field}: expected a 32-bit integer, got {(long)Number}");

    /// <summary>The current field as a truth value.</summary>
    public readonly bool Flag() => Expect(0, "a truth value") && Number != 0;

    /// <summary>The current field as a string or message.</summary>
    public readonly ReadOnlySpan<byte> Text() => Expect(2, "a string or message") ? Bytes : default;

    private readonly bool Expect(int wireType, string what) =>
        WireType == wireType ? true : throw Error($"field {Field}: expected {what}, got wire type {WireType}");

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 70; shift += 7)
        {
            if (_at == _content.Length)
            {
                throw Error("number: expected more bytes, got the end of its message");
            }

            byte next = _content[_at++];
            value |= shift < 64 ? (ulong)(next & 0x7F) << shift : 0;
            if (next < 0x80)
            {
                return value;
            }
        }

        throw Error("number: expected at most 10 bytes, got more");
    }

    private ReadOnlySpan<byte> Take(ulong count)
    {
        if (count > (ulong)(_content.Length - _at))
        {
            throw Error($"length of field {Field}: expected at most {_content.Length - _at}, got {count}");
        }

        ReadOnlySpan<byte> taken = _content.Slice(_at, (int)count);
        _at += (int)count;
        return taken;
    }

    private readonly FileFormatException Error(string message) => new(file, message, origin + _at);
}
