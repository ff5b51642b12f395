using System.Buffers;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using Puna.Tensors;

namespace Puna.Formats.Gguf;

/// <summary>Collects the header of a GGUF file: the writing twin of <see cref="GgufCursor"/>.</summary>
internal sealed class GgufHeaderBuffer
{
    private static readonly UTF8Encoding _strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly ArrayBufferWriter<byte> _bytes = new(1 << 16);

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Appends a number, little-endian.</summary>
    public void Write<T>(T value)
        where T : unmanaged
    {
        MemoryMarshal.Write(_bytes.GetSpan(Unsafe.SizeOf<T>()), in value);
        _bytes.Advance(Unsafe.SizeOf<T>());
    }

    /// <summary>Appends a 64-bit length and UTF-8.</summary>
    /// <exception cref="EncoderFallbackException">The text is not valid Unicode.</exception>
    public void Write(string text)
    {
        int length = _strict.GetByteCount(text);
        Write((ulong)length);
        _strict.GetBytes(text, _bytes.GetSpan(length));
        _bytes.Advance(length);
    }

    /// <summary>Appends a key with its value.</summary>
    /// <exception cref="PunaException">The value is not of the type it says, is no valid Unicode, or is nested too deep.</exception>
    public void Write(string key, GgufValue value)
    {
        try
        {
            if (_strict.GetByteCount(key) > GgufPart.MaxKeyBytes)
            {
                throw new ArgumentException($"its key is longer than {GgufPart.MaxKeyBytes} bytes");
            }

            Write(key);
            Write((uint)value.Type);
            WriteValue(value, 0);
        }
        catch (Exception e) when (e is InvalidCastException or NullReferenceException or ArgumentException)
        {
            throw new PunaException($"metadata {key}: expected a valid value of type {value.Type}, got {value.Value?.GetType().Name ?? "null"}: {e.Message}", e);
        }
    }

    /// <summary>Appends zeros up to a multiple of <paramref name="alignment"/>.</summary>
    public void Pad(int alignment)
    {
        int padding = (alignment - (_bytes.WrittenCount % alignment)) % alignment;
        _bytes.GetSpan(Math.Max(1, padding))[..padding].Clear();
        _bytes.Advance(padding);
    }

    private void WriteValue(GgufValue value, int depth)
    {
        switch (value.Type)
        {
            case GgufValueType.UInt8: Write((byte)value.Value); break;
            case GgufValueType.Int8: Write((sbyte)value.Value); break;
            case GgufValueType.UInt16: Write((ushort)value.Value); break;
            case GgufValueType.Int16: Write((short)value.Value); break;
            case GgufValueType.UInt32: Write((uint)value.Value); break;
            case GgufValueType.Int32: Write((int)value.Value); break;
            case GgufValueType.UInt64: Write((ulong)value.Value); break;
            case GgufValueType.Int64: Write((long)value.Value); break;
            case GgufValueType.Float32: Write((float)value.Value); break;
            case GgufValueType.Float64: Write((double)value.Value); break;
            case GgufValueType.Bool: Write((byte)((bool)value.Value ? 1 : 0)); break;
            case GgufValueType.String: Write((string)value.Value); break;
            case GgufValueType.Array: WriteArray(value, depth + 1); break;
            default: throw new ArgumentException($"unknown value type {(uint)value.Type}");
        }
    }

    private void WriteArray(GgufValue value, int depth)
    {
        if (depth > GgufPart.MaxDepth)
        {
            throw new ArgumentException($"arrays are nested more than {GgufPart.MaxDepth} deep");
        }

        var array = (Array)value.Value;
        Write((uint)value.ElementType.GetValueOrDefault());
        Write((ulong)array.Length);
        switch (value.ElementType)
        {
            // Arrays of the same width convert into each other by a cast, so the exact element type is asked for.
            case GgufValueType.UInt8: WriteAll<byte>(array); break;
            case GgufValueType.Int8: WriteAll<sbyte>(array); break;
            case GgufValueType.UInt16: WriteAll<ushort>(array); break;
            case GgufValueType.Int16: WriteAll<short>(array); break;
            case GgufValueType.UInt32: WriteAll<uint>(array); break;
            case GgufValueType.Int32: WriteAll<int>(array); break;
            case GgufValueType.UInt64: WriteAll<ulong>(array); break;
            case GgufValueType.Int64: WriteAll<long>(array); break;
            case GgufValueType.Float32: WriteAll<float>(array); break;
            case GgufValueType.Float64: WriteAll<double>(array); break;
            case GgufValueType.Bool: WriteAll<bool>(array); break;
            case GgufValueType.String:
                foreach (string text in (string[])array)
                {
                    Write(text);
                }

                break;
            case GgufValueType.Array:
                foreach (GgufValue inner in (GgufValue[])array)
                {
                    if (inner.Type != GgufValueType.Array)
                    {
                        throw new ArgumentException("an array of arrays holds something else");
                    }

                    WriteArray(inner, depth + 1);
                }

                break;
            default: throw new ArgumentException("an array without a type of its elements");
        }
    }

    private void WriteAll<T>(Array array)
        where T : unmanaged
    {
        if (array.GetType().GetElementType() != typeof(T))
        {
            throw new InvalidCastException($"its elements are {array.GetType().GetElementType()}");
        }

        _bytes.Write(MemoryMarshal.AsBytes(((T[])array).AsSpan()));
    }
}
