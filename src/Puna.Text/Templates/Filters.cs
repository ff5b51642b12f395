using System.Numerics;
using System.Text;

namespace Puna.Text.Templates;

/// <summary>Jinja's filters: those for single values.</summary>
internal static class Filters
{
    internal delegate object? Filter(RenderState state, object? value, Arguments arguments);

    private static readonly Dictionary<string, Filter> Table = new(SequenceFilters.Table, StringComparer.Ordinal)
    {
        ["abs"] = static (_, v, a) => Bound(a, "abs") is [] && PythonNumbers.IsNumber(v) ? v switch { double d => Math.Abs(d), _ => BigInteger.Abs(PythonNumbers.Integer(v!)) }
            : throw PythonTypes.TypeError($"bad operand type for abs(): '{PythonTypes.Name(v)}'"),
        ["attr"] = static (state, v, a) => Lookup.AttributeOnly(v, Str(state, Bound(a, "do_attr", 1, "name")[0])),
        ["capitalize"] = OnText("do_capitalize", StringMethods.Capitalize),
        ["center"] = static (state, v, a) => StringMethods.Center(state.Budget, Str(state, v), Bound(a, "do_center", 0, "width")[0] is var w && w != Missing.Value ? PythonTypes.SmallIndex(w) : 80),
        ["d"] = Default,
        ["default"] = Default,
        ["e"] = Escape,
        ["escape"] = Escape,
        ["forceescape"] = Escape,
        ["float"] = static (_, v, a) => Float(v, Bound(a, "do_float", 0, "default")[0]),
        ["format"] = static (state, v, a) => a.Positional.Count > 0 && a.Named.Count > 0
            ? throw new TemplateException("FilterArgumentError", "can't handle positional and keyword arguments at the same time")
            : PercentFormat.Apply(state, Str(state, v), a.Named.Count > 0 ? Dict(state, a.Named) : new PyTuple([.. a.Positional])),
        ["indent"] = Indent,
        ["int"] = Int,
        ["items"] = static (state, v, _) => new PyIterator(Items(v)),
        ["lower"] = OnText("do_lower", StringMethods.Lower),
        ["pprint"] = static (state, v, _) => PythonRepr.Repr(state.Budget, v),
        ["replace"] = static (state, v, a) =>
        {
            object?[] bound = Bound(a, "do_replace", 2, "old", "new", "count");
            int count = bound[2] == Missing.Value || bound[2] is null ? -1 : PythonTypes.SmallIndex(bound[2]);
            return StringMethods.Replace(state.Budget, Str(state, v), Str(state, bound[0]), Str(state, bound[1]), count);
        },
        ["round"] = static (_, v, a) => Round(v, a),
        ["safe"] = static (state, v, _) => Str(state, v),
        ["string"] = static (state, v, _) => Str(state, v),
        ["title"] = OnText("do_title", Title),
        ["tojson"] = static (state, v, a) => PythonJson.Write(state, new Arguments { Positional = [v, .. a.Positional], Named = a.Named }),
        ["trim"] = static (state, v, a) => StringMethods.Strip(Str(state, v), Bound(a, "do_trim", 0, "chars")[0] is var c && (c == Missing.Value || c is null) ? null
            : c as string ?? throw PythonTypes.TypeError("strip arg must be None or str"), true, true),
        ["truncate"] = Truncate,
        ["upper"] = OnText("do_upper", StringMethods.Upper),
        ["urlencode"] = static (state, v, _) => UrlEncode(state, v),
        ["wordcount"] = static (state, v, _) => (BigInteger)Words(Str(state, v)),
    };

    /// <summary>Whether there is a filter of this name.</summary>
    public static bool Exists(string name) => Table.ContainsKey(name);

    /// <summary>Applies a filter.</summary>
    public static object? Apply(RenderState state, string name, object? value, Arguments arguments)
    {
        state.Budget.Step();
        if (value is string text)
            state.Budget.Charge(text.Length);
        return Table.TryGetValue(name, out Filter? filter) ? filter(state, value, arguments)
            : throw new TemplateException("TemplateRuntimeError", $"No filter named {PythonRepr.Quote(name)} found.");
    }

    /// <summary>The arguments of a filter after the value.</summary>
    internal static object?[] Bound(Arguments arguments, string function, int required = 0, params ReadOnlySpan<string> names)
    {
        int most = names.Length + 1;
        if (arguments.Positional.Count > names.Length)
        {
            string takes = required == names.Length ? $"{most} positional argument{(most == 1 ? "" : "s")}" : $"from {required + 1} to {most} positional arguments";
            throw PythonTypes.TypeError($"{function}() takes {takes} but {arguments.Positional.Count + 1} were given");
        }

        return arguments.Bind(function, required, names);
    }

    /// <summary>A value as text, where Jinja's filters take any.</summary>
    internal static string Str(RenderState state, object? value) => PythonRepr.Str(state.Budget, value);

