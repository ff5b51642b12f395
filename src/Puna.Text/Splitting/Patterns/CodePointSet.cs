using System.Globalization;
using System.Text;

namespace Puna.Text.Splitting.Patterns;

/// <summary>A set of Unicode scalars as a class of a pattern describes it; one bit per ASCII character is worked out beforehand.</summary>
internal sealed class CodePointSet
{
    private readonly bool _negated;
    private readonly bool _ignoreCase;
    private readonly uint _categories;
    private readonly (int First, int Last)[] _ranges;
    private readonly CodePointSet[] _members;
    private readonly CodePointSet? _and;
    private readonly bool _space;
    private readonly UInt128 _ascii;

    private CodePointSet(bool negated, bool ignoreCase, uint categories, (int First, int Last)[] ranges, CodePointSet[] members, CodePointSet? and, bool space)
    {
        _negated = negated;
        _ignoreCase = ignoreCase;
        _categories = categories;
        _ranges = ranges;
        _members = members;
        _and = and;
        _space = space;
        for (int i = 0; i < 128; i++)
        {
            _ascii |= Slow(i) ? UInt128.One << i : UInt128.Zero;
        }
    }

    /// <summary>White_Space.</summary>
    public static CodePointSet Space { get; } = new(false, false, 0, [], [], null, true);

    /// <summary>Decimal digits.</summary>
    public static CodePointSet Digit { get; } = OfCategories(1u << (int)UnicodeCategory.DecimalDigitNumber);

    /// <summary>Letters, marks, decimal digits, letter numbers and connectors.</summary>
    public static CodePointSet Word { get; } = OfCategories(Category("L")!.Value | Category("M")!.Value | Category("Nd")!.Value | Category("Nl")!.Value | Category("Pc")!.Value);

    /// <summary>Anything but a line feed: what a dot means.</summary>
    public static CodePointSet NotLineFeed { get; } = new(true, false, 0, [('\n', '\n')], [], null, false);

    /// <summary>The set of one or more ranges.</summary>
    public static CodePointSet OfRanges((int First, int Last)[] ranges, bool ignoreCase) => new(false, ignoreCase, 0, ranges, [], null, false);

    /// <summary>The scalars of given general categories, a bit each.</summary>
    public static CodePointSet OfCategories(uint categories) => new(false, false, categories, [], [], null, false);

    /// <summary>A union, perhaps with another set taken of it, perhaps turned around.</summary>
    public static CodePointSet OfMembers((int First, int Last)[] ranges, CodePointSet[] members, CodePointSet? and, bool negated, bool ignoreCase) =>
        new(negated, ignoreCase, 0, ranges, members, and, false);

    /// <summary>All that is not in this set.</summary>
    public CodePointSet Negate() => new(true, false, 0, [], [this], null, false);

    /// <summary>Whether a scalar is in the set.</summary>
    public bool Contains(int scalar) => scalar < 128 ? ((_ascii >> scalar) & UInt128.One) != UInt128.Zero : Slow(scalar);

    /// <summary>The categories of a property name such as <c>L</c> or <c>Lu</c>, or null where the name is none.</summary>
    public static uint? Category(string name)
    {
        const string Names = "LuLlLtLmLoMnMcMeNdNlNoZsZlZpCcCfCsCoPcPdPsPePiPfPoSmScSkSoCn";
        uint bits = 0;
        for (int i = 0; i < Names.Length; i += 2)
        {
            if (name.Length is 1 or 2 && Names.AsSpan(i, name.Length).SequenceEqual(name))
            {
                bits |= 1u << (i / 2);
            }
        }

        return bits == 0 ? null : bits;
    }

    private bool Slow(int scalar)
    {
        bool found = Has(scalar);
        if (_ignoreCase && !found && Rune.TryCreate(scalar, out Rune rune))
        {
            int lower = Rune.ToLowerInvariant(rune).Value, upper = Rune.ToUpperInvariant(rune).Value;
            found = Has(lower) || Has(upper) || scalar switch
            {
                's' or 'S' => Has(0x17F),
                0x17F => Has('s') || Has('S'),
                'k' or 'K' => Has(0x212A),
                0xE5 or 0xC5 => Has(0x212B),
                _ => false,
            };
        }

        return found != _negated;
    }

    private bool Has(int scalar)
    {
        bool found = (_categories != 0 && ((_categories >> (int)CharUnicodeInfo.GetUnicodeCategory(scalar)) & 1) != 0)
            || (_space && scalar <= 0xFFFF && char.IsWhiteSpace((char)scalar));
        for (int i = 0; i < _ranges.Length && !found; i++)
        {
            found = scalar >= _ranges[i].First && scalar <= _ranges[i].Last;
        }

        for (int i = 0; i < _members.Length && !found; i++)
        {
            found = _members[i].Contains(scalar);
        }

        return found && (_and is null || _and.Contains(scalar));
    }
}
