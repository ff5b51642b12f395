using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Puna.Tensors;

namespace Puna.Formats.Safetensors;

/// <summary>
/// Walks JSON that nobody has checked yet: strict syntax, strict UTF-8, at most 64 levels, and every problem as one <see cref="FileFormatException"/> that
/// names the place. Values are taken in the order they come; nothing is built that the caller did not ask for.
/// </summary>
internal ref struct StrictJson
{
    private readonly string _path;
    private readonly string _what;
    private readonly long _start;
    private Utf8JsonReader _reader;

    /// <summary>Begins before the root value.</summary>
    /// <param name="json">The whole text.</param>
    /// <param name="path">Path of the file it is from.</param>
    /// <param name="what">What it is called in messages.</param>
    /// <param name="start">Where it begins in the file.</param>
    public StrictJson(ReadOnlySpan<byte> json, string path, string what, long start)
    {
        _path = path;
        _what = what;
        _start = start;
        if (!Utf8.IsValid(json))
        {
            throw new FileFormatException(path, $"{what}: expected valid UTF-8", start);
        }

        _reader = new Utf8JsonReader(json);
    }

    /// <summary>Byte offset of the current token in the file.</summary>
    public readonly long Position => _start + _reader.TokenStartIndex;

    /// <summary>Kind of the current token.</summary>
    public readonly JsonTokenType Token => _reader.TokenType;

    /// <summary>Goes to the next token and requires it to be of one kind.</summary>
    public void Expect(JsonTokenType type, string what)
    {
        Read();
        if (_reader.TokenType != type)
        {
            throw Wrong($"{what}: expected {Describe(type)}, got {Describe(_reader.TokenType)}");
        }
    }

    /// <summary>Goes to the next token; as an object, whose properties follow, it gives true, as null false, and anything else is an error.</summary>
    public bool ObjectOrNull(string what)
    {
        Read();
        return _reader.TokenType switch
        {
            JsonTokenType.StartObject => true,
            JsonTokenType.Null => false,
            _ => throw Wrong($"{what}: expected an object, got {Describe(_reader.TokenType)}"),
        };
    }

    /// <summary>Inside an object: the name of the next property, or false at its end.</summary>
    public bool NextProperty(out string name)
    {
        Read(); // inside an object this gives a name or the end, or throws
        bool more = _reader.TokenType == JsonTokenType.PropertyName;
        name = more ? Text() : string.Empty;
        return more;
    }

    /// <summary>The next value, which must be a string.</summary>
    public string String(string what)
    {
        Expect(JsonTokenType.String, what);
        return Text();
    }

    /// <summary>The next value, which must be an array of whole numbers from 0 to 2^63 - 1, no more than fit into <paramref name="values"/>; how many there
    /// are.</summary>
    public int Numbers(string what, scoped Span<long> values)
    {
        Expect(JsonTokenType.StartArray, what);
        int count = 0;
        for (Read(); _reader.TokenType != JsonTokenType.EndArray; Read())
        {
            if (_reader.TokenType != JsonTokenType.Number || _reader.ValueSpan[0] == (byte)'-' || !_reader.TryGetInt64(out long value))
            {
                string got = _reader.TokenType == JsonTokenType.Number ? Encoding.UTF8.GetString(_reader.ValueSpan) : Describe(_reader.TokenType);
                throw Wrong($"{what}: expected whole numbers from 0 to 2^63 - 1, got {got}");
            }

            if (count == values.Length)
            {
                throw Wrong($"{what}: expected at most {values.Length} numbers, got more");
            }

            values[count++] = value;
        }

        return count;
    }

    /// <summary>Passes over the next value, whatever it is.</summary>
    public void Skip()
    {
        try
        {
            _reader.Read();
            _reader.Skip();
        }
        catch (JsonException e)
        {
            throw Invalid(e);
        }
    }

    /// <summary>Requires that nothing but white space is left.</summary>
    public void End()
    {
        try
        {
            _reader.Read();
        }
        catch (JsonException e)
        {
            throw Invalid(e);
        }
    }

    /// <summary>An error at the current token.</summary>
    public readonly FileFormatException Wrong(string message) => new(_path, message, Position);

    private void Read()
    {
        try
        {
            if (!_reader.Read())
            {
                throw Wrong($"{_what}: expected more JSON, got its end");
            }
        }
        catch (JsonException e)
        {
            throw Invalid(e);
        }
    }

    private readonly string Text()
    {
        try
        {
            return _reader.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            // What the reader says of an escaped half of a surrogate pair.
            throw new FileFormatException(_path, $"{_what}: expected strings of valid Unicode", Position, e);
        }
    }

    private readonly FileFormatException Invalid(JsonException e) => new(_path, $"{_what}: expected valid JSON: {e.Message}", _start + _reader.BytesConsumed, e);

    private static string Describe(JsonTokenType type) => type switch
    {
        JsonTokenType.StartObject => "an object",
        JsonTokenType.StartArray => "an array",
        JsonTokenType.String => "a string",
        JsonTokenType.Number => "a number",
        JsonTokenType.True or JsonTokenType.False => "a truth value",
        JsonTokenType.Null => "null",
        _ => "nothing",
    };
}