    private static Filter OnText(string function, Func<string, string> change) => (state, value, arguments) =>
    {
        Bound(arguments, function);
        return change(Str(state, value));
    };

    private static PyDict Dict(RenderState state, List<KeyValuePair<string, object?>> pairs)
    {
        var dict = new PyDict(state.Budget);
        foreach ((string key, object? value) in pairs)
            dict.Set(key, value);
        return dict;
    }

    private static object? Default(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Bound(arguments, "do_default", 0, "default_value", "boolean");
        bool isReplaced = value is Undefined || (bound[1] != Missing.Value && PythonTypes.Truth(bound[1]) && !PythonTypes.Truth(value));
        return !isReplaced ? value : bound[0] == Missing.Value ? "" : bound[0];
    }

    private static object? Escape(RenderState state, object? value, Arguments arguments)
    {
        string text = Str(state, value);
        var result = new StringBuilder(text.Length);
        foreach (char c in text)
            _ = c switch { '&' => result.Append("&amp;"), '<' => result.Append("&lt;"), '>' => result.Append("&gt;"), '"' => result.Append("&#34;"), '\'' => result.Append("&#39;"), _ => result.Append(c) };
        state.Budget.Charge(result.Length);
        return result.ToString();
    }

    private static object? Float(object? value, object? fallback)
    {
        if (PythonNumbers.IsNumber(value))
            return PythonNumbers.Float(value!);
        if (value is string text && PythonNumbers.ParseFloat(text) is double parsed)
            return parsed;
        return value is Undefined undefined ? throw undefined.Error() : fallback == Missing.Value ? 0.0 : fallback;
    }

    private static object? Int(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Bound(arguments, "do_int", 0, "default", "base");
        int radix = bound[1] == Missing.Value ? 10 : PythonTypes.SmallIndex(bound[1]);
        object? fallback = bound[0] == Missing.Value ? BigInteger.Zero : bound[0];
        switch (value)
        {
            case bool or BigInteger:
                return PythonNumbers.Integer(value);
            case double d:
                return double.IsInfinity(d) ? throw new TemplateException("OverflowError", "cannot convert float infinity to integer")
                    : double.IsNaN(d) ? fallback : new BigInteger(Math.Truncate(d));
            case string text:
                BigInteger? parsed = radix is 0 or (>= 2 and <= 36) ? PythonNumbers.ParseInteger(text, radix) : null;
                return parsed ?? (PythonNumbers.ParseFloat(text) is double number && double.IsFinite(number) ? new BigInteger(Math.Truncate(number)) : fallback);
            case Undefined undefined:
                throw undefined.Error();
            default:
                return fallback;
        }
    }

    private static IEnumerable<object?> Items(object? value)
    {
        if (value is Undefined)
            yield break;
        if (value is not PyDict dict)
            throw PythonTypes.TypeError("Can only get item pairs from a mapping.");
        foreach ((object? key, object? item) in dict.Items)
            yield return new PyTuple([key, item]);
    }

    private static object? Indent(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Bound(arguments, "do_indent", 0, "width", "first", "blank");
        string text = value as string ?? throw (value is Undefined undefined ? undefined.Error() : PythonTypes.TypeError($"unsupported operand type(s) for +=: '{PythonTypes.Name(value)}' and 'str'"));
        int width = bound[0] == Missing.Value ? 4 : bound[0] is string ? 0 : PythonTypes.SmallIndex(bound[0]);
        state.Budget.Charge(Math.Max(0, width));
        string indention = bound[0] as string ?? new string(' ', Math.Max(0, width));
        bool first = bound[1] != Missing.Value && PythonTypes.Truth(bound[1]), blank = bound[2] != Missing.Value && PythonTypes.Truth(bound[2]);
        PyList lines = StringMethods.SplitLines(state, text + "\n", false);
        var result = new StringBuilder();
        for (int i = 0; i < lines.Items.Count; i++)
        {
            string line = (string)lines.Items[i]!;
            state.Budget.Charge(indention.Length + line.Length);
            if (i > 0)
                result.Append('\n');
            if (i == 0 ? first : blank || line.Length > 0)
                result.Append(indention);
            result.Append(line);
        }

        return result.ToString();
    }

    private static object? Round(object? value, Arguments arguments)
    {
        object?[] bound = Bound(arguments, "do_round", 0, "precision", "method");
        int precision = bound[0] == Missing.Value ? 0 : PythonTypes.SmallIndex(bound[0]);
        string method = bound[1] == Missing.Value ? "common" : bound[1] as string ?? "";
        if (method is not ("common" or "ceil" or "floor"))
            throw new TemplateException("FilterArgumentError", "method must be common, ceil or floor");
        if (value is Undefined undefined)
            throw undefined.Error();
        if (!PythonNumbers.IsNumber(value))
            throw PythonTypes.TypeError($"type {PythonTypes.Name(value)} doesn't define __round__ method");
        if (method != "common")
        {
            double scale = Math.Pow(10, precision), scaled = PythonNumbers.Float(value!) * scale;
            return (method == "ceil" ? Math.Ceiling(scaled) : Math.Floor(scaled)) / scale;
        }

