using System.Globalization;

namespace Puna.Runtime.Constraints.Automata;

/// <summary>A set of code points: sorted ranges that do not touch. Surrogates may be in it, but never occur in text.</summary>
internal sealed class CodePointSet
{
    private CodePointSet(List<(int Low, int High)> ranges) => Ranges = ranges;

    public IReadOnlyList<(int Low, int High)> Ranges { get; }

    public bool IsEmpty => Ranges.Count == 0;

    public static CodePointSet Of(IEnumerable<(int Low, int High)> ranges)
    {
        var merged = new List<(int Low, int High)>();
        foreach ((int low, int high) in ranges.Order())
        {
            if (merged.Count > 0 && merged[^1].High >= low - 1)
            {
                merged[^1] = (merged[^1].Low, Math.Max(merged[^1].High, high));
            }
            else
            {
                merged.Add((low, high));
            }
        }

        return new(merged);
    }

    public static CodePointSet Single(int c) => new([(c, c)]);

    public static CodePointSet All { get; } = new([(0, CodePointDfa.Last)]);

    /// <summary>What <c>.</c> stands for in ECMAScript: all but line terminators.</summary>
    public static CodePointSet Dot { get; } = Of([('\n', '\n'), ('\r', '\r'), (0x2028, 0x2029)]).Complement();

    public static CodePointSet Digits { get; } = Of([('0', '9')]);

    public static CodePointSet Word { get; } = Of([('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')]);

    /// <summary>ECMAScript's WhiteSpace and LineTerminator.</summary>
    public static CodePointSet Space { get; } =
        Of([(9, 13), (' ', ' '), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A), (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF)]);

    public CodePointSet Complement()
    {
        var ranges = new List<(int, int)>();
        int from = 0;
        foreach ((int low, int high) in Ranges)
        {
            if (low > from)
            {
                ranges.Add((from, low - 1));
            }

            from = high + 1;
        }

        if (from <= CodePointDfa.Last)
        {
            ranges.Add((from, CodePointDfa.Last));
        }

        return new(ranges);
    }

    /// <summary>A general category such as <c>L</c> or <c>Nd</c>, by short or long name; null if there is none of that name.</summary>
    public static CodePointSet? Category(string name)
    {
        string[] names = name switch
        {
            "L" or "Letter" => ["Lu", "Ll", "Lt", "Lm", "Lo"],
            "M" or "Mark" => ["Mn", "Mc", "Me"],
            "N" or "Number" => ["Nd", "Nl", "No"],
            "P" or "Punctuation" or "punct" => ["Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"],
            "S" or "Symbol" => ["Sm", "Sc", "Sk", "So"],
            "Z" or "Separator" => ["Zs", "Zl", "Zp"],
            "Lowercase_Letter" => ["Ll"],
            "Uppercase_Letter" => ["Lu"],
            "Decimal_Number" or "digit" => ["Nd"],
            _ => [name],
        };
        bool[] wanted = new bool[30];
        foreach (string part in names)
        {
            int index = Array.IndexOf(Categories, part);
            if (index < 0)
            {
                return null;
            }

            wanted[index] = true;
        }

        var ranges = new List<(int, int)>();
        for (int c = 0; c <= CodePointDfa.Last; c++)
        {
            int from = c;
            while (c <= CodePointDfa.Last && wanted[(int)CharUnicodeInfo.GetUnicodeCategory(c)])
            {
                c++;
            }

            if (c > from)
            {
                ranges.Add((from, c - 1));
            }
        }

        return new(ranges);
    }

    // In the order of UnicodeCategory.
    private static readonly string[] Categories =
    [
        "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po",
        "Sm", "Sc", "Sk", "So", "Cn",
    ];
}
