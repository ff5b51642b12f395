using System.Globalization;

namespace Puna.Samples;

/// <summary>The tool of the sample.</summary>
internal static class Calculator
{
    /// <summary>Computes an expression.</summary>
    /// <param name="expression">Whole numbers with <c>+ - * /</c> and brackets.</param>
    /// <returns>The result, or what is wrong.</returns>
    public static string Compute(string expression)
    {
        int at = 0;
        try
        {
            long result = Sum(expression, ref at, 0);
            return at == expression.Length ? result.ToString(CultureInfo.InvariantCulture) : throw new FormatException();
        }
        catch (Exception e) when (e is FormatException or OverflowException or DivideByZeroException)
        {
            return $"'{expression}' cannot be computed";
        }
    }

    private static long Sum(string text, ref int at, int depth)
    {
        long value = Product(text, ref at, depth);
        while (Next(text, ref at) is '+' or '-')
        {
            bool isPlus = text[at++] == '+';
            long other = Product(text, ref at, depth);
            value = checked(isPlus ? value + other : value - other);
        }

        return value;
    }

    private static long Product(string text, ref int at, int depth)
    {
        long value = Factor(text, ref at, depth);
        while (Next(text, ref at) is '*' or '/')
        {
            bool isTimes = text[at++] == '*';
            long other = Factor(text, ref at, depth);
            value = checked(isTimes ? value * other : value / other);
        }

        return value;
    }

    private static long Factor(string text, ref int at, int depth)
    {
        if (Next(text, ref at) == '(' && depth < 50)
        {
            at++;
            long value = Sum(text, ref at, depth + 1);
            return Next(text, ref at) == ')' && at++ >= 0 ? value : throw new FormatException();
        }

        int start = at;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            at++;
        }

        return long.Parse(text.AsSpan(start, at - start), NumberStyles.None, CultureInfo.InvariantCulture);
    }

    private static char Next(string text, ref int at)
    {
        while (at < text.Length && text[at] == ' ')
        {
            at++;
        }

        return at < text.Length ? text[at] : '\0';
    }
}