        if (value is double d)
            return !double.IsFinite(d) || precision > 330 ? d : precision < -330 ? Math.CopySign(0, d) : RoundFloat(d, precision);
        BigInteger integer = PythonNumbers.Integer(value!);
        if (precision >= 0)
            return integer;
        if (precision < -5000)
            return BigInteger.Zero;
        BigInteger unit = BigInteger.Pow(10, -precision), quotient = BigInteger.DivRem(BigInteger.Abs(integer), unit, out BigInteger rest);
        int half = (rest * 2).CompareTo(unit);
        quotient += half > 0 || (half == 0 && !quotient.IsEven) ? 1 : 0;
        return quotient * unit * integer.Sign;
    }

    private static double RoundFloat(double value, int precision)
    {
        string text = precision >= 0 ? NumberFormat.Fixed(Math.Abs(value), precision) : "";
        double rounded = precision >= 0 ? double.Parse(text, System.Globalization.CultureInfo.InvariantCulture)
            : (double)(BigInteger)Round(new BigInteger(Math.Round(Math.Abs(value))), new Arguments { Positional = [(BigInteger)precision] })!;
        return Math.CopySign(rounded, value);
    }

    private static string Title(string text)
    {
        var result = new StringBuilder(text.Length);
        bool starts = true;
        foreach (char c in text)
        {
            result.Append(starts ? char.ToUpperInvariant(c) : char.ToLowerInvariant(c));
            starts = c is '-' or '(' or '{' or '[' or '<' || Chat.PythonText.IsSpace(c);
        }

        return result.ToString();
    }

    private static object? Truncate(RenderState state, object? value, Arguments arguments)
    {
        object?[] bound = Bound(arguments, "do_truncate", 0, "length", "killwords", "end", "leeway");
        string text = value as string ?? (value is Undefined ? "" : throw PythonTypes.TypeError($"object of type '{PythonTypes.Name(value)}' has no len()"));
        int length = bound[0] == Missing.Value ? 255 : PythonTypes.SmallIndex(bound[0]), leeway = bound[3] == Missing.Value || bound[3] is null ? 5 : PythonTypes.SmallIndex(bound[3]);
        string end = bound[2] == Missing.Value ? "..." : StringMethods.Text(bound[2], "end");
        int endLength = CodePoints.Length(end);
        if (length < endLength)
            throw new TemplateException("AssertionError", $"expected length >= {endLength}, got {length}");
        if (leeway < 0)
            throw new TemplateException("AssertionError", $"expected leeway >= 0, got {leeway}");
        if (CodePoints.Length(text) <= (long)length + leeway)
            return text;
        string cut = text[..CodePoints.ToUtf16(text, length - endLength)];
        int blank = cut.LastIndexOf(' ');
        bool kills = bound[1] != Missing.Value && PythonTypes.Truth(bound[1]);
        return (kills || blank < 0 ? cut : cut[..blank]) + end;
    }

    private static string UrlEncode(RenderState state, object? value)
    {
        if (value is string || !PythonTypes.IsIterable(value))
            return Quote(state, value, isQuery: false);
        var parts = new List<string>();
        foreach (object? pair in value is PyDict dict ? Items(dict) : PythonTypes.Iterate(state.Budget, value))
        {
            if (PythonTypes.ToList(state.Budget, pair) is not [var key, var item])
                throw PythonTypes.ValueError("not enough values to unpack (expected 2)");
            parts.Add(Quote(state, key, isQuery: true) + "=" + Quote(state, item, isQuery: true));
        }

        return string.Join('&', parts);
    }

    private static string Quote(RenderState state, object? value, bool isQuery)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(Str(state, value));
        state.Budget.Charge(bytes.Length * 3L);
        var result = new StringBuilder(bytes.Length);
        foreach (byte b in bytes)
        {
            char c = (char)b;
            if (char.IsAsciiLetterOrDigit(c) || c is '_' or '.' or '-' or '~' || (c == '/' && !isQuery))
                result.Append(c);
            else if (c == ' ' && isQuery)
                result.Append('+');
            else
                result.Append(System.Globalization.CultureInfo.InvariantCulture, $"%{b:X2}");
        }

        return result.ToString();
    }

    private static int Words(string text)
    {
        int count = 0;
        bool isWord = false;
        foreach (char c in text)
        {
            bool belongs = c == '_' || char.IsLetterOrDigit(c) || char.IsSurrogate(c);
            count += belongs && !isWord ? 1 : 0;
            isWord = belongs;
        }

        return count;
    }
}
