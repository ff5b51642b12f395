using System.Globalization;
using System.Numerics;

namespace Puna.Text.Templates;

/// <summary>Python's operators. Integers have any size up to a limit, floats are doubles.</summary>
internal static class PythonNumbers
{
    private const long MostBits = 1 << 16;

    /// <summary>A binary operator.</summary>
    public static object? Binary(RenderState state, string op, object? x, object? y)
    {
        if (x is Undefined left)
            throw left.Error();
        if (op == "%" && x is string format)
            return PercentFormat.Apply(state, format, y);
        if (y is Undefined right)
            throw right.Error();
        if (IsNumber(x) && IsNumber(y))
            return x is double || y is double ? Floats(op, Float(x!), Float(y!)) : Integers(state.Budget, op, Integer(x!), Integer(y!));
        return op switch
        {
            "+" => Add(state.Budget, x, y),
            "*" => Repeat(state.Budget, x, y),
            _ => throw Unsupported(op, x, y),
        };
    }

    /// <summary>A sign.</summary>
    public static object? Unary(string op, object? x) => x switch
    {
        Undefined undefined => throw undefined.Error(),
        double d => op == "-" ? -d : d,
        bool or BigInteger => op == "-" ? -Integer(x) : Integer(x),
        _ => throw PythonTypes.TypeError($"bad operand type for unary {op}: '{PythonTypes.Name(x)}'"),
    };

    /// <summary>Whether it is a number; truth values are.</summary>
    public static bool IsNumber(object? value) => value is bool or BigInteger or double;

    /// <summary>A truth value or integer as an integer.</summary>
    public static BigInteger Integer(object value) => value is bool b ? (b ? 1 : 0) : (BigInteger)value;

    /// <summary>Any number as a float.</summary>
    public static double Float(object value)
    {
        if (value is double d)
            return d;
        double result = ToDouble(Integer(value), false);
        return double.IsInfinity(result) ? throw new TemplateException("OverflowError", "int too large to convert to float") : result;
    }

    /// <summary>A text as a float, or null.</summary>
    public static double? ParseFloat(string text)
    {
        string digits = Digits(text);
        switch (digits.TrimStart('+', '-').ToLowerInvariant())
        {
            case "inf" or "infinity" when digits.Length - digits.TrimStart('+', '-').Length <= 1:
                return digits[0] == '-' ? double.NegativeInfinity : double.PositiveInfinity;
            case "nan" when digits.Length - digits.TrimStart('+', '-').Length <= 1:
                return double.NaN;
        }

        return digits.Length > 0 && digits.AsSpan().IndexOfAnyExcept("0123456789+-.eE") < 0
            && double.TryParse(digits, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value)
            ? value : null;
    }

    /// <summary>A text as an integer in a base from 2 to 36 (0: as its prefix says), or null.</summary>
    public static BigInteger? ParseInteger(string text, int radix)
    {
        string digits = Digits(text).ToLowerInvariant();
        bool isNegative = digits.StartsWith('-');
        digits = digits is ['+' or '-', ..] ? digits[1..] : digits;
        int prefix = digits is ['0', 'x' or 'o' or 'b', ..] ? (digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : 2) : 0;
        if (prefix != 0 && (radix == prefix || radix == 0))
        {
            digits = digits[2..];
            radix = prefix;
        }

        radix = radix == 0 ? 10 : radix;
        if (digits.Length is 0 or > 4300)
            return null;
        BigInteger value = BigInteger.Zero;
        foreach (char c in digits)
        {
            int digit = char.IsAsciiDigit(c) ? c - '0' : c is >= 'a' and <= 'z' ? c - 'a' + 10 : 99;
            if (digit >= radix)
                return null;
            value = (value * radix) + digit;
        }

        return isNegative ? -value : value;
    }

