using System.Globalization;
using System.Numerics;
using System.Text;

namespace Puna.Text.Templates;

/// <summary>Values as text: Python's <c>str</c> and <c>repr</c>.</summary>
internal static class PythonRepr
{
    /// <summary>Python's <c>str</c>, which is what a template writes.</summary>
    public static string Str(Budget budget, object? value) => value switch
    {
        string text => text,
        Undefined => "",
        null => "None",
        bool b => b ? "True" : "False",
        BigInteger i => Integer(i),
        _ => Repr(budget, value),
    };

    /// <summary>Python's <c>repr</c>.</summary>
    public static string Repr(Budget budget, object? value)
    {
        var text = new StringBuilder();
        Write(budget, value, text);
        return text.ToString();
    }

    /// <summary>A float as Python writes it: the shortest digits that give it back, an exponent from 1e16 and below 1e-4.</summary>
    public static string Float(double value)
    {
        if (double.IsNaN(value))
            return "nan";
        if (double.IsInfinity(value))
            return value > 0 ? "inf" : "-inf";
        (bool isNegative, string digits, int point) = Digits(value);
        string sign = isNegative ? "-" : "";
        if (point is > -4 and <= 16)
        {
            if (point <= 0)
                return sign + "0." + new string('0', -point) + digits;
            return digits.Length > point ? $"{sign}{digits[..point]}.{digits[point..]}" : sign + digits.PadRight(point, '0') + ".0";
        }

        string rest = digits.Length > 1 ? "." + digits[1..] : "";
        int exponent = point - 1;
        return $"{sign}{digits[0]}{rest}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    /// <summary>An integer in decimal, refused where Python refuses it.</summary>
    public static string Integer(BigInteger value)
    {
        string text = value.ToString(CultureInfo.InvariantCulture);
        return text.Length - (value.Sign < 0 ? 1 : 0) <= 4300 ? text
            : throw PythonTypes.ValueError("Exceeds the limit (4300 digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit");
    }

    /// <summary>A string in quotes.</summary>
    public static string Quote(string text)
    {
        var result = new StringBuilder(text.Length + 2);
        Quote(text, result);
        return result.ToString();
    }

    /// <summary>Sign, shortest digits, and the place of the point: the value is 0.digits times ten to that.</summary>
    private static (bool IsNegative, string Digits, int Point) Digits(double value)
    {
        string shortest = value.ToString("R", CultureInfo.InvariantCulture);
        bool isNegative = shortest[0] == '-';
        ReadOnlySpan<char> mantissa = shortest.AsSpan(isNegative ? 1 : 0);
        int exponent = 0;
        if (mantissa.IndexOf('E') is >= 0 and int e)
        {
            exponent = int.Parse(mantissa[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
            mantissa = mantissa[..e];
        }

        int dot = mantissa.IndexOf('.');
        int point = (dot < 0 ? mantissa.Length : dot) + exponent;
        string digits = dot < 0 ? mantissa.ToString() : string.Concat(mantissa[..dot], mantissa[(dot + 1)..]);
        int zeros = 0;
        while (zeros < digits.Length - 1 && digits[zeros] == '0')
            zeros++;
        digits = digits[zeros..].TrimEnd('0');
        return digits.Length == 0 ? (isNegative, "0", 1) : (isNegative, digits, point - zeros);
    }

    private static void Write(Budget budget, object? value, StringBuilder text)
    {
        Budget.CheckStack();
        budget.Step();
        int before = text.Length;
        switch (value)
        {
            case string s:
                budget.Charge(s.Length);
                Quote(s, text);
                break;
            case double d:
                text.Append(Float(d));
                break;
            case PyList list:
                Sequence(budget, list.Items, '[', "]", text);
                break;
            case PyTuple tuple:
                Sequence(budget, tuple.Items, '(', tuple.Items.Length == 1 ? ",)" : ")", text);
                break;
            case PyDict dict:
                Dict(budget, dict, text);
                break;
            case PyView view:
                text.Append("dict_").Append(view.Kind).Append('(');
                Sequence(budget, view.Items, '[', "]", text);
                text.Append(')');
                break;
            case PyRange range:
                BigInteger stop = range.Start + (range.Step * range.Count);
                text.Append(CultureInfo.InvariantCulture, $"range({range.Start}, {stop}").Append(range.Step.IsOne ? ")" : $", {range.Step})");
                break;
            case PyNamespace space:
                text.Append("<Namespace ");
                Dict(budget, space.Attributes, text);
                text.Append('>');
                break;
            case LoopContext loop:
                text.Append(CultureInfo.InvariantCulture, $"<LoopContext {loop.Index0 + 1}/{loop.Length}>");
                break;
            case PyFunction { Type: "Macro" } macro:
                text.Append("<Macro ").Append(Quote(macro.Name)).Append('>');
                break;
            case Undefined:
                text.Append("Undefined");
                break;
            case PySlice slice:
                Sequence(budget, [slice.Start, slice.Stop, slice.Step], 's', ")", text);
                text.Replace("s", "slice(", before, 1);
                break;
            case null or bool or BigInteger:
                text.Append(Str(budget, value));
                break;
            default:
                text.Append('<').Append(PythonTypes.Name(value)).Append(" object>");
                break;
        }

        budget.Charge(text.Length - before);
    }

    private static void Sequence(Budget budget, IEnumerable<object?> items, char open, string close, StringBuilder text)
    {
        text.Append(open);
        bool isFirst = true;
        foreach (object? item in items)
        {
            if (!isFirst)
                text.Append(", ");
            isFirst = false;
            Write(budget, item, text);
        }

        text.Append(close);
    }

    private static void Dict(Budget budget, PyDict dict, StringBuilder text)
    {
        text.Append('{');
        bool isFirst = true;
        foreach ((object? key, object? value) in dict.Items)
        {
            if (!isFirst)
                text.Append(", ");
            isFirst = false;
            Write(budget, key, text);
            text.Append(": ");
            Write(budget, value, text);
        }

        text.Append('}');
    }

    private static void Quote(string text, StringBuilder result)
    {
        char quote = text.Contains('\'') && !text.Contains('"') ? '"' : '\'';
        result.Append(quote);
        for (int i = 0; i < text.Length; i++)
        {
            char c = text[i];
            bool isPair = i + 1 < text.Length && char.IsSurrogatePair(c, text[i + 1]);
            int code = isPair ? char.ConvertToUtf32(c, text[i + 1]) : c;
            if (c == quote || c == '\\')
                result.Append('\\').Append(c);
            else if (c is '\n' or '\r' or '\t')
                result.Append('\\').Append(c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
            else if (IsPrintable(code))
                result.Append(text, i, isPair ? 2 : 1);
            else if (code < 0x100)
                result.Append(CultureInfo.InvariantCulture, $"\\x{code:x2}");
            else if (code < 0x10000)
                result.Append(CultureInfo.InvariantCulture, $"\\u{code:x4}");
            else
                result.Append(CultureInfo.InvariantCulture, $"\\U{code:x8}");
            i += isPair ? 1 : 0;
        }

        result.Append(quote);
    }

    /// <summary>Whether Python shows a character as it is.</summary>
    public static bool IsPrintable(int code) => code == ' ' || CharUnicodeInfo.GetUnicodeCategory(code) is not (
        UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
