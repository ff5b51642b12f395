using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Puna.Text.Tools;

/// <summary>
/// Reads <c>[f(a=1), g(b="x")]</c>: a list of calls whose arguments are literals of Python, or of JSON. Linear, by hand, nothing is evaluated.
/// </summary>
internal sealed class PythonCallReader(string text, ToolCatalog tools)
{
    private static readonly object Failed = new();
    private int _at;
    private int _depth;

    /// <summary>The calls, or null where the text is no such list or names a tool that there is not.</summary>
    public IReadOnlyList<ToolCall>? ReadList()
    {
        var calls = new List<ToolCall>();
        if (!Take('['))
            return null;
        while (!Take(']'))
        {
            if (calls.Count > 0 && !Take(','))
                return null;
            if (calls.Count > 0 && Take(']'))
                break;
            if (ReadCall() is not { } call)
                return null;
            calls.Add(call);
        }

        return calls.Count > 0 && IsEnd() ? calls : null;
    }

    private ToolCall? ReadCall()
    {
        if (tools.Find(Name()) is not { } tool || !Take('('))
            return null;
        var arguments = new List<KeyValuePair<string, object?>>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        bool isNamed = false;
        while (!Take(')'))
        {
            if (arguments.Count > 0 && !Take(','))
                return null;
            if (arguments.Count > 0 && Take(')'))
                break;
            int start = _at;
            string name = Name();
            bool hasName = name.Length > 0 && Peek() == '=';
            if (hasName)
            {
                Take('=');
                isNamed = true;
            }
            else
            {
                // By its place, in the order of the declaration.
                _at = start;
                if (isNamed || arguments.Count >= tool.Parameters.Count)
                    return null;
                name = tool.Parameters[arguments.Count];
            }

            object? value = Value();
            if (value == Failed || !names.Add(name))
                return null;
            arguments.Add(new(name, value));
        }

        return new ToolCall(tool.Name, ChatJson.Write(writer =>
        {
            writer.WriteStartObject();
            foreach ((string name, object? value) in arguments)
            {
                writer.WritePropertyName(name);
                Write(writer, value);
            }

            writer.WriteEndObject();
        }));
    }

    private object? Value()
    {
        if (++_depth > CallScanner.MostDepth)
            return Failed;
        object? value = Peek() switch
        {
            '"' or '\'' => Strings(),
            '[' => Sequence('[', ']'),
            '(' => Sequence('(', ')'),
            '{' => Dict(),
            '-' or '+' or '.' or (>= '0' and <= '9') => Number(),
            _ => Word(),
        };
        _depth--;
        return value;
    }

    private object? Word() => Name() switch
    {
        "True" or "true" => true,
        "False" or "false" => false,
        "None" or "null" => null,
        _ => Failed,
    };

    private object Number()
    {
        int start = _at;
        while (_at < text.Length && (char.IsAsciiDigit(text[_at]) || text[_at] is '.' or '_' or '-' or '+' or 'e' or 'E'))
            _at++;
        string number = text[start.._at];
        number = number.Contains("__", StringComparison.Ordinal) || number.EndsWith('_') ? "" : number.Replace("_", "", StringComparison.Ordinal);
        if (number.Length is 0 or > 4300)
            return Failed;
        if (number.AsSpan().IndexOfAny(".eE") < 0)
        {
            bool isInteger = BigInteger.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out BigInteger integer);
            string digits = number.TrimStart('+', '-');
            return isInteger && (digits.Length == 1 || digits[0] != '0' || integer.IsZero) ? integer : Failed;
        }