    private static string Digits(string text)
    {
        string digits = Chat.PythonText.Strip(text);
        // Python allows single underscores between digits.
        for (int i = digits.IndexOf('_'); i >= 0; i = digits.IndexOf('_', i))
        {
            if (i == 0 || i + 1 == digits.Length || !char.IsAsciiLetterOrDigit(digits[i - 1]) || !char.IsAsciiLetterOrDigit(digits[i + 1]) || digits.Length > 10_000)
                return "";
            digits = digits.Remove(i, 1);
        }

        return digits;
    }

    private static object Integers(Budget budget, string op, BigInteger x, BigInteger y)
    {
        switch (op)
        {
            case "+":
                return Limit(x + y);
            case "-":
                return Limit(x - y);
            case "*":
                budget.Charge((x.GetBitLength() + y.GetBitLength()) / 8);
                return Limit(x.GetBitLength() + y.GetBitLength() > MostBits ? throw TooLarge() : x * y);
            case "/":
                if (y.IsZero)
                    throw new TemplateException("ZeroDivisionError", "division by zero");
                return Ratio(x, y);
            case "//":
                return y.IsZero ? throw new TemplateException("ZeroDivisionError", "integer division or modulo by zero") : Floor(x, y).Quotient;
            case "%":
                return y.IsZero ? throw new TemplateException("ZeroDivisionError", "integer modulo by zero") : Floor(x, y).Remainder;
            default:
                return Power(budget, x, y);
        }
    }

    private static object Power(Budget budget, BigInteger x, BigInteger y)
    {
        if (y.Sign < 0)
        {
            if (x.IsZero)
                throw new TemplateException("ZeroDivisionError", "0.0 cannot be raised to a negative power");
            return Math.Pow(Float(x), Float(y));
        }

        if (x.IsZero || x.IsOne || y.IsZero)
            return y.IsZero ? BigInteger.One : x;
        if (x == BigInteger.MinusOne)
            return y.IsEven ? BigInteger.One : x;
        if (y > MostBits || x.GetBitLength() * (long)y > MostBits)
            throw TooLarge();
        budget.Charge(x.GetBitLength() * (long)y / 8);
        return BigInteger.Pow(x, (int)y);
    }

    private static double Ratio(BigInteger x, BigInteger y)
    {
        if (x.GetBitLength() <= 53 && y.GetBitLength() <= 53)
            return (double)x / (double)y;
        // 66 bits of the quotient at least, the last one set where anything remains.
        int shift = (int)(66 - (x.GetBitLength() - y.GetBitLength()));
        BigInteger top = BigInteger.Abs(shift > 0 ? x << shift : x), bottom = BigInteger.Abs(shift < 0 ? y << -shift : y);
        BigInteger quotient = BigInteger.DivRem(top, bottom, out BigInteger rest);
        double value = Math.ScaleB(ToDouble(quotient, !rest.IsZero), -shift);
        if (double.IsInfinity(value))
            throw new TemplateException("OverflowError", "integer division result too large for a float");
        return x.Sign * y.Sign < 0 ? -value : value;
    }

    /// <summary>The nearest float, half to even; the conversion of the base library cuts off.</summary>
    private static double ToDouble(BigInteger value, bool hasMore)
    {
        const int Bits = 60;
        BigInteger magnitude = BigInteger.Abs(value);
        int shift = (int)Math.Max(0, magnitude.GetBitLength() - Bits);
        long top = (long)(magnitude >> shift);
        bool isCut = hasMore || (shift > 0 && !(magnitude & ((BigInteger.One << shift) - 1)).IsZero);
        double result = Math.ScaleB((double)(isCut ? top | 1 : top), shift);
        return value.Sign < 0 ? -result : result;
    }

    private static (BigInteger Quotient, BigInteger Remainder) Floor(BigInteger x, BigInteger y)
    {
        BigInteger quotient = BigInteger.DivRem(x, y, out BigInteger remainder);
        return !remainder.IsZero && remainder.Sign != y.Sign ? (quotient - 1, remainder + y) : (quotient, remainder);
    }

