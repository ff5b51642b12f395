using System.Globalization;
using System.Numerics;
using System.Text;

namespace Puna.Text.Templates;

/// <summary>Python's format specifications: <c>[[fill]align][sign][#][0][width][grouping][.precision][type]</c>.</summary>
internal static class FormatSpec
{
    public static string Format(Budget budget, object? value, string spec)
    {
        if (spec.Length == 0)
            return PythonRepr.Str(budget, value);
        if (value is not (string or bool or BigInteger or double))
            throw PythonTypes.TypeError($"unsupported format string passed to {PythonTypes.Name(value)}.__format__");
        int at = 0;
        string fill = " ";
        char align = '\0', sign = '-', grouping = '\0';
        int first = char.IsSurrogate(spec[0]) ? 2 : 1;
        if (spec.Length > first && spec[first] is '<' or '>' or '=' or '^')
        {
            fill = spec[..first];
            align = spec[first];
            at = first + 1;
        }
        else if (spec[0] is '<' or '>' or '=' or '^')
        {
            align = spec[at++];
        }

        if (at < spec.Length && spec[at] is '+' or '-' or ' ')
            sign = spec[at++];
        bool isAlternate = at < spec.Length && spec[at] == '#';
        at += isAlternate ? 1 : 0;
        if (at < spec.Length && spec[at] == '0' && align == '\0')
        {
            fill = "0";
            align = value is string ? '<' : '=';
            at++;
        }

        int width = Number(spec, ref at) ?? 0;
        if (at < spec.Length && spec[at] is ',' or '_')
            grouping = spec[at++];
        int? precision = null;
        if (at < spec.Length && spec[at] == '.')
        {
            at++;
            precision = Number(spec, ref at) ?? throw PythonTypes.ValueError("Format specifier missing precision");
        }

        char type = at < spec.Length ? spec[at++] : '\0';
        if (at < spec.Length)
            throw PythonTypes.ValueError($"Invalid format specifier '{spec}' for object of type '{PythonTypes.Name(value)}'");
        budget.Charge(width + (long)(precision ?? 0));
        string mark = "", body;
        if (value is string text)
        {
            if (type is not ('\0' or 's'))
                throw Unknown(type, value);
            if (align == '=')
                throw PythonTypes.ValueError("'=' alignment not allowed in string format specifier");
            body = precision is int most ? text[..CodePoints.ToUtf16(text, most)] : text;
            align = align == '\0' ? '<' : align;
        }
        else
        {
            (mark, body) = Numeric(value, type, sign, isAlternate, grouping, precision);
            align = align == '\0' ? '>' : align;
        }

        int missing = width - CodePoints.Length(mark) - CodePoints.Length(body);
        if (missing <= 0)
            return mark + body;
        string blank = fill.Length == 1 ? new string(fill[0], missing) : new StringBuilder().Insert(0, fill, missing).ToString();
        int left = missing / 2 * fill.Length;
        return align switch
        {
            '<' => mark + body + blank,
            '^' => blank[..left] + mark + body + blank[left..],
            '=' => mark + blank + body,
            _ => blank + mark + body,
        };
    }

    private static (string Mark, string Body) Numeric(object value, char type, char sign, bool isAlternate, char grouping, int? precision)
    {
        bool isInteger = value is bool or BigInteger;
        if (value is bool b && type == '\0' && precision is null && grouping == '\0')
            return ("", new BigInteger(b ? 1 : 0).ToString(CultureInfo.InvariantCulture));
        if (isInteger && type is '\0' or 'd' or 'n' or 'b' or 'o' or 'x' or 'X' or 'c')
        {
            if (precision is not null)
                throw PythonTypes.ValueError("Precision not allowed in integer format specifier");
            BigInteger number = PythonNumbers.Integer(value);
            if (type == 'c')
                return number >= 0 && number <= 0x10FFFF && (number < 0xD800 || number > 0xDFFF) ? ("", char.ConvertFromUtf32((int)number)) : throw new TemplateException("OverflowError", "%c arg not in range(0x110000)");
            string digits = NumberFormat.Digits(number, type switch { 'b' => 2, 'o' => 8, 'x' or 'X' => 16, _ => 10 });
            string prefix = isAlternate && type is 'b' or 'o' or 'x' or 'X' ? "0" + type : "";
            digits = type == 'X' ? digits.ToUpperInvariant() : digits;
            return (Mark(number.Sign < 0, sign) + prefix, Group(digits, grouping, type is 'b' or 'o' or 'x' or 'X' ? 4 : 3));
        }

        if (type is not ('\0' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'n' or '%'))
            throw Unknown(type, value);
        double real = PythonNumbers.Float(value);
        string mark = Mark(double.IsNegative(real) && !double.IsNaN(real), sign);
        string body;
        if (type == '\0' && precision is null)
            body = PythonRepr.Float(Math.Abs(real));
        else if (type == '\0')
            body = WithPoint(NumberFormat.Format(real, 'g', precision ?? 6, isAlternate), real, precision ?? 6);
        else if (type == '%')
            body = NumberFormat.Format(real * 100, 'f', precision ?? 6) + "%";
        else
            body = NumberFormat.Format(real, type == 'n' ? 'g' : type, precision ?? 6, isAlternate);
        int point = body.AsSpan().IndexOfAny(".eE%");
        return (mark, double.IsFinite(real) ? Group(point < 0 ? body : body[..point], grouping, 3) + (point < 0 ? "" : body[point..]) : body);
    }

    // Without a type, a float has at least one digit behind the point, and an exponent sooner.
    private static string WithPoint(string text, double value, int precision)
    {
        if (text.AsSpan().IndexOfAny(".en") >= 0 || !double.IsFinite(value))
            return text;
        return text.Length < precision ? text + ".0" : NumberFormat.Format(value, 'e', Math.Max(0, precision - 1)) is var e && text.Length == precision ? Trimmed(e) : text + ".0";
    }

    private static string Trimmed(string scientific)
    {
        int e = scientific.IndexOf('e', StringComparison.Ordinal);
        string mantissa = scientific[..e];
        return (mantissa.Contains('.') ? mantissa.TrimEnd('0').TrimEnd('.') : mantissa) + scientific[e..];
    }

    private static string Mark(bool isNegative, char sign) => isNegative ? "-" : sign == '-' ? "" : sign.ToString();

    private static string Group(string digits, char grouping, int size)
    {
        if (grouping == '\0')
            return digits;
        var result = new StringBuilder();
        for (int i = 0; i < digits.Length; i++)
        {
            if (i > 0 && (digits.Length - i) % size == 0)
                result.Append(grouping);
            result.Append(digits[i]);
        }

        return result.ToString();
    }

    private static int? Number(string spec, ref int at)
    {
        int start = at;
        while (at < spec.Length && char.IsAsciiDigit(spec[at]))
            at++;
        return at == start ? null : at - start > 9 ? throw PythonTypes.ValueError("Too many decimal digits in format string") : int.Parse(spec.AsSpan(start..at), CultureInfo.InvariantCulture);
    }

    private static TemplateException Unknown(char type, object value) => PythonTypes.ValueError($"Unknown format code '{type}' for object of type '{PythonTypes.Name(value)}'");
}
