using System.Globalization;

namespace Puna.Cli.Parsing;

/// <summary>Makes options of the kinds the commands use. Numbers are read and written in the invariant culture.</summary>
internal static class Options
{
    /// <summary>An option without a value.</summary>
    public static Option<bool> Flag(string name, string summary) => new(name, null, summary, false, static _ => true);

    /// <summary>Text of the user's, taken as it stands.</summary>
    public static Option<string?> Text(string name, string valueName, string summary, bool repeatable = false) =>
        new(name, valueName, summary, null, static text => text) { IsData = true, IsRepeatable = repeatable };

    /// <summary>The name of a file, folder or model.</summary>
    public static Option<string?> Path(string name, string valueName, string summary, ValueHint hint, string? defaultText = null, bool repeatable = false) =>
        new(name, valueName, summary, null, static text => text.Length > 0 ? text : throw new UsageException("expected a name")) { Hint = hint, DefaultText = defaultText, IsRepeatable = repeatable };

    /// <summary>One of a list of words.</summary>
    public static Option<string?> Choice(string name, string valueName, string summary, IReadOnlyList<string> choices, string? fallback = null, string? defaultText = null) =>
        new(name, valueName, summary, fallback, text => Choose(text, choices)) { Choices = choices, DefaultText = defaultText ?? fallback };

    /// <summary>A whole number in a range, with a default.</summary>
    public static Option<int> Integer(string name, string valueName, string summary, int fallback, int least, int most = int.MaxValue) =>
        new(name, valueName, summary, fallback, text => (int)ReadInteger(text, least, most, int.MaxValue))
        {
            RangeText = Range(least, most, int.MaxValue),
            DefaultText = fallback.ToString(CultureInfo.InvariantCulture),
        };

    /// <summary>A whole number in a range; null where it is absent.</summary>
    /// <param name="name">Name without the dashes.</param>
    /// <param name="valueName">Name of the value in the help.</param>
    /// <param name="summary">One sentence for the help page.</param>
    /// <param name="defaultText">What holds where the option is absent, in words.</param>
    /// <param name="least">Smallest value allowed.</param>
    /// <param name="most">Largest value allowed.</param>
    public static Option<long?> OptionalInteger(string name, string valueName, string summary, string? defaultText, long least, long most) =>
        new(name, valueName, summary, null, text => ReadInteger(text, least, most, long.MaxValue))
        {
            RangeText = Range(least, most, long.MaxValue),
            DefaultText = defaultText,
        };

    /// <summary>A number of bytes, perhaps with K, M, G or T behind it (powers of ten); null where the option is absent.</summary>
    public static Option<long?> Size(string name, string valueName, string summary, string? defaultText = null) =>
        new(name, valueName, summary, null, static text => ReadSize(text)) { DefaultText = defaultText };

    /// <summary>A finite number in a range, with a default.</summary>
    public static Option<double> Number(string name, string valueName, string summary, double fallback, double least, double most) =>
        new(name, valueName, summary, fallback, text => ReadNumber(text, least, most))
        {
            RangeText = string.Create(CultureInfo.InvariantCulture, $"{least} to {most}"),
            DefaultText = fallback.ToString(CultureInfo.InvariantCulture),
        };

    /// <summary>Token ids separated by commas; null where the option is absent.</summary>
    public static Option<int[]?> Tokens(string name, string summary) => new(name, "1,2,3", summary, null, ReadTokens);

    /// <summary>Reads one of <paramref name="choices"/>, letter case aside.</summary>
    /// <exception cref="UsageException">The text is none of them; says what was expected, not what was got.</exception>
    public static string Choose(string text, IReadOnlyList<string> choices)
    {
        foreach (string choice in choices)
        {
            if (string.Equals(choice, text, StringComparison.OrdinalIgnoreCase))
            {
                return choice;
            }
        }

        throw new UsageException($"expected {string.Join(", ", choices.SkipLast(1))}{(choices.Count > 1 ? " or " : "")}{choices[^1]}");
    }

    private static long ReadInteger(string text, long least, long most, long unlimited) =>
        long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long value) && value >= least && value <= most
            ? value
            : throw new UsageException($"expected a whole number{(Range(least, most, unlimited) is { } range ? (range.StartsWith("at", StringComparison.Ordinal) ? " of " : " from ") + range : "")}");

    private static long ReadSize(string text)
    {
        int power = text.Length > 0 ? "KMGT".IndexOf(char.ToUpperInvariant(text[^1]), StringComparison.Ordinal) + 1 : 0;
        long unit = 1;
        for (int i = 0; i < power; i++)
        {
            unit *= 1000;
        }

        return long.TryParse(power > 0 ? text.AsSpan(0, text.Length - 1) : text, NumberStyles.None, CultureInfo.InvariantCulture, out long count) && count >= 1 && count <= long.MaxValue / unit
            ? count * unit
            : throw new UsageException("expected a number of bytes, or a number with K, M, G or T behind it, of at least 1");
    }

    private static double ReadNumber(string text, double least, double most) =>
        double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out double value)
            && double.IsFinite(value) && value >= least && value <= most
            ? value
            : throw new UsageException(string.Create(CultureInfo.InvariantCulture, $"expected a number from {least} to {most}"));

    private static int[] ReadTokens(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.TrimEntries);
        var ids = new int[parts.Length];
        for (int i = 0; i < parts.Length; i++)
        {
            if (!int.TryParse(parts[i], NumberStyles.None, CultureInfo.InvariantCulture, out ids[i]))
            {
                throw new UsageException("expected token ids separated by commas");
            }
        }

        return ids;
    }

    private static string? Range(long least, long most, long unlimited) =>
        most >= Math.Min(unlimited, int.MaxValue)
            ? (least <= -unlimited ? null : string.Create(CultureInfo.InvariantCulture, $"at least {least}"))
            : string.Create(CultureInfo.InvariantCulture, $"{least} to {most}");
}