    private static object Floats(string op, double x, double y)
    {
        switch (op)
        {
            case "+":
                return x + y;
            case "-":
                return x - y;
            case "*":
                return x * y;
            case "/":
                return y == 0 ? throw new TemplateException("ZeroDivisionError", "float division by zero") : x / y;
            case "**":
                if (x == 0 && y < 0)
                    throw new TemplateException("ZeroDivisionError", "0.0 cannot be raised to a negative power");
                double power = Math.Pow(x, y);
                if (double.IsInfinity(power) && double.IsFinite(x) && double.IsFinite(y))
                    throw new TemplateException("OverflowError", "(34, 'Numerical result out of range')");
                return power;
            default:
                if (y == 0)
                    throw new TemplateException("ZeroDivisionError", op == "%" ? "float modulo" : "float floor division by zero");
                double mod = x % y;
                if (mod != 0 && (y < 0) != (mod < 0))
                    mod += y;
                else if (mod == 0)
                    mod = Math.CopySign(0, y);
                if (op == "%")
                    return mod;
                double quotient = (x - mod) / y, floor = Math.Floor(quotient);
                return quotient == 0 ? Math.CopySign(0, x / y) : quotient - floor > 0.5 ? floor + 1 : floor;
        }
    }

    private static object Add(Budget budget, object? x, object? y)
    {
        switch (x, y)
        {
            case (string a, string b):
                budget.Charge(a.Length + (long)b.Length);
                return a + b;
            case (PyList a, PyList b):
                budget.Charge(a.Items.Count + (long)b.Items.Count);
                return new PyList([.. a.Items, .. b.Items]);
            case (PyTuple a, PyTuple b):
                budget.Charge(a.Items.Length + (long)b.Items.Length);
                return new PyTuple([.. a.Items, .. b.Items]);
            case (string, _):
                throw PythonTypes.TypeError($"can only concatenate str (not \"{PythonTypes.Name(y)}\") to str");
            case (PyList, _):
                throw PythonTypes.TypeError($"can only concatenate list (not \"{PythonTypes.Name(y)}\") to list");
            case (PyTuple, _):
                throw PythonTypes.TypeError($"can only concatenate tuple (not \"{PythonTypes.Name(y)}\") to tuple");
            default:
                throw Unsupported("+", x, y);
        }
    }

    private static object Repeat(Budget budget, object? x, object? y)
    {
        if (x is bool or BigInteger && y is string or PyList or PyTuple)
            (x, y) = (y, x);
        if (x is not (string or PyList or PyTuple))
            throw Unsupported("*", x, y);
        if (y is not (bool or BigInteger))
            throw PythonTypes.TypeError($"can't multiply sequence by non-int of type '{PythonTypes.Name(y)}'");
        BigInteger times = BigInteger.Max(0, Integer(y));
        int length = x is string s ? s.Length : x is PyList list ? list.Items.Count : ((PyTuple)x).Items.Length;
        budget.Charge(times * length);
        int count = length == 0 ? 0 : (int)times;
        return x switch
        {
            string text => new System.Text.StringBuilder().Insert(0, text, count).ToString(),
            PyList items => new PyList([.. Times(items.Items)]),
            _ => new PyTuple([.. Times(((PyTuple)x).Items)]),
        };

        IEnumerable<object?> Times(IReadOnlyList<object?> some)
        {
            for (int i = 0; i < count * some.Count; i++)
                yield return some[i % some.Count];
        }
    }

    private static BigInteger Limit(BigInteger value) => value.GetBitLength() > MostBits ? throw TooLarge() : value;

    private static TemplateException TooLarge() => new("OverflowError", $"integer: expected at most {MostBits} bits, got more");

    private static TemplateException Unsupported(string op, object? x, object? y) =>
        PythonTypes.TypeError($"unsupported operand type(s) for {(op == "**" ? "** or pow()" : op)}: '{PythonTypes.Name(x)}' and '{PythonTypes.Name(y)}'");
}
