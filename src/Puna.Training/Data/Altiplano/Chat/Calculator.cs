using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Puna.Training.Data.Altiplano;

/// <summary>
/// The tool of the world: whole numbers with <c>+ - * /</c> and brackets. A call is the JSON object that Llama 3.1 writes for a tool,
/// <c>{"name": "calculator", "parameters": {"expression": "3 * 4"}}</c>.
/// </summary>
public static class Calculator
{
    private const int MostLength = 200;
    private const int MostDepth = 20;

    /// <summary>What the system message says about it.</summary>
    public const string Description =
        "You can use a calculator. To use it, answer only with {\"name\": \"calculator\", \"parameters\": {\"expression\": \"...\"}}. The result comes back, and then you answer.";

    /// <summary>A call of the calculator.</summary>
    public static string Call(string expression) => "{\"name\": \"calculator\", \"parameters\": {\"expression\": \"" + expression + "\"}}";

    /// <summary>Reads a call.</summary>
    public static bool TryReadCall(string text, [NotNullWhen(true)] out string? expression)
    {
        expression = null;
        try
        {
            using JsonDocument call = JsonDocument.Parse(text);
            if (call.RootElement.ValueKind == JsonValueKind.Object
                && call.RootElement.TryGetProperty("name", out JsonElement name) && name.ValueKind == JsonValueKind.String && name.GetString() == "calculator"
                && call.RootElement.TryGetProperty("parameters", out JsonElement parameters) && parameters.ValueKind == JsonValueKind.Object
                && parameters.TryGetProperty("expression", out JsonElement value) && value.ValueKind == JsonValueKind.String)
            {
                expression = value.GetString()!;
                return true;
            }

            return false;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON, or a string that is not valid Unicode.
            return false;
        }
    }

    /// <summary>Computes an expression; false where it is none, divides by zero or without being whole, or overflows.</summary>
    public static bool TryCompute(string expression, out long value)
    {
        value = 0;
        if (expression.Length > MostLength)
        {
            return false;
        }

        try
        {
            int at = 0;
            value = Sum(expression, ref at, 0);
            return at == expression.Length;
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            return false;
        }
    }

    private static long Sum(string text, ref int at, int depth)
    {
        long value = Product(text, ref at, depth);
        while (Peek(text, ref at) is '+' or '-')
        {
            char sign = text[at++];
            long next = Product(text, ref at, depth);
            value = checked(sign == '+' ? value + next : value - next);
        }

        return value;
    }

    private static long Product(string text, ref int at, int depth)
    {
        long value = Atom(text, ref at, depth);
        while (Peek(text, ref at) is '*' or '/')
        {
            char sign = text[at++];
            long next = Atom(text, ref at, depth);
            if (sign == '/' && (next == 0 || value % next != 0))
            {
                throw new FormatException();
            }

            value = checked(sign == '*' ? value * next : value / next);
        }

        return value;
    }

    private static long Atom(string text, ref int at, int depth)
    {
        char c = Peek(text, ref at);
        if (c == '(' && depth < MostDepth)
        {
            at++;
            long inner = Sum(text, ref at, depth + 1);
            if (Peek(text, ref at) != ')')
            {
                throw new FormatException();
            }

            at++;
            Peek(text, ref at);
            return inner;
        }

        int start = at;
        long value = 0;
        while (at < text.Length && char.IsAsciiDigit(text[at]))
        {
            value = checked((value * 10) + (text[at++] - '0'));
        }

        if (at == start)
        {
            throw new FormatException();
        }

        Peek(text, ref at);
        return value;
    }

    private static char Peek(string text, ref int at)
    {
        while (at < text.Length && text[at] == ' ')
        {
            at++;
        }

        return at < text.Length ? text[at] : '\0';
    }
}
