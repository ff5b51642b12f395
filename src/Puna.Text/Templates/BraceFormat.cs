using System.Globalization;
using System.Numerics;
using System.Text;

namespace Puna.Text.Templates;

/// <summary>Python's <c>"{}".format(...)</c>, with the sandbox's rules for attributes.</summary>
internal static class BraceFormat
{
    public static string Apply(RenderState state, string format, Arguments arguments)
    {
        int automatic = 0;
        return Expand(state, format, arguments, ref automatic, 2);
    }

    /// <summary>A text with everything outside ASCII escaped.</summary>
    public static string Ascii(string text)
    {
        var result = new StringBuilder();
        foreach (Rune rune in text.EnumerateRunes())
        {
            _ = rune.Value < 0x80 ? result.Append((char)rune.Value)
                : rune.Value < 0x100 ? result.Append(CultureInfo.InvariantCulture, $"\\x{rune.Value:x2}")
                : rune.Value < 0x10000 ? result.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}")
                : result.Append(CultureInfo.InvariantCulture, $"\\U{rune.Value:x8}");
        }

        return result.ToString();
    }

    private static string Expand(RenderState state, string format, Arguments arguments, ref int automatic, int depth)
    {
        if (depth < 0)
            throw PythonTypes.ValueError("Max string recursion exceeded");
        var result = new StringBuilder();
        for (int i = 0; i < format.Length; i++)
        {
            state.Budget.Charge(1);
            char c = format[i];
            if (c is not ('{' or '}'))
            {
                result.Append(c);
            }
            else if (i + 1 < format.Length && format[i + 1] == c)
            {
                result.Append(c);
                i++;
            }
            else if (c == '}')
            {
                throw PythonTypes.ValueError("Single '}' encountered in format string");
            }
            else
            {
                int start = ++i, nested = 1;
                for (; i < format.Length && nested > 0; i++)
                    nested += format[i] == '{' ? 1 : format[i] == '}' ? -1 : 0;
                if (nested > 0)
                    throw PythonTypes.ValueError(start == format.Length ? "Single '{' encountered in format string" : "expected '}' before end of string");
                i--;
                string text = Field(state, format[start..i], arguments, ref automatic, depth);
                state.Budget.Charge(text.Length);
                result.Append(text);
            }
        }

        return result.ToString();
    }

    private static string Field(RenderState state, string field, Arguments arguments, ref int automatic, int depth)
    {
        int bracket = 0, end = 0;
        while (end < field.Length && (bracket > 0 || field[end] is not ('!' or ':')))
        {
            bracket += field[end] == '[' ? 1 : field[end] == ']' ? -1 : 0;
            end++;
        }

        string name = field[..end];
        char conversion = ' ';
        if (end < field.Length && field[end] == '!')
        {
            conversion = end + 1 < field.Length ? field[end + 1] : ' ';
            end += 2;
            if (conversion is not ('r' or 's' or 'a'))
                throw PythonTypes.ValueError($"Unknown conversion specifier {conversion}");
            if (end < field.Length && field[end] != ':')
                throw PythonTypes.ValueError("expected ':' after conversion specifier");
        }

        string spec = end < field.Length ? field[(end + 1)..] : "";
        object? value = Value(state, name, arguments, ref automatic);
        if (spec.Contains('{'))
            spec = Expand(state, spec, arguments, ref automatic, depth - 1);
        value = conversion switch
        {
            'r' => PythonRepr.Repr(state.Budget, value),
            's' => PythonRepr.Str(state.Budget, value),
            'a' => Ascii(PythonRepr.Repr(state.Budget, value)),
            _ => value,
        };
        return FormatSpec.Format(state.Budget, value, spec);
    }

    private static object? Value(RenderState state, string name, Arguments arguments, ref int automatic)
    {
        int end = name.AsSpan().IndexOfAny('.', '[');
        string first = end < 0 ? name : name[..end];
        object? value;
        if (first.Length == 0 || first.All(char.IsAsciiDigit))
        {
            bool isAutomatic = first.Length == 0;
            if (isAutomatic && automatic < 0)
                throw PythonTypes.ValueError("cannot switch from manual field specification to automatic field numbering");
            if (!isAutomatic && automatic > 0)
                throw PythonTypes.ValueError("cannot switch from automatic field numbering to manual field specification");
            int index = isAutomatic ? automatic++ : first.Length > 9 ? int.MaxValue : int.Parse(first, CultureInfo.InvariantCulture);
            automatic = isAutomatic ? automatic : -1;
            value = index < arguments.Positional.Count ? arguments.Positional[index]
                : throw new TemplateException("IndexError", "tuple index out of range");
        }
        else
        {
            int index = arguments.Named.FindIndex(pair => pair.Key == first);
            value = index >= 0 ? arguments.Named[index].Value : throw new TemplateException("KeyError", PythonRepr.Quote(first));
        }

        while (end >= 0 && end < name.Length)
        {
            if (name[end] == '.')
            {
                int next = name.AsSpan(end + 1).IndexOfAny('.', '[');
                string attribute = next < 0 ? name[(end + 1)..] : name.Substring(end + 1, next);
                value = attribute.Length > 0 ? Lookup.Attribute(state, value, attribute) : throw PythonTypes.ValueError("Empty attribute in format string");
                end = next < 0 ? name.Length : end + 1 + next;
            }
            else
            {
                int close = name.IndexOf(']', end);
                if (name[end] != '[' || close < 0)
                    throw PythonTypes.ValueError(close < 0 ? "Missing ']' in format string" : "Only '.' or '[' may follow ']' in format field specifier");
                string key = name[(end + 1)..close];
                value = Lookup.Item(state, value, key.Length is > 0 and < 10 && key.All(char.IsAsciiDigit) ? BigInteger.Parse(key, CultureInfo.InvariantCulture) : key);
                end = close + 1;
            }
        }

        return value;
    }
}
