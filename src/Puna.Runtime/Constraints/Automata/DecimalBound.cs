using System.Globalization;
using System.Numerics;

namespace Puna.Runtime.Constraints.Automata;

/// <summary>An exact decimal number: Digits are the significant digits of the magnitude, the decimal point stands after the first IntegerDigits of them.</summary>
internal sealed record DecimalBound(bool Negative, string Digits, int IntegerDigits)
{
    /// <summary>Longest spelled-out number of digits.</summary>
    public const int MaxDigits = 400;

    public bool IsZero => Digits.Length == 0;

    /// <summary>Reads a JSON number exactly; null where it has too many digits once spelled out.</summary>
    public static DecimalBound? Parse(string json)
    {
        bool negative = json[0] == '-';
        string magnitude = negative ? json[1..] : json;
        int e = magnitude.IndexOfAny(['e', 'E']);
        if (!int.TryParse(e < 0 ? "0" : magnitude[(e + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int exponent) || Math.Abs((long)exponent) > MaxDigits)
        {
            return null;
        }

        string mantissa = e < 0 ? magnitude : magnitude[..e];
        int point = mantissa.IndexOf('.', StringComparison.Ordinal);
        string whole = point < 0 ? mantissa : mantissa[..point];
        string digits = whole + (point < 0 ? "" : mantissa[(point + 1)..]);
        int integer = whole.Length + exponent;
        if (integer < 0)
        {
            digits = new string('0', -integer) + digits;
            integer = 0;
        }

        digits = digits.PadRight(integer, '0');
        int leading = 0;
        while (leading < integer && digits[leading] == '0')
        {
            leading++;
        }

        digits = digits[leading..];
        integer -= leading;
        int length = digits.Length;
        while (length > integer && digits[length - 1] == '0')
        {
            length--;
        }

        digits = digits[..length];
        if (digits.AsSpan().IndexOfAnyExcept('0') < 0)
        {
            return new(false, "", 0);
        }

        return digits.Length > MaxDigits ? null : new(negative, digits, integer);
    }

    /// <summary>Digit i of the magnitude's integer part, counted from the left.</summary>
    public int IntegerDigit(int i) => Digits[i] - '0';

    /// <summary>Digit j after the point; 0 beyond the last.</summary>
    public int FractionDigit(int j) => IntegerDigits + j < Digits.Length ? Digits[IntegerDigits + j] - '0' : 0;

    public int FractionDigits => Math.Max(0, Digits.Length - IntegerDigits);

    /// <summary>The magnitude times 10^FractionDigits.</summary>
    public BigInteger Scaled => IsZero ? 0 : BigInteger.Parse(Digits, CultureInfo.InvariantCulture);
}