        const NumberStyles Styles = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        return double.TryParse(number, Styles, CultureInfo.InvariantCulture, out double real) && double.IsFinite(real) ? real : Failed;
    }

    private object? Strings()
    {
        var value = new StringBuilder();
        while (Peek() is '"' or '\'')
        {
            // Literals one after the other are one string.
            char quote = text[_at++];
            while (_at < text.Length && text[_at] != quote)
            {
                if (text[_at] == '\\')
                {
                    if (!Escape(value))
                        return Failed;
                }
                else if (text[_at] == '\n')
                {
                    return Failed;
                }
                else
                {
                    value.Append(text[_at++]);
                }
            }

            if (_at++ >= text.Length)
                return Failed;
        }

        return value.ToString();
    }

    /// <summary>Appends what an escape stands for and moves behind it; false where it is cut off.</summary>
    private bool Escape(StringBuilder value)
    {
        if (++_at >= text.Length)
            return false;
        char c = text[_at++];
        int digits = c switch { 'x' => 2, 'u' => 4, 'U' => 8, _ => 0 };
        if (digits > 0)
        {
            if (_at + digits > text.Length || !uint.TryParse(text.AsSpan(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint code) || code > 0x10FFFF)
                return false;
            _at += digits;
            value.Append(code < 0x10000 ? ((char)code).ToString() : char.ConvertFromUtf32((int)code));
            return true;
        }

        value.Append(c switch
        {
            'n' => "\n", 't' => "\t", 'r' => "\r", 'b' => "\b", 'f' => "\f", 'a' => "\a", 'v' => "\v", '0' => "\0", '\\' => "\\", '\'' => "'", '"' => "\"", '/' => "/", '\n' => "",
            _ => "\\" + c,
        });
        return true;
    }

    private object Sequence(char open, char close)
    {
        Take(open);
        var items = new List<object?>();
        bool hasComma = false;
        while (!Take(close))
        {
            if (items.Count > 0)
            {
                if (!Take(','))
                    return Failed;
                hasComma = true;
                if (Take(close))
                    break;
            }

            object? item = Value();
            if (item == Failed)
                return Failed;
            items.Add(item);
        }

        // One value in parentheses is that value.
        return open == '(' && items.Count == 1 && !hasComma ? items[0] ?? Failed : items;
    }

    private object Dict()
    {
        Take('{');
        var pairs = new List<KeyValuePair<string, object?>>();
        while (!Take('}'))
        {
            if (pairs.Count > 0 && !Take(','))
                return Failed;
            if (pairs.Count > 0 && Take('}'))
                break;
            // Meta's encoder writes {k=v}, with names for keys (spec llama1-3.md 6.7).
            bool isString = Peek() is '"' or '\'';
            object? key = isString ? Strings() : Name() is { Length: > 0 } name ? name : Failed;
            if (key == Failed || (!Take(':') && (isString || !Take('='))))
                return Failed;
            object? value = Value();
            if (value == Failed)
                return Failed;
            pairs.Add(new((string)key!, value));
        }

        return pairs;
    }

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case null:
                writer.WriteNullValue();
                break;
            case bool b:
                writer.WriteBooleanValue(b);
                break;
            case string s:
                writer.WriteStringValue(s);
                break;
            case BigInteger i:
                writer.WriteRawValue(i.ToString(CultureInfo.InvariantCulture));
                break;
            case double d:
                writer.WriteRawValue(Templates.PythonRepr.Float(d));
                break;
            case List<object?> items:
                writer.WriteStartArray();
                foreach (object? item in items)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case List<KeyValuePair<string, object?>> pairs:
                writer.WriteStartObject();
                foreach ((string key, object? item) in pairs)
                {
                    writer.WritePropertyName(key);
                    Write(writer, item);
                }

                writer.WriteEndObject();
                break;
        }
    }

    private string Name()
    {
        SkipSpace();
        int start = _at;
        while (_at < text.Length && (char.IsLetterOrDigit(text[_at]) || text[_at] is '_' or '-' or '.'))
            _at++;
        return text[start.._at];
    }

    private char Peek()
    {
        SkipSpace();
        return _at < text.Length ? text[_at] : '\0';
    }

    private bool Take(char c)
    {
        bool found = Peek() == c;
        _at += found ? 1 : 0;
        return found;
    }

    private bool IsEnd()
    {
        SkipSpace();
        return _at == text.Length;
    }

    private void SkipSpace()
    {
        while (_at < text.Length && char.IsWhiteSpace(text[_at]))
            _at++;
    }
}
