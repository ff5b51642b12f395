using System.Numerics;
using System.Text;

namespace Puna.Text.Templates;

/// <summary>Python's <c>format % values</c>.</summary>
internal static class PercentFormat
{
    public static string Apply(RenderState state, string format, object? values)
    {
        var result = new StringBuilder();
        PyTuple? tuple = values as PyTuple;
        int used = 0;
        bool isMapped = false;
        for (int i = 0; i < format.Length; i++)
        {
            state.Budget.Charge(1);
            if (format[i] != '%')
            {
                result.Append(format[i]);
                continue;
            }

            i++;
            object? mapped = Missing.Value;
            if (i < format.Length && format[i] == '(')
            {
                int depth = 1, start = ++i;
                for (; i < format.Length && depth > 0; i++)
                    depth += format[i] == '(' ? 1 : format[i] == ')' ? -1 : 0;
                if (depth > 0)
                    throw PythonTypes.ValueError("incomplete format key");
                if (values is not PyDict dict)
                    throw PythonTypes.TypeError("format requires a mapping");
                string key = format[start..(i - 1)];
                isMapped = true;
                mapped = dict.TryGet(key, out object? found) ? found : throw new TemplateException("KeyError", PythonRepr.Quote(key));
            }

            string flags = "";
            while (i < format.Length && format[i] is '-' or '+' or ' ' or '#' or '0' && flags.Length < 16)
                flags += format[i++];
            int width = Size(ref i) ?? 0;
            int? precision = null;
            if (i < format.Length && format[i] == '.')
            {
                i++;
                precision = Math.Max(0, Size(ref i) ?? 0);
            }

            while (i < format.Length && format[i] is 'h' or 'l' or 'L')
                i++;
            if (i >= format.Length)
                throw PythonTypes.ValueError("incomplete format");
            if (format[i] == '%')
            {
                result.Append('%');
                continue;
            }

            object? value = mapped == Missing.Value ? Take() : mapped;
            if (width < 0)
            {
                flags += "-";
                width = -width;
            }

            state.Budget.Charge(width);
            string text = One(state, format[i], i, flags, precision, value, out int sign);
            int missing = width - CodePoints.Length(text);
            state.Budget.Charge(text.Length);
            if (missing <= 0)
                result.Append(text);
            else if (flags.Contains('-'))
                result.Append(text).Append(' ', missing);
            else if (flags.Contains('0') && sign >= 0)
                result.Append(text.AsSpan(0, sign)).Append('0', missing).Append(text.AsSpan(sign));
            else
                result.Append(' ', missing).Append(text);
        }

        bool isConverted = tuple is null ? used > 0 || isMapped || values is PyDict or PyList : used >= tuple.Items.Length;
        return isConverted ? result.ToString() : throw PythonTypes.TypeError("not all arguments converted during string formatting");

        int? Size(ref int at)
        {
            if (at < format.Length && format[at] == '*')
            {
                at++;
                return Take() is BigInteger size && BigInteger.Abs(size) < int.MaxValue ? (int)size : throw PythonTypes.TypeError("* wants int");
            }

            int start = at;
            while (at < format.Length && char.IsAsciiDigit(format[at]))
                at++;
            return at == start ? null : at - start > 9 ? throw PythonTypes.ValueError("width too big") : int.Parse(format.AsSpan(start..at), System.Globalization.CultureInfo.InvariantCulture);
        }

        object? Take()
        {
            if (tuple is null ? used > 0 : used >= tuple.Items.Length)
                throw PythonTypes.TypeError("not enough arguments for format string");
            used++;
            return tuple is null ? values : tuple.Items[used - 1];
        }
    }

    /// <summary>One value; <paramref name="sign"/> is where zeros may be put in, -1 where they may not.</summary>
    private static string One(RenderState state, char kind, int at, string flags, int? precision, object? value, out int sign)
    {
        sign = -1;
        switch (kind)
        {
            case 's' or 'r' or 'a':
                string text = kind == 's' ? PythonRepr.Str(state.Budget, value) : PythonRepr.Repr(state.Budget, value);
                text = kind == 'a' ? BraceFormat.Ascii(text) : text;
                return precision is int most ? text[..CodePoints.ToUtf16(text, most)] : text;
            case 'c':
                if (value is string c && CodePoints.Length(c) == 1)
                    return c;
                if (value is BigInteger code && code >= 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF))
                    return char.ConvertFromUtf32((int)code);
                throw PythonTypes.TypeError("%c requires int or char");
            case 'd' or 'i' or 'u' or 'x' or 'X' or 'o':
                if (value is double d && kind is 'd' or 'i' or 'u')
                    value = double.IsFinite((double)value) ? new BigInteger(Math.Truncate((double)value)) : throw new TemplateException("OverflowError", "cannot convert float infinity to integer");
                if (value is not (bool or BigInteger))
                {
                    throw PythonTypes.TypeError(kind is 'd' or 'i' or 'u' ? $"%{kind} format: a real number is required, not {PythonTypes.Name(value)}"
                        : $"%{kind} format: an integer is required, not {PythonTypes.Name(value)}");
                }

                BigInteger number = PythonNumbers.Integer(value);
                string digits = NumberFormat.Digits(number, kind is 'x' or 'X' ? 16 : kind == 'o' ? 8 : 10);
                state.Budget.Charge(precision ?? 0);
                digits = digits.PadLeft(precision ?? 0, '0');
                string prefix = flags.Contains('#') && kind is 'x' or 'X' or 'o' ? (kind == 'o' ? "0o" : "0x") : "";
                string mark = Mark(number.Sign < 0, flags) + prefix;
                sign = mark.Length;
                string whole = mark + digits;
                return kind == 'X' ? whole.ToUpperInvariant() : whole;
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                if (!PythonNumbers.IsNumber(value))
                    throw PythonTypes.TypeError($"must be real number, not {PythonTypes.Name(value)}");
                double real = PythonNumbers.Float(value!);
                string before = Mark(real < 0 || (real == 0 && double.IsNegative(real)), flags);
                sign = double.IsFinite(real) ? before.Length : -1;
                return before + NumberFormat.Format(real, kind, precision ?? 6, flags.Contains('#'));
            default:
                throw PythonTypes.ValueError($"unsupported format character '{kind}' (0x{(int)kind:x}) at index {at}");
        }
    }

    private static string Mark(bool isNegative, string flags) => isNegative ? "-" : flags.Contains('+') ? "+" : flags.Contains(' ') ? " " : "";
}
