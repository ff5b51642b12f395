using System.Collections;
using System.Diagnostics.CodeAnalysis;
using Puna.Tensors;

namespace Puna.Formats.Gguf;

/// <summary>
/// The key-value part of a GGUF file, in file order. Reading is lenient about the width of numbers (writers differ) and strict about their meaning: an
/// integer that does not fit, or a value of another kind, is an error that names the key.
/// </summary>
public sealed class GgufMetadata : IReadOnlyCollection<KeyValuePair<string, GgufValue>>
{
    private readonly OrderedDictionary<string, GgufValue> _values = new(StringComparer.Ordinal);
    private readonly string _file;

    /// <summary>Creates an empty set.</summary>
    /// <param name="file">Path for error messages.</param>
    public GgufMetadata(string file = "gguf") => _file = file;

    /// <inheritdoc/>
    public int Count => _values.Count;

    /// <summary>Sets or replaces a value.</summary>
    public void Set(string key, GgufValue value) => _values[key] = value;

    /// <summary>Sets a value whose GGUF type follows from its .NET type (numbers, bool, string, and arrays of these).</summary>
    public void Set(string key, object value) => _values[key] = value switch
    {
        GgufValue ready => ready,
        Array array => new GgufValue(GgufValueType.Array, array, TypeOf(array.GetType().GetElementType()!)),
        _ => new GgufValue(TypeOf(value.GetType()), value),
    };

    /// <summary>Removes a value; whether it was there.</summary>
    public bool Remove(string key) => _values.Remove(key);

    /// <summary>Whether the key is present.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>The raw value of a key.</summary>
    public bool TryGet(string key, [NotNullWhen(true)] out GgufValue? value) => _values.TryGetValue(key, out value);

    /// <summary>A string, or null where the key is absent.</summary>
    public string? GetString(string key) => _values.TryGetValue(key, out GgufValue? v) ? v.Value as string ?? throw Wrong(key, "a string", v) : null;

    /// <summary>An integer of any width, or null where the key is absent.</summary>
    public long? GetInteger(string key) => _values.TryGetValue(key, out GgufValue? v) ? ToInteger(key, v.Value) : null;

    /// <summary>A floating-point number (or an integer) as double, or null where the key is absent.</summary>
    public double? GetNumber(string key) => !_values.TryGetValue(key, out GgufValue? v) ? null : v.Value switch
    {
        float f => f,
        double d => d,
        _ => ToInteger(key, v.Value),
    };

    /// <summary>A truth value, or null where the key is absent.</summary>
    public bool? GetBool(string key) => _values.TryGetValue(key, out GgufValue? v) ? v.Value as bool? ?? throw Wrong(key, "a bool", v) : null;

    /// <summary>An array of strings, or null where the key is absent.</summary>
    public string[]? GetStrings(string key) => _values.TryGetValue(key, out GgufValue? v) ? v.Value as string[] ?? throw Wrong(key, "an array of strings", v) : null;

    /// <summary>An array of floating-point numbers as float32, or null where the key is absent.</summary>
    public float[]? GetFloats(string key) => !_values.TryGetValue(key, out GgufValue? v) ? null : v.Value switch
    {
        float[] floats => floats,
        double[] doubles => Array.ConvertAll(doubles, x => (float)x),
        _ => throw Wrong(key, "an array of floating-point numbers", v),
    };

    /// <summary>An array of truth values, or null where the key is absent.</summary>
    public bool[]? GetBools(string key) => _values.TryGetValue(key, out GgufValue? v) ? v.Value as bool[] ?? throw Wrong(key, "an array of bools", v) : null;

    /// <summary>An array of integers of any width, or null where the key is absent.</summary>
    public long[]? GetIntegers(string key)
    {
        if (!_values.TryGetValue(key, out GgufValue? v))
        {
            return null;
        }

        // By the element type, not by the array's: the runtime lets an int[] pass for a uint[].
        return v.ElementType switch
        {
            GgufValueType.UInt8 => Array.ConvertAll((byte[])v.Value, x => (long)x),
            GgufValueType.Int8 => Array.ConvertAll((sbyte[])v.Value, x => (long)x),
            GgufValueType.UInt16 => Array.ConvertAll((ushort[])v.Value, x => (long)x),
            GgufValueType.Int16 => Array.ConvertAll((short[])v.Value, x => (long)x),
            GgufValueType.UInt32 => Array.ConvertAll((uint[])v.Value, x => (long)x),
            GgufValueType.Int32 => Array.ConvertAll((int[])v.Value, x => (long)x),
            GgufValueType.UInt64 => Array.ConvertAll((ulong[])v.Value, x => ToInteger(key, x)),
            GgufValueType.Int64 => [.. (long[])v.Value],
            _ => throw Wrong(key, "an array of integers", v),
        };
    }

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, GgufValue>> GetEnumerator() => _values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static GgufValueType TypeOf(Type type) =>
        type == typeof(byte) ? GgufValueType.UInt8
        : type == typeof(sbyte) ? GgufValueType.Int8
        : type == typeof(ushort) ? GgufValueType.UInt16
        : type == typeof(short) ? GgufValueType.Int16
        : type == typeof(uint) ? GgufValueType.UInt32
        : type == typeof(int) ? GgufValueType.Int32
        : type == typeof(float) ? GgufValueType.Float32
        : type == typeof(bool) ? GgufValueType.Bool
        : type == typeof(string) ? GgufValueType.String
        : type == typeof(ulong) ? GgufValueType.UInt64
        : type == typeof(long) ? GgufValueType.Int64
        : type == typeof(double) ? GgufValueType.Float64
        : type == typeof(GgufValue) ? GgufValueType.Array
        : throw new ArgumentException($"GGUF has no value type for {type}");

    private long ToInteger(string key, object value) => value switch
    {
        byte x => x,
        sbyte x => x,
        ushort x => x,
        short x => x,
        uint x => x,
        int x => x,
        long x => x,
        ulong x when x <= long.MaxValue => (long)x,
        _ => throw new FileFormatException(_file, $"metadata {key}: expected an integer that fits 63 bits, got {value}"),
    };

    private FileFormatException Wrong(string key, string expected, GgufValue got) =>
        new(_file, $"metadata {key}: expected {expected}, got {(got.Type == GgufValueType.Array ? $"an array of {got.ElementType}" : got.Type.ToString())}");
}
