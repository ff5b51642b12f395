using System.Globalization;
using System.Numerics;
using System.Text;

namespace Puna.Text.Templates;

/// <summary>Floats in fixed, scientific and general notation, rounded exactly and half to even, as C and Python do it.</summary>
internal static class NumberFormat
{
    /// <summary>Most digits behind the point.</summary>
    public const int MostPrecision = 1000;

    /// <summary>The absolute value of a finite float in one of the notations e, f and g.</summary>
    /// <param name="value">The number.</param>
    /// <param name="kind">The letter, in either case.</param>
    /// <param name="precision">Digits.</param>
    /// <param name="keepsZeros">Whether g keeps zeros at the end.</param>
    public static string Format(double value, char kind, int precision, bool keepsZeros = false)
    {
        if (precision > MostPrecision)
            throw PythonTypes.ValueError($"precision: expected at most {MostPrecision}, got {precision}");
        bool isUpper = char.IsUpper(kind);
        value = Math.Abs(value);
        if (!double.IsFinite(value))
            return double.IsNaN(value) ? (isUpper ? "NAN" : "nan") : isUpper ? "INF" : "inf";
        string text = char.ToLowerInvariant(kind) switch
        {
            'f' => Fixed(value, precision),
            'e' => Scientific(value, precision),
            _ => General(value, Math.Max(1, precision), keepsZeros),
        };
        return isUpper ? text.ToUpperInvariant() : text;
    }

    /// <summary>Digits with so many behind the point.</summary>
    public static string Fixed(double value, int precision)
    {
        string digits = Scaled(value, precision).ToString(CultureInfo.InvariantCulture).PadLeft(precision + 1, '0');
        return precision == 0 ? digits : $"{digits[..^precision]}.{digits[^precision..]}";
    }

    private static string Scientific(double value, int precision)
    {
        (string digits, int exponent) = Significant(value, precision + 1);
        string rest = precision > 0 ? "." + digits[1..] : "";
        return $"{digits[0]}{rest}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
    }

    private static string General(double value, int precision, bool keepsZeros)
    {
        (string digits, int exponent) = Significant(value, precision);
        string text;
        if (exponent < -4 || exponent >= precision)
        {
            string rest = keepsZeros ? digits[1..] : digits[1..].TrimEnd('0');
            return $"{digits[0]}{(rest.Length > 0 ? "." + rest : "")}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}";
        }

        text = exponent < 0 ? "0." + new string('0', -exponent - 1) + digits
            : exponent + 1 < digits.Length ? $"{digits[..(exponent + 1)]}.{digits[(exponent + 1)..]}" : digits;
        return keepsZeros || !text.Contains('.') ? text : text.TrimEnd('0').TrimEnd('.');
    }

    /// <summary>So many significant digits, and the power of ten of the first.</summary>
    private static (string Digits, int Exponent) Significant(double value, int count)
    {
        if (value == 0)
            return (new string('0', count), 0);
        int exponent = (int)Math.Floor(Math.Log10(value));
        // The logarithm may be off by one, and rounding may carry.
        for (exponent++; ; exponent--)
        {
            string digits = Scaled(value, count - 1 - exponent).ToString(CultureInfo.InvariantCulture);
            if (digits.Length == count)
                return (digits, exponent);
            if (digits.Length > count)
                return (digits[..count], exponent + digits.Length - count);
        }
    }

    /// <summary>The integer nearest to the value times ten to a power, half to even.</summary>
    private static BigInteger Scaled(double value, int power)
    {
        long bits = BitConverter.DoubleToInt64Bits(value);
        int exponent = (int)((bits >> 52) & 0x7FF);
        BigInteger top = (bits & 0xFFFFFFFFFFFFF) | (exponent > 0 ? 1L << 52 : 0), bottom = BigInteger.One;
        int shift = Math.Max(exponent, 1) - 1075;
        if (shift > 0)
            top <<= shift;
        else
            bottom <<= -shift;
        if (power > 0)
            top *= BigInteger.Pow(10, power);
        else
            bottom *= BigInteger.Pow(10, -power);
        BigInteger quotient = BigInteger.DivRem(top, bottom, out BigInteger rest);
        int half = (rest * 2).CompareTo(bottom);
        return half > 0 || (half == 0 && !quotient.IsEven) ? quotient + 1 : quotient;
    }

    /// <summary>Digits of an integer in base 2, 8, 10 or 16.</summary>
    public static string Digits(BigInteger value, int radix)
    {
        value = BigInteger.Abs(value);
        if (radix == 10)
            return PythonRepr.Integer(value);
        if (value.IsZero)
            return "0";
        int bits = radix == 16 ? 4 : radix == 8 ? 3 : 1;
        var digits = new StringBuilder();
        int length = (int)((value.GetBitLength() + bits - 1) / bits);
        byte[] bytes = value.ToByteArray();
        for (int i = length - 1; i >= 0; i--)
        {
            int digit = 0;
            for (int b = bits - 1; b >= 0; b--)
            {
                int at = (i * bits) + b;
                digit = (digit << 1) | (at / 8 < bytes.Length ? (bytes[at / 8] >> (at % 8)) & 1 : 0);
            }

            digits.Append("0123456789abcdef"[digit]);
        }

        return digits.ToString();
    }
}
