using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using Puna.Text.Chat;

namespace Puna.Text.Templates;

/// <summary>JSON to values and back, as Python's <c>json</c> has it.</summary>
internal static class PythonJson
{
    /// <summary>The value of a JSON element: numbers with a point or an exponent are floats, others integers of any size.</summary>
    public static object? Read(Budget budget, JsonElement json)
    {
        budget.Charge(1);
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                var dict = new PyDict(budget);
                foreach (JsonProperty property in json.EnumerateObject())
                    dict.Set(Text(budget, property), Read(budget, property.Value));
                return dict;
            case JsonValueKind.Array:
                var items = new List<object?>();
                foreach (JsonElement item in json.EnumerateArray())
                    items.Add(Read(budget, item));
                return new PyList(items);
            case JsonValueKind.String:
                string text = JsonStrings.Read(json);
                budget.Charge(text.Length);
                return text;
            case JsonValueKind.Number:
                string number = json.GetRawText();
                if (number.AsSpan().ContainsAny(".eE"))
                    return double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture);
                return number.Length <= 4300 ? BigInteger.Parse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)
                    : throw PythonTypes.ValueError($"Exceeds the limit (4300 digits) for integer string conversion: value has {number.Length} digits");
            case JsonValueKind.True or JsonValueKind.False:
                return json.ValueKind == JsonValueKind.True;
            default:
                return null;
        }
    }

    /// <summary>The filter <c>tojson</c> as libraries define it for chat templates: nothing is escaped for HTML, and characters outside ASCII stay unless asked otherwise.</summary>
    public static string Write(RenderState state, Arguments arguments)
    {
        object?[] bound = arguments.Bind("tojson", 1, "x", "ensure_ascii", "indent", "separators", "sort_keys");
        bool isAscii = bound[1] != Missing.Value && PythonTypes.Truth(bound[1]);
        string? indent = bound[2] == Missing.Value || bound[2] is null ? null
            : bound[2] as string ?? Spaces(state.Budget, Math.Max(0, PythonTypes.SmallIndex(bound[2])));
        string comma = indent is null ? ", " : ",", colon = ": ";
        if (bound[3] != Missing.Value && bound[3] is not null)
        {
            List<object?> separators = PythonTypes.ToList(state.Budget, bound[3]);
            if (separators is not [string own, string other])
                throw PythonTypes.ValueError("separators: expected two strings, got something else");
            (comma, colon) = (own, other);
        }

        var writer = new Writer(state.Budget, isAscii, indent, comma, colon, bound[4] != Missing.Value && PythonTypes.Truth(bound[4]));
        return writer.Write(bound[0]);
    }

    private static string Spaces(Budget budget, int count)
    {
        budget.Charge(count);
        return new string(' ', count);
    }

    /// <summary>JSON as <c>json.dumps(value, ensure_ascii=False, indent=indent)</c> writes it.</summary>
    /// <param name="json">JSON.</param>
    /// <param name="indent">Spaces per level; null writes one line.</param>
    /// <exception cref="TemplateException">It is too large.</exception>
    public static string Reformat(string json, int? indent)
    {
        using JsonDocument document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 128 });
        var budget = new Budget(TemplateLimits.Default);
        return new Writer(budget, false, indent is int spaces ? new string(' ', spaces) : null, indent is null ? ", " : ",", ": ", false).Write(Read(budget, document.RootElement));
    }

    private static string Text(Budget budget, JsonProperty property)
    {
        string name = JsonStrings.Name(property);
        budget.Charge(name.Length);
        return name;
    }

    private sealed class Writer(Budget budget, bool isAscii, string? indent, string comma, string colon, bool sorts)
    {
        private readonly StringBuilder _text = new();

        public string Write(object? value)
        {
            Value(value, 0);
            return _text.ToString();
        }

        private void Value(object? value, int depth)
        {
            Budget.CheckStack();
            budget.Step();
            switch (value)
            {
                case string text:
                    String(text);
                    break;
                case null or bool or BigInteger or double:
                    _text.Append(Scalar(value));
                    break;
                case PyList list:
                    Sequence(list.Items, depth);
                    break;
                case PyTuple tuple:
                    Sequence(tuple.Items, depth);
                    break;
                case PyDict dict:
                    Dict(dict, depth);
                    break;
                default:
                    throw PythonTypes.TypeError($"Object of type {PythonTypes.Name(value)} is not JSON serializable");
            }
        }

        private static string Scalar(object? value) => value switch
        {
            null => "null",
            bool b => b ? "true" : "false",
            double d => double.IsNaN(d) ? "NaN" : double.IsInfinity(d) ? (d > 0 ? "Infinity" : "-Infinity") : PythonRepr.Float(d),
            _ => PythonRepr.Integer((BigInteger)value),
        };

        private void Sequence(IReadOnlyList<object?> items, int depth)
        {
            if (items.Count == 0)
            {
                _text.Append("[]");
                return;
            }

            _text.Append('[');
            for (int i = 0; i < items.Count; i++)
            {
                Begin(i, depth);
                Value(items[i], depth + 1);
            }

            End(depth, ']');
        }

        private void Dict(PyDict dict, int depth)
        {
            if (dict.Count == 0)
            {
                _text.Append("{}");
                return;
            }

            _text.Append('{');
            KeyValuePair<object?, object?>[] pairs = [.. dict.Items];
            budget.Charge(pairs.Length);
            if (sorts)
            {
                object?[] sorted = [.. pairs.Cast<object?>()];
                PythonCompare.Sort(budget, [.. pairs.Select(static pair => pair.Key)], sorted, reverse: false);
                pairs = [.. sorted.Cast<KeyValuePair<object?, object?>>()];
            }

            for (int i = 0; i < pairs.Length; i++)
            {
                Begin(i, depth);
                String(pairs[i].Key switch
                {
                    string key => key,
                    null or bool or BigInteger or double => Scalar(pairs[i].Key),
                    _ => throw PythonTypes.TypeError($"keys must be str, int, float, bool or None, not {PythonTypes.Name(pairs[i].Key)}"),
                });
                _text.Append(colon);
                Value(pairs[i].Value, depth + 1);
            }

            End(depth, '}');
        }

        private void Begin(int index, int depth)
        {
            budget.Charge(comma.Length + colon.Length);
            if (index > 0)
                _text.Append(comma);
            Line(depth + 1);
        }

        private void End(int depth, char bracket)
        {
            Line(depth);
            _text.Append(bracket);
        }

        private void Line(int depth)
        {
            if (indent is null)
                return;
            budget.Charge((long)indent.Length * depth);
            _text.Append('\n');
            for (int i = 0; i < depth; i++)
                _text.Append(indent);
        }

        private void String(string text)
        {
            budget.Charge(text.Length);
            string json = PythonText.JsonString(text);
            if (!isAscii || System.Text.Ascii.IsValid(json))
            {
                _text.Append(json);
                return;
            }

            budget.Charge(json.Length * 6L);
            foreach (char c in json)
                _ = c < 0x80 ? _text.Append(c) : _text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }
    }
}
